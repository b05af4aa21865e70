import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createClient, fileJar} from '../index.ts';
import type {GetArguments} from './commands.ts';
import {parseTimeout, parseUrl, readClientOptions} from './shared/client-options.ts';
import {type ExitCode, exitCodes} from './shared/exit-codes.ts';
import {type Io, print, printable, withoutSecrets} from './shared/io.ts';
import {CliTimeoutError, reportError} from './shared/report-error.ts';

/**
 * Requests one URL; prints status and reason, then the body, then a line end, as the Python ancestor
 * did (`print response.status, response.reason; print response.read()`). Any status is a success.
 */
export async function get(options: GetArguments, io: Io): Promise<ExitCode> {
	const url = parseUrl(options.url, (options.cert ?? options.pfx) !== undefined);
	const timeout = parseTimeout(options.timeout);
	const jar = options.jar === undefined ? undefined : fileJar(options.jar, {logger: false});
	const client = createClient({
		...readClientOptions(options, io),
		jar: jar ?? false,
		// The error is printed here, with the names of the flags.
		logger: false,
		responseType: 'stream',
		validateStatus: () => true,
		...(options.location ? {} : {maxRedirects: 0}),
	});
	const output = watchOutput(io);
	let what = `GET ${withoutSecrets(url)}`;
	const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
	try {
		const response = await client
			.get<Readable>(url.href, {...(signal && {signal})})
			// Also after a failure: a redirect may have set the cookie of a login before.
			.finally(() => jar?.save());
		print(io, printable(`${response.status} ${response.statusText}`));
		what += ', reading the body';
		await pipeline(response.data, io.stdout, {end: false, ...(signal && {signal})})
			// Also after half a body: an error message must begin a line.
			.finally(() => print(io));
		return exitCodes.answered;
	} catch (error) {
		// The reader of the pipe, such as `head -1`, has read enough.
		if (output.isClosed) return exitCodes.answered;
		const cause = signal?.aborted
			? new CliTimeoutError(`not done in ${options.timeout} s`, {cause: error})
			: error;
		return reportError(cause, what, io);
	} finally {
		output.stop();
		// A response that is still open is not read any more.
		await client.mtls.close({deadlineMs: 0});
	}
}

interface OutputWatch {
	/** The reader of stdout has closed it. */
	readonly isClosed: boolean;
	stop(): void;
}

// process.stdout does not keep its error, and an EPIPE of pipeline() may come from stdout or from the
// network.
function watchOutput({stdout}: Io): OutputWatch {
	let isClosed = false;
	const onError = ({code}: NodeJS.ErrnoException) => {
		isClosed ||= code === 'EPIPE';
	};
	stdout.on('error', onError);
	return {
		get isClosed() {
			return isClosed;
		},
		stop() {
			stdout.off('error', onError);
		},
	};
}
