import {CookieFileError, isMtlsError, MtlsConfigError, type MtlsFailure} from '../../index.ts';
import type {MissingDependencyError} from '../../testing/index.ts';
import {type ExitCode, exitCodeOf, exitCodes, UsageError} from './exit-codes.ts';
import {type Io, printable} from './io.ts';
import {explainNetworkError} from './network-errors.ts';
import {flagToRepair, type OptionWriter, optionWriter} from './option-words.ts';

/** `--timeout` has passed. */
export class CliTimeoutError extends Error {}

interface Description {
	readonly code: ExitCode;
	/** `what failed: why`, then details, a line each. */
	readonly lines: readonly string[];
}

/**
 * Prints a failure on stderr: `axios-mtls: what failed: why`, and its details below.
 *
 * @param what - What was being done: `GET https://...`.
 */
export function reportError(error: unknown, what: string, io: Io): ExitCode {
	const {code, lines} = describe(error, what);
	io.stderr.write(`axios-mtls: ${lines.map(printable).join('\n  ')}\n`);
	printStacks(error, io);
	return code;
}

/** Prints the stack traces of an error and its causes on stderr, with `AXIOS_MTLS_DEBUG=1` only. */
export function printStacks(error: unknown, io: Io): void {
	if (io.env.AXIOS_MTLS_DEBUG !== '1') return;
	// Security: prints the stacks only. The errors carry the request, with its cookies and its proxy's password.
	for (let cause = error; cause instanceof Error; cause = cause.cause) {
		const lines = (cause.stack ?? cause.message).split('\n').map(printable);
		io.stderr.write(`${lines.join('\n')}\n`);
	}
}

/** The reasons of a failure, most likely first, and what to do about it. */
export function explain({reasons, hint}: Pick<MtlsFailure, 'reasons' | 'hint'>): string[] {
	return [...reasons.map((reason) => `- ${reason}`), `hint: ${hint}`];
}

function describe(error: unknown, what: string): Description {
	if (isMtlsError(error)) {
		const {failure} = error;
		const hop = what === `GET ${failure.url}` ? [] : [`at ${failure.url}`];
		const details = [...hop, ...explain(failure).map(inFlags)];
		return {
			code: exitCodeOf(failure),
			lines: [`${what}: ${error.summary} [${failure.kind}]`, ...details],
		};
	}
	const configError = configErrorOf(error);
	if (configError !== undefined) {
		const {option} = configError;
		const why = inFlags(messageOf(configError));
		return {code: exitCodes.usage, lines: [`${flagToRepair(option)}: ${why}`]};
	}
	if (error instanceof CookieFileError) {
		return {code: exitCodes.usage, lines: [`--jar: ${error.message}`]};
	}
	if (error instanceof UsageError) {
		const hint = error.hint === undefined ? [] : [`hint: ${error.hint}`];
		return {code: exitCodes.usage, lines: [`${error.what}: ${error.message}`, ...hint]};
	}
	if (isMissingDependency(error)) {
		const sentence = error.message.replace(/^axios-mtls\/testing/, what);
		return {code: exitCodes.missingDependency, lines: [sentence]};
	}
	const why =
		error instanceof CliTimeoutError ? error.message : explainNetworkError(error)?.summary;
	if (why !== undefined) return {code: exitCodes.unreachable, lines: [`${what}: ${why}`]};
	const message = error instanceof Error ? error.message : String(error);
	return {
		code: exitCodes.internal,
		lines: [
			`${what}: internal error: ${message}`,
			'hint: this is a defect of axios-mtls; AXIOS_MTLS_DEBUG=1 shows where',
		],
	};
}

function isMissingDependency(error: unknown): error is MissingDependencyError {
	return error instanceof Error && 'code' in error && error.code === 'ERR_MTLS_MISSING_DEPENDENCY';
}

/** An error in the environment, such as one in HTTPS_PROXY, is found only by the first request. */
function configErrorOf(error: unknown): MtlsConfigError | undefined {
	const found = error instanceof Error && 'isAxiosError' in error ? error.cause : error;
	return found instanceof MtlsConfigError ? found : undefined;
}

/** The message without its option. */
export function messageOf({option, message}: MtlsConfigError): string {
	return message.startsWith(`${option}: `) ? message.slice(option.length + 2) : message;
}

/** A sentence of the library with flags, where it is not known which were given. */
export const inFlags: OptionWriter = optionWriter();
