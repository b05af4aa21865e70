import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createClient, fileJar} from '../index.ts';
import type {GetArguments} from './commands.ts';
import {identityOf, parseDeadline, parseProxy, parseUrl} from './shared/client-options.ts';
import {type ExitCode, exitCodes} from './shared/exit-codes.ts';
import {type Io, print, printable} from './shared/io.ts';
import {CliTimeoutError, reportError} from './shared/report-error.ts';

/**
 * Asks one URL; prints status and reason, then the body, then a line end, as the Python ancestor did
 * (`print response.status, response.reason; print response.read()`). Any status is an answer.
 */
export async function get(options: GetArguments, io: Io): Promise<ExitCode> {
	const url = parseUrl(options.url, options.cert !== undefined);
	const deadline = parseDeadline(options.timeout);
	const jar = options.jar === undefined ? undefined : fileJar(options.jar, {logger: false});
	const client = createClient({
		mtls: identityOf(options, io),
		jar: jar ?? false,
		// Told here, once, in the words of the shell.
		logger: false,
		responseType: 'stream',
		validateStatus: () => true,
		...(options.location ? {} : {maxRedirects: 0}),
		...(options.proxy !== undefined && {proxy: parseProxy(options.proxy)}),
	});
	const reader = watchReader(io);
	let what = `GET ${withoutSecrets(url)}`;
	const signal = deadline === undefined ? undefined : AbortSignal.timeout(deadline);
	try {
		const response = await client
			.get<Readable>(url.href, {...(signal && {signal})})
			// Also after a failure: the first hop of a redirect may have logged in.
			.finally(() => jar?.save());
		print(io, printable(`${response.status} ${response.statusText}`));
		what += ', reading the body';
		await pipeline(response.data, io.stdout, {end: false, ...(signal && {signal})})
			// Also after half a body, or what is told next would stand on its last line.
			.finally(() => print(io));
		return exitCodes.answered;
	} catch (error) {
		// `| head -1` has what it wanted.
		if (reader.gone) return exitCodes.answered;
		const why = signal?.aborted
			? new CliTimeoutError(`not done in ${options.timeout} s`, {cause: error})
			: error;
		return reportError(why, what, io);
	} finally {
		reader.stop();
		// What nobody has read by now nobody will.
		await client.mtls.close({deadlineMs: 0});
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

// The query may hold a token, and user and password stand before the host.
function withoutSecrets(url: URL): string {
	return `${url.origin}${url.pathname}`;
}
