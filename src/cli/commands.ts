import {Command, CommanderError} from 'commander';
import manifest from '../../package.json' with {type: 'json'};
import * as help from './help.ts';
import {positionalArguments} from './positional-args.ts';
import {UsageError} from './shared/exit-codes.ts';

export interface GetArguments {
	readonly command: 'get';
	readonly url: string;
	readonly cert?: string;
	readonly key?: string;
	readonly ca?: readonly string[];
	readonly passphraseFile?: string;
	readonly jar?: string;
	readonly location?: boolean;
	readonly proxy?: string;
	readonly timeout?: string;
	readonly allowExpired?: boolean;
}

export interface CheckArguments {
	readonly command: 'check';
	readonly url: string;
	readonly cert?: string;
	readonly key?: string;
	readonly pfx?: string;
	readonly passphraseFile?: string;
	readonly allowExpired?: boolean;
	readonly ca?: readonly string[];
	readonly pin?: readonly string[];
	readonly crl?: readonly string[];
	readonly spiffeId?: string;
	readonly proxy?: string;
	readonly timeout: string;
	readonly json?: boolean;
	readonly html?: string;
}

export interface InspectArguments {
	readonly command: 'inspect';
	readonly file: string;
	readonly key?: string;
	readonly passphraseFile?: string;
}

export interface CertsArguments {
	readonly command: 'certs';
	readonly dir: string;
	readonly force?: boolean;
}

export interface ServeArguments {
	readonly command: 'serve';
	readonly dir: string;
	readonly port: string;
}

/** A parsed command line. Its values are still text, which each command parses. */
export type Invocation =
	| GetArguments
	| CheckArguments
	| InspectArguments
	| CertsArguments
	| ServeArguments
	| {readonly command: 'demo'}
	| {readonly command: 'help'; readonly text: string};

/**
 * Reads a command line, without the first two words of `process.argv`.
 *
 * @throws {UsageError} for a command, option or number of arguments that does not exist.
 */
export function parseArguments(argv: readonly string[]): Invocation {
	let invocation: Invocation | undefined;
	let printed = '';
	const program = makeProgram((parsed) => {
		invocation = parsed;
	});
	const words = argv.length === 0 ? ['--help'] : positionalArguments(argv, commandNames(program));
	for (const command of [program, ...program.commands]) {
		command.exitOverride().configureOutput({
			writeOut: (text) => {
				printed += text;
			},
			// The thrown error has the same message.
			writeErr: () => {},
			getOutHelpWidth: () => 88,
			getOutHasColors: () => false,
		});
	}
	try {
		program.parse(words, {from: 'user'});
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		if (error.exitCode !== 0) throw usageError(error, words);
	}
	return invocation ?? {command: 'help', text: printed};
}

