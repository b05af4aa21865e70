import {readFileSync} from 'node:fs';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {type ClientConfig, createClient, type MtlsOptions} from '../index.ts';
import type {GetArguments} from './args.ts';
import {type ExitCode, exitCodes} from './exit.ts';
import {DeadlineError, tellFailure} from './failure.ts';
import {fileErrorCode} from './files.ts';
import {type Io, printable, say} from './io.ts';
import {openJarFile} from './jar-file.ts';
import {UsageError} from './usage-error.ts';

/**
 * Asks one URL; prints status and reason, then the body, then a line end, as the Python ancestor did
 * (`print response.status, response.reason; print response.read()`). Any status is an answer.
 */
export async function get(options: GetArguments, io: Io): Promise<ExitCode> {
	const url = parseUrl(options.url, options.cert !== undefined);
	const deadline = parseDeadline(options.timeout);
	const file = options.jar === undefined ? undefined : openJarFile(options.jar);
	const client = createClient({
		mtls: identityOf(options, io),
		jar: file?.jar ?? false,
		// Told here, once, in the words of the shell.
		logger: false,
		responseType: 'stream',
		validateStatus: () => true,
		...(options.location ? {} : {maxRedirects: 0}),
		...(options.proxy !== undefined && {proxy: parseProxy(options.proxy)}),
	});
	const reader = watchReader(io);
	const signal = deadline === undefined ? undefined : AbortSignal.timeout(deadline);
	try {
		const response = await client
			.get<Readable>(url.href, {...(signal && {signal})})
			// Also after a failure: the first hop of a redirect may have logged in.
			.finally(() => file?.save());
		say(io, printable(`${response.status} ${response.statusText}`));
		await pipeline(response.data, io.stdout, {end: false, ...(signal && {signal})});
		say(io);
		return exitCodes.answered;
	} catch (error) {
		// `| head -1` has what it wanted.
		if (reader.gone) return exitCodes.answered;
		const why = signal?.aborted
			? new DeadlineError(`not done in ${options.timeout} s`, {cause: error})
			: error;
		return tellFailure(why, `GET ${withoutSecrets(url)}`, io);
	} finally {
		reader.stop();
		await client.mtls.close();
	}
}

interface Reader {
	readonly gone: boolean;
	stop(): void;
}

// process.stdout forgets its error, and a pipeline does not tell an EPIPE of stdout from one of the network.
function watchReader({stdout}: Io): Reader {
	let gone = false;
	const onError = ({code}: NodeJS.ErrnoException) => {
		gone ||= code === 'EPIPE';
	};
	stdout.on('error', onError);
	return {
		get gone() {
			return gone;
		},
		stop() {
			stdout.off('error', onError);
		},
	};
}

function parseUrl(text: string, withIdentity: boolean): URL {
	const url = URL.parse(text);
	if (url === null || !/^https?:$/.test(url.protocol)) {
		throw new UsageError('get', 'the URL must begin with https://');
	}
	if (withIdentity && url.protocol === 'http:') {
		throw new UsageError('get', 'a certificate cannot be shown over http://', 'use https://');
	}
	return url;
}

function withoutSecrets(url: URL): string {
	return `${url.origin}${url.pathname}`;
}

function parseDeadline(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const milliseconds = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0;
	// A timer above 2^31 - 1 ms fires at once.
	if (milliseconds < 1 || milliseconds > 2 ** 31 - 1) {
		throw new UsageError('--timeout', `'${text}' is not a number of seconds above 0`);
	}
	return milliseconds;
}

function identityOf(options: GetArguments, io: Io): MtlsOptions {
	const {cert, key, ca, allowExpired} = options;
	const passphrase =
		options.passphraseFile === undefined
			? io.env.AXIOS_MTLS_PASSPHRASE
			: readPassphrase(options.passphraseFile);
	return {
		...(cert !== undefined && {cert}),
		...(key !== undefined && {key}),
		...(ca !== undefined && {ca}),
		...(passphrase !== undefined && {passphrase}),
		...(allowExpired && {allowExpired}),
	};
}

// The first line without its end: an editor adds one, and a passphrase has none.
function readPassphrase(path: string): string {
	try {
		return readFileSync(path, 'utf8').split(/\r?\n/)[0] ?? '';
	} catch (error) {
		throw new UsageError('--passphrase-file', `cannot read '${path}': ${fileErrorCode(error)}`);
	}
}

// Security: the text may hold a password, so no message repeats it.
function parseProxy(text: string): NonNullable<ClientConfig['proxy']> {
	const url = URL.parse(text.includes('://') ? text : `http://${text}`);
	if (url === null || url.hostname === '') {
		throw new UsageError('--proxy', 'not a URL', 'expected http://[user:password@]host:port');
	}
	const {protocol, hostname, port, username, password} = url;
	return {
		protocol,
		host: hostname,
		port: Number(port) || (protocol === 'https:' ? 443 : 80),
		...((username || password) && {auth: {username: decode(username), password: decode(password)}}),
	};
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// A stray % is what it says.
		return text;
	}
}
