import {accessSync, constants, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {probeHandshake} from '../../connection/handshake-probe.ts';
import {resolveProxy} from '../../connection/proxy/resolve-proxy.ts';
import type {CheckArguments} from '../commands.ts';
import {parseTimeout, readClientOptions} from '../shared/client-options.ts';
import {type ExitCode, UsageError} from '../shared/exit-codes.ts';
import {fileErrorCode, replaceFile} from '../shared/files.ts';
import type {ClientFlags} from '../shared/flags.ts';
import {type Io, print, printable, printJson} from '../shared/io.ts';
import {optionWriter} from '../shared/option-words.ts';
import {type Progress, startProgress} from '../shared/progress.ts';
import {CliTimeoutError, printStacks} from '../shared/report-error.ts';
import {buildReport} from './build-report.ts';
import {isRefusal} from './client-certificate.ts';
import {commandUrl} from './command-url.ts';
import {classifyError} from './failure.ts';
import {renderPage} from './html/page.ts';
import {nextCommands} from './next-steps.ts';
import {readOwnCertificate} from './own-certificate.ts';
import type {CheckReport} from './report.ts';
import {
	type Attempt,
	collectVerificationErrors,
	hostPortOf,
	type Observations,
	observeTls,
	proxyFor,
	type RequestOptions,
	reached,
	sendRequest,
	withoutCertificate,
} from './requests.ts';
import {nameProtocol} from './spoken-protocol.ts';
import {probe} from './tcp-probe.ts';
import {renderText} from './text.ts';

/** Of the whole check, in seconds. */
const defaultTimeout = '30';

/**
 * Connects to a server and reports each step: as text, with `--json` as an object for machines, with
 * `--html` also as a page.
 *
 * @returns 0 when the server answered and did not refuse us; 2 also for a response of 401 or 403.
 */
export async function check(options: CheckArguments, io: Io): Promise<ExitCode> {
	const url = parseHttps(options.url);
	const {timeout = defaultTimeout} = options;
	const limitMs = parseTimeout(timeout) ?? 0;
	const {mtls, proxy, httpVersion} = readClientOptions(options, io);
	if (options.html !== undefined) assertWritable(options.html);

	const signal = AbortSignal.timeout(limitMs);
	const requestOptions = {mtls, proxy, httpVersion, signal};
	const progress = startProgress(io, `connecting to ${url.host}`);
	const seen = await observe(url, {...options, timeout}, requestOptions, progress).finally(() =>
		progress.stop(),
	);
	const facts = buildReport(seen);
	const report = {
		...facts,
		next: nextCommands({
			report: facts,
			url: commandUrl(url),
			flags: options,
			server: seen.server,
			proxy: seen.proxy,
			spoken: seen.probe && nameProtocol(seen.probe.greeting),
			program: io.program,
		}),
	};

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
	flags: ClientFlags & {readonly timeout: string},
	requestOptions: RequestOptions,
	progress: Progress,
): Promise<Observations> {
	const {signal, mtls} = requestOptions;
	const inFlags = optionWriter(flags);
	const now = new Date();
	const own = readOwnCertificate(mtls, now);
	const server = hostPortOf(url);
	const proxy = proxyFor(url, requestOptions.proxy);
	const tcp = await probe(proxy ?? server, signal);
	progress.update(`waiting for ${url.host}`);
	const send = async (request: RequestOptions): Promise<Attempt> => {
		const result = await sendRequest(url, request);
		const cause = result.error;
		if (cause === undefined) return {result, error: undefined};
		const {timeout} = flags;
		const error = signal.aborted ? new CliTimeoutError(`not done in ${timeout} s`, {cause}) : cause;
		const stage = reached({tcp, proxy, attempt: {result}});
		return {result, error: classifyError(error, {stage, server, timeout}, inFlags)};
	};
	const attempt = await send(requestOptions);
	const attemptWithout = showsDifference(attempt)
		? await send({...requestOptions, mtls: withoutCertificate(mtls)})
		: undefined;
	// Node verifies the chain before the name, so a strict handshake that fails at the chain leaves
	// the name open.
	const isUnverified =
		attempt.error?.failure.side === 'server' && observeTls(attempt.result).chain.length > 0;
	return {
		url,
		now,
		server,
		proxy,
		tcp,
		attempt,
		attemptWithout,
		own,
		probe: leavesQuestions(attempt, attemptWithout)
			? await probeHandshake({
					...server,
					proxy: resolveProxy(requestOptions.proxy, url),
					mtls: withoutCertificate(mtls),
					signal,
				})
			: undefined,
		verificationErrors: isUnverified
			? await collectVerificationErrors(url, requestOptions)
			: undefined,
		pins: [mtls.pins ?? []].flat(),
		spiffeId: mtls.spiffeId,
		hasCrl: mtls.crl !== undefined,
	};
}

/**
 * Whether what the server sends in clear can add something: it asks for a certificate, and it was not
 * seen to accept ours; or it does not speak TLS.
 */
function leavesQuestions({result, error}: Attempt, attemptWithout: Attempt | undefined): boolean {
	const {side, kind} = error?.failure ?? {};
	if (kind === 'not-tls' || side === 'client') return true;
	if (error !== undefined || !observeTls(result).clientCertificateRequested) return false;
	const isAccepted = attemptWithout?.error?.failure.side === 'client';
	return !isAccepted || isRefusal(result.response?.status);
}

/** Whether one more request, without the client certificate, can show that the server checks it. */
function showsDifference({result, error}: Attempt): boolean {
	const {clientCertificate, response, facts} = result;
	const requested = response !== undefined && facts?.clientCertificateRequested === true;
	return error === undefined && clientCertificate !== null && requested;
}

function parseHttps(text: string): URL {
	const url = URL.parse(text);
	if (url?.protocol === 'https:') return url;
	throw new UsageError('check', 'the URL must begin with https://');
}

// Before the requests, which may take as long as `--timeout`.
function assertWritable(path: string): void {
	let isFolder: boolean;
	try {
		accessSync(dirname(path), constants.W_OK);
		isFolder = statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
	} catch (error) {
		throw unwritable(path, error);
	}
	if (isFolder) throw new UsageError('--html', `'${path}' is a folder`, 'give a file in it');
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
