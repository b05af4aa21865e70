import {accessSync, constants} from 'node:fs';
import {dirname} from 'node:path';
import type {CheckArguments} from '../commands.ts';
import {parseTimeout, readClientOptions} from '../shared/client-options.ts';
import {type ExitCode, UsageError} from '../shared/exit-codes.ts';
import {fileErrorCode, replaceFile} from '../shared/files.ts';
import {type Io, print, printable, printJson} from '../shared/io.ts';
import {CliTimeoutError, printStacks} from '../shared/report-error.ts';
import {buildReport} from './build-report.ts';
import {classifyError} from './failure.ts';
import {renderPage} from './html/page.ts';
import {nextCommands} from './next-steps.ts';
import type {CheckReport} from './report.ts';
import {
	type Attempt,
	collectVerificationErrors,
	hostPortOf,
	type Observations,
	observeTls,
	proxyFor,
	type RequestOptions,
	type RequestResult,
	sendRequest,
	withoutCertificate,
} from './requests.ts';
import {probe} from './tcp-probe.ts';
import {renderText} from './text.ts';

/** Of the whole check, in seconds. */
const defaultTimeout = '30';

/**
 * Connects to a server and reports each step: as text, with `--json` as an object for machines, with
 * `--html` also as a page.
 *
 * @returns the exit code of `get`: 0 when the server answered, whatever the HTTP status.
 */
export async function check(options: CheckArguments, io: Io): Promise<ExitCode> {
	const url = parseHttps(options.url);
	const {timeout: seconds = defaultTimeout} = options;
	const timeout = parseTimeout(seconds) ?? 0;
	const {mtls, proxy, httpVersion} = readClientOptions(options, io);
	if (options.html !== undefined) assertWritable(options.html);

	const signal = AbortSignal.timeout(timeout);
	const seen = await observe(url, seconds, {mtls, proxy, httpVersion, signal});
	const facts = buildReport(seen);
	const report = {...facts, next: nextCommands(facts, options, seen.server, seen.proxy?.scheme)};

	if (options.json) printJson(io, report);
	else for (const line of renderText(report, io.colors)) print(io, line);
	if (options.html !== undefined) {
		writePage(options.html, report);
		if (!options.json) print(io, `\nThe page is in ${printable(options.html)}`);
	}
	const {error} = seen.attempt.result;
	if (error !== undefined) printStacks(error, io);
	return report.exitCode;
}

async function observe(
	url: URL,
	seconds: string,
	requestOptions: RequestOptions,
): Promise<Observations> {
	const {signal, mtls} = requestOptions;
	const server = hostPortOf(url);
	const proxy = proxyFor(url, requestOptions.proxy);
	const tcp = await probe(proxy ?? server, signal);
	const send = async (request: RequestOptions): Promise<Attempt> => {
		const result = await sendRequest(url, request);
		const cause = result.error;
		if (cause === undefined) return {result, error: undefined};
		const error = signal.aborted ? new CliTimeoutError(`not done in ${seconds} s`, {cause}) : cause;
		return {result, error: classifyError(error)};
	};
	const attempt = await send(requestOptions);
	const attemptWithout = showsDifference(attempt.result)
		? await send({...requestOptions, mtls: withoutCertificate(mtls)})
		: undefined;
	// Node verifies the chain before the name, so a strict handshake that fails at the chain leaves
	// the name open.
	const isUnverified =
		attempt.error?.failure.side === 'server' && observeTls(attempt.result).chain.length > 0;
	return {
		url,
		now: new Date(),
		server,
		proxy,
		tcp,
		attempt,
		attemptWithout,
		verificationErrors: isUnverified
			? await collectVerificationErrors(url, requestOptions)
			: undefined,
		pins: [mtls.pins ?? []].flat(),
		spiffeId: mtls.spiffeId,
		hasCrl: mtls.crl !== undefined,
	};
}

/** Whether one more request, without the client certificate, can show that the server checks it. */
function showsDifference({clientCertificate, response, facts}: RequestResult): boolean {
	const requested = response !== undefined && facts?.clientCertificateRequested === true;
	return clientCertificate !== null && requested;
}

function parseHttps(text: string): URL {
	const url = URL.parse(text);
	if (url?.protocol === 'https:') return url;
	throw new UsageError('check', 'the URL must begin with https://');
}

// Before the requests, which may take as long as `--timeout`.
function assertWritable(path: string): void {
	try {
		accessSync(dirname(path), constants.W_OK);
	} catch (error) {
		throw unwritable(path, error);
	}
}

function writePage(path: string, report: CheckReport): void {
	try {
		replaceFile(path, renderPage(report), 0o644);
	} catch (error) {
		throw unwritable(path, error);
	}
}

function unwritable(path: string, error: unknown): UsageError {
	return new UsageError('--html', `cannot write '${path}': ${fileErrorCode(error)}`);
}
