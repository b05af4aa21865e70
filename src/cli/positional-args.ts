import {bareHost, urlHost} from '../util/url.ts';
import {UsageError} from './shared/exit-codes.ts';

/**
 * Turns the five positional arguments of the Python ancestor, `host port key_file cert_file
 * ca_file`, into those of `get`. Options may follow. Any other arguments are returned as they are.
 *
 * @param hint - Where to look after a mistake.
 */
export function positionalArguments(
	argv: readonly string[],
	commands: readonly string[],
	hint: string,
): readonly string[] {
	const [host, port, key, cert, ca] = argv;
	if (host === undefined || port === undefined || commands.includes(host)) return argv;
	if (key === undefined || cert === undefined || ca === undefined) return argv;
	if (argv.slice(0, 5).some((word) => word.startsWith('-'))) return argv;

	return ['get', originOf(host, port, hint), `--key=${key}`, `--cert=${cert}`, `--ca=${ca}`].concat(
		argv.slice(5),
	);
}

function originOf(host: string, port: string, hint: string): string {
	if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
		throw new UsageError('host port key_file cert_file ca_file', `'${port}' is not a port`, hint);
	}
	const url = URL.parse(`https://${urlHost(bareHost(host))}:${port}/`);
	if (url === null || url.username || url.pathname !== '/') {
		throw new UsageError('host port key_file cert_file ca_file', `'${host}' is not a host name`);
	}
	return url.href;
}
