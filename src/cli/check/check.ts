import {accessSync, constants} from 'node:fs';
import {dirname} from 'node:path';
import type {CheckArguments} from '../commands.ts';
import {identityOf, parseDeadline, parseProxy} from '../shared/client-options.ts';
import type {ExitCode} from '../shared/exit-codes.ts';
import {UsageError} from '../shared/exit-codes.ts';
import {fileErrorCode, replaceFile} from '../shared/files.ts';
import {type Io, print, printable, printJson} from '../shared/io.ts';
import {CliTimeoutError, printStacks} from '../shared/report-error.ts';
import {buildReport} from './build-report.ts';
import {type ClassifiedError, classifyError} from './failure.ts';
import {renderPage} from './html/page.ts';
import {nextCommands} from './next-steps.ts';
import {type Observations, observeTls} from './observations.ts';
import type {CheckReport} from './report.ts';
import {
	type Answer,
	type Asking,
	ask,
	collectVerificationErrors,
	placeOf,
	proxyFor,
	withoutCertificate,
} from './requests.ts';
import {probe} from './tcp-probe.ts';
import {renderText} from './text.ts';

/**
 * Goes to a server step by step and says what there is to see: as text, with `--json` as an object
 * for machines, with `--html` also as a page.
 *
 * @returns the exit code of `get`: 0 when the server answered, whatever the HTTP status.
 */
export async function check(options: CheckArguments, io: Io): Promise<ExitCode> {
	const url = parseHttps(options.url);
	const timeout = parseDeadline(options.timeout) ?? 0;
	const mtls = identityOf(options, io);
	const proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
	if (options.html !== undefined) assertWritable(options.html);

	const signal = AbortSignal.timeout(timeout);
	const seen = await look(url, options, {mtls, proxy, signal});
	const judged = buildReport(seen);
	const report = {...judged, next: nextCommands(judged, options, seen.place)};

	if (options.json) printJson(io, report);
	else for (const line of renderText(report, io.colors)) print(io, line);
	if (options.html !== undefined) {
		writePage(options.html, report);
		if (!options.json) print(io, `\nThe page is in ${printable(options.html)}`);
	}
	if (seen.answer.error !== undefined) printStacks(seen.answer.error, io);
	return report.exitCode;
}

async function look(url: URL, options: CheckArguments, asking: Asking): Promise<Observations> {
	const {signal, mtls, proxy} = asking;
	const place = placeOf(url);
	const onTheWay = proxyFor(url, proxy);
	const way = await probe(onTheWay ?? place, signal);
	const judgeAnswer = ({error}: Answer): ClassifiedError | undefined => {
		if (error === undefined) return undefined;
		return classifyError(
			signal.aborted
				? new CliTimeoutError(`not done in ${options.timeout} s`, {cause: error})
				: error,
		);
	};
	const answer = await ask(url, asking);
	const judged = judgeAnswer(answer);
	const without = await askWithout(url, asking, answer);
	// Before the verdict on its name, a strict handshake ends at the verdict on its chain.
	const doubted = judged?.failure.side === 'server' && observeTls(answer).chain.length > 0;
	return {
		url,
		now: new Date(),
		place,
		proxy: onTheWay,
		way,
		answer,
		judged,
		without: without && {answer: without, judged: judgeAnswer(without)},
		complaints: doubted ? await collectVerificationErrors(url, asking) : undefined,
		pins: [mtls.pins ?? []].flat(),
		spiffeId: mtls.spiffeId,
		withCrl: mtls.crl !== undefined,
	};
}

/** The twin: whether our certificate makes a difference shows only where it is missing. */
async function askWithout(url: URL, asking: Asking, first: Answer): Promise<Answer | undefined> {
	const asked = first.http !== undefined && first.facts?.clientCertificateRequested === true;
	if (first.ours === null || !asked) return undefined;
	return ask(url, {...asking, mtls: withoutCertificate(asking.mtls)});
}

function parseHttps(text: string): URL {
	const url = URL.parse(text);
	if (url?.protocol === 'https:') return url;
	throw new UsageError('check', 'the URL must begin with https://');
}

// Now is better than after all the waiting.
function assertWritable(path: string): void {
	try {
		accessSync(dirname(path), constants.W_OK);
	} catch (error) {
		throw new UsageError('--html', `cannot write '${path}': ${fileErrorCode(error)}`);
	}
}

function writePage(path: string, report: CheckReport): void {
	try {
		replaceFile(path, renderPage(report), 0o644);
	} catch (error) {
		throw new UsageError('--html', `cannot write '${path}': ${fileErrorCode(error)}`);
	}
}
