import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createClient, fileJar, type Logger} from '../index.ts';
import type {GetArguments} from './commands.ts';
import {findRefusal, PageCopy} from './http-refusal.ts';
import {parseTimeout, parseUrl, readClientOptions} from './shared/client-options.ts';
import {type ExitCode, exitCodes} from './shared/exit-codes.ts';
import {type Io, print, printable, withoutSecrets} from './shared/io.ts';
import {type Progress, startProgress} from './shared/progress.ts';
import {CliTimeoutError, reportError} from './shared/report-error.ts';
import {commandLine, withoutFlags, withoutIdentity} from './shared/sample-commands.ts';
import {paragraph} from './shared/wrap.ts';

/**
 * Requests one URL; prints status and reason, then the body, then a line end, as the Python ancestor
 * did (`print response.status, response.reason; print response.read()`). Any status is a success, except
 * that of a page by which a server refuses the client certificate.
 */
export async function get(options: GetArguments, io: Io): Promise<ExitCode> {
	const url = parseUrl(options.url, (options.cert ?? options.pfx) !== undefined);
	const timeout = parseTimeout(options.timeout);
	const clientOptions = readClientOptions(options, io);
	const jar = options.jar === undefined ? undefined : fileJar(options.jar, {logger: false});
	let progress: Progress | undefined;
	const client = createClient({
		...clientOptions,
		jar: jar ?? false,
		logger: cookieLogger(io, () => progress?.stop()),
		responseType: 'stream',
		validateStatus: () => true,
		...(options.location ? {} : {maxRedirects: 0}),
	});
	// After what may throw: its timers keep the process alive.
	progress = startProgress(io, `waiting for ${url.host}`);
	const output = watchOutput(io);
	const attempted = attempt(url, options, io);
	let {what} = attempted;
	const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
	try {
		const response = await client.get<Readable>(url.href, {...(signal && {signal})}).finally(() => {
			progress?.stop();
			// Also after a failure: a redirect may have set the cookie of a login before.
			return jar?.save();
		});
		print(io, printable(`${response.status} ${response.statusText}`));
		what += ', reading the body';
		const page = new PageCopy(response.status);
		await pipeline(response.data, (body: Readable) => page.pass(body), io.stdout, {
			end: false,
			...(signal && {signal}),
		})
			// Also after half a body: an error message must begin a line.
			.finally(() => print(io));
		const refusal = page.mayBeRefusal ? await findRefusal(client, url, signal) : undefined;
		return refusal === undefined ? exitCodes.answered : reportError(refusal, attempted, io);
	} catch (error) {
		// The reader of the pipe, such as `head -1`, has read enough.
		if (output.isClosed) return exitCodes.answered;
		const cause = signal?.aborted
			? new CliTimeoutError(`not done in ${options.timeout} s`, {cause: error})
			: error;
		return reportError(cause, {...attempted, what}, io);
	} finally {
		progress?.stop();
		output.stop();
		// A response that is still open is not read any more.
		await client.mtls.close({deadlineMs: 0});
	}
}

function attempt(url: URL, options: GetArguments, io: Io) {
	const shown = withoutSecrets(url);
	// What `check` reads of the flags of `get`.
	const flags = withoutFlags(options, 'location', 'insecureRedirects', 'jar', 'origin');
	const shownTo = new Set([url.href, ...(options.origin ?? [])].map((it) => URL.parse(it)?.origin));
	const nextCheck = (failed: string) => {
		const target = new URL(failed);
		// Security: a server may have redirected to the other origin to be shown the certificate.
		const given = shownTo.has(target.origin) ? flags : withoutIdentity(flags);
		return commandLine(io, ['check', withoutSecrets(target)], given);
	};
	return {
		what: `GET ${shown}`,
		url: shown,
		flags: options,
		...(url.protocol === 'https:' && {
			next: nextCheck,
		}),
	};
}

/** Prints which cookies were not kept. Failures are printed with the names of the flags instead. */
function cookieLogger(io: Io, stopProgress: () => void): Logger {
	return {
		error() {},
		warn(fields, message) {
			if (!('event' in fields) || !/^cookie_/.test(String(fields.event))) return;
			stopProgress();
			const lines = paragraph(`axios-mtls: ${printable(message)}`, {hanging: 4});
			io.stderr.write(`${lines.join('\n')}\n`);
		},
	};
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