function makeProgram(onParsed: (invocation: Invocation) => void): Command {
	const program = new Command('axios-mtls')
		.usage('<command> [options]')
		.version(manifest.version, '-V, --version')
		.helpCommand(true)
		.addHelpText('before', help.rootExamples)
		.addHelpText('after', `${help.environmentHelp}\n${help.exitCodesHelp}`)
		// Without this action commander would print the help on stderr and fail.
		.argument('[command...]')
		.action(([word = '--']: string[]) => {
			throw new UsageError(word, 'no such command', seeHelp);
		});

	program
		.command('get')
		.summary('request a URL with a client certificate')
		.argument('<url>', 'https://host[:port]/path')
		.option('--cert <file>', 'client certificate with its intermediates, PEM')
		.option('--key <file>', 'its private key, PEM')
		.option('--ca <file>', 'trusted CAs, PEM; also default, system, bundled; repeatable', collect)
		.option('--passphrase-file <file>', 'its first line opens the key')
		.option('--allow-expired', 'send the certificate even when it has expired')
		.option(
			'--jar <file>',
			'keep cookies in this file between runs, as curl -b and -c do; JSON if .json',
		)
		.option('-L, --location', 'follow redirects')
		.option('--proxy <url>', 'http, https, socks5 or socks5h://[user:password@]host:port')
		.option('--timeout <seconds>', 'limit of the whole request')
		.addHelpText('before', help.getExamples)
		.addHelpText('after', `${help.environmentHelp}\n${help.exitCodesHelp}`)
		.action((url: string, options: Omit<GetArguments, 'command' | 'url'>) =>
			onParsed({command: 'get', url, ...options}),
		);

	program
		.command('check')
		.summary('make a handshake and report each step')
		.argument('<url>', 'https://host[:port]/path')
		.option('--cert <file>', 'client certificate with its intermediates, PEM')
		.option('--key <file>', 'its private key, PEM')
		.option('--pfx <file>', 'both in one PKCS#12 file')
		.option('--passphrase-file <file>', 'its first line opens the key or the PKCS#12')
		.option('--allow-expired', 'send the certificate even when it has expired')
		.option('--ca <file>', 'trusted CAs, PEM; also default, system, bundled; repeatable', collect)
		.option('--pin <pin>', 'sha256//BASE64 of a key of the chain; repeatable', collect)
		.option('--crl <file>', 'revocation list, PEM or DER; repeatable', collect)
		.option('--spiffe-id <id>', 'spiffe://domain[/path], instead of the host name')
		.option('--proxy <url>', 'http, https, socks5 or socks5h://[user:password@]host:port')
		.option('--timeout <seconds>', 'limit of the whole check', '30')
		.option('--json', 'print one JSON object, for machines')
		.option('--html <file>', 'write the report as a page, with drawings of the chain')
		.addHelpText('before', help.checkExamples)
		.addHelpText('after', `${help.jsonHelp}\n${help.environmentHelp}\n${help.exitCodesHelp}`)
		.action((url: string, options: Omit<CheckArguments, 'command' | 'url'>) =>
			onParsed({command: 'check', url, ...options}),
		);

	program
		.command('inspect')
		.summary('show what is in a certificate, key, PKCS#12 or bundle')
		.argument('<file>', 'PEM, DER or PKCS#12')
		.option('--key <file>', 'does this key fit?')
		.option('--passphrase-file <file>', 'its first line opens the key or the PKCS#12')
		.addHelpText('before', help.inspectExamples)
		.addHelpText('after', `${help.environmentHelp}\n${help.exitCodesHelp}`)
		.action((file: string, options: Omit<InspectArguments, 'command' | 'file'>) =>
			onParsed({command: 'inspect', file, ...options}),
		);

	program
		.command('certs')
		.summary('make a CA, a server and a client certificate')
		.argument('<dir>', 'created if it does not exist')
		.option('--force', 'overwrite')
		.addHelpText('before', help.certsExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action((dir: string, options: {force?: boolean}) =>
			onParsed({command: 'certs', dir, ...options}),
		);

	program
		.command('serve')
		.summary('run a server that requires a client certificate')
		.argument('<dir>', 'where `axios-mtls certs` has put its files')
		.option('--port <number>', '0 for any free one', '8443')
		.addHelpText('before', help.serveExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action((dir: string, options: {port: string}) =>
			onParsed({command: 'serve', dir, ...options}),
		);

	program
		.command('demo')
		.summary('run all of it in this process')
		.addHelpText('before', help.demoExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action(() => onParsed({command: 'demo'}));

	return program;
}

const seeHelp = '`axios-mtls --help` shows examples';

const hints: readonly [RegExp, string][] = [
	[
		/^--?pass/,
		'other users can read a passphrase on the command line: use --passphrase-file, or AXIOS_MTLS_PASSPHRASE',
	],
	[/^(-k|--insecure)$/, 'there is no such switch: name the CA of the server with --ca'],
];

function usageError({code, message}: CommanderError, words: readonly string[]): UsageError {
	// Security: commander quotes the value too, and `--passphrase=...` is a likely mistake.
	const why =
		message
			.replace(/^error: /, '')
			.replace(/=[^']*'/, "'")
			.split(/[\n:]/)[0] ?? '';
	const option = /'(-[^']*)'/.exec(why)?.[1];
	const hint =
		code === 'commander.unknownOption' &&
		hints.find(([pattern]) => pattern.test(option ?? ''))?.[1];
	return new UsageError(words[0] ?? '', why, hint || seeHelp);
}

function commandNames(program: Command): string[] {
	return program.commands.map((command) => command.name());
}

function collect(value: string, earlier: readonly string[] = []): string[] {
	return [...earlier, value];
}
