import {CookieFileError, isMtlsError, MtlsConfigError, type MtlsFailure} from '../../index.ts';
import {type ExitCode, exitCodeOf, exitCodes, UsageError} from './exit-codes.ts';
import {type Io, printable} from './io.ts';

/** What was asked for took longer than the user wants to wait. */
export class CliTimeoutError extends Error {}

/** A failure as the shell is told it. */
interface Told {
	readonly code: ExitCode;
	/** `what failed: why`, then details, a line each. */
	readonly lines: readonly string[];
}

/**
 * Tells a failure on stderr, `axios-mtls: what failed: why`, with what is known of it below.
 *
 * @param what - What was being done: `GET https://...`.
 */
export function reportError(error: unknown, what: string, io: Io): ExitCode {
	const {code, lines} = describe(error, what);
	io.stderr.write(`axios-mtls: ${lines.map(printable).join('\n  ')}\n`);
	printStacks(error, io);
	return code;
}

/** Where a failure came from, on stderr, for those who asked to see it. */
export function printStacks(error: unknown, io: Io): void {
	if (io.env.AXIOS_MTLS_DEBUG !== '1') return;
	for (const stack of stacks(error)) {
		const lines = stack.split('\n').map(printable);
		io.stderr.write(`${lines.join('\n')}\n`);
	}
}

/** The reasons of a failure, most likely first, and what to do about it. */
export function explain({reasons, hint}: Pick<MtlsFailure, 'reasons' | 'hint'>): string[] {
	return [...reasons.map((reason) => `- ${reason}`), `hint: ${hint}`];
}

function describe(error: unknown, what: string): Told {
	if (isMtlsError(error)) {
		const {failure} = error;
		const hop = what === `GET ${failure.url}` ? [] : [`at ${failure.url}`];
		return {
			code: exitCodeOf(failure),
			lines: [
				`${what}: ${error.message} [${failure.kind}]`,
				...hop,
				...explain(failure).map(inFlags),
			],
		};
	}
	const mistake = mistakeOf(error);
	if (mistake !== undefined) {
		const {option, why} = inWordsOfTheShell(mistake);
		return {code: exitCodes.usage, lines: [`${option}: ${why}`]};
	}
	if (error instanceof CookieFileError) {
		return {code: exitCodes.usage, lines: [`--jar: ${error.message}`]};
	}
	if (error instanceof UsageError) {
		const hint = error.hint === undefined ? [] : [`hint: ${error.hint}`];
		return {code: exitCodes.usage, lines: [`${error.what}: ${error.message}`, ...hint]};
	}
	const why = error instanceof CliTimeoutError ? error.message : networkReason(error);
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

/** The mistake in an option, or in a variable of the environment, which is found at the first request. */
function mistakeOf(error: unknown): MtlsConfigError | undefined {
	const found = error instanceof Error && 'isAxiosError' in error ? error.cause : error;
	return found instanceof MtlsConfigError ? found : undefined;
}

const flags: Readonly<Record<string, string>> = {
	'mtls.cert': '--cert',
	'mtls.key': '--key',
	'mtls.passphrase': '--passphrase-file or AXIOS_MTLS_PASSPHRASE',
	'mtls.ca': '--ca',
	'mtls.pfx': '--pfx',
	'mtls.crl': '--crl',
	'mtls.pins': '--pin',
	'mtls.spiffeId': '--spiffe-id',
	'allowExpired: true': '--allow-expired',
	jar: '--jar',
	proxy: '--proxy',
	'proxy.host': '--proxy',
	'proxy.protocol': '--proxy',
};

function inWordsOfTheShell({option, message}: MtlsConfigError): {option: string; why: string} {
	const why = message.startsWith(`${option}: `) ? message.slice(option.length + 2) : message;
	return {option: flags[option] ?? option, why: inFlags(why)};
}

/** A text of the library, which names its options in backquotes, with the flags of the shell. */
export function inFlags(text: string): string {
	return text.replace(/`([^`]+)`/g, (quoted, option: string) => flags[option] ?? quoted);
}

const networkReasons: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'nobody listens there',
	ENOTFOUND: 'no such host',
	EAI_AGAIN: 'the name cannot be looked up now',
	EHOSTUNREACH: 'no way to that host',
	ENETUNREACH: 'no way to that network',
	ETIMEDOUT: 'no answer in time',
	ECONNABORTED: 'no answer in time',
	ECONNRESET: 'the connection was cut',
	EPIPE: 'the connection was cut',
	ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut before the body was complete',
	ERR_FR_TOO_MANY_REDIRECTS: 'too many redirects',
};

/** Why there is no answer, where the network or the other end is the reason. */
export function networkReason(error: unknown): string | undefined {
	if (!(error instanceof Error)) return undefined;
	const {code, message} = error as NodeJS.ErrnoException;
	if (typeof code !== 'string') return undefined;
	const known = networkReasons[code];
	if (known !== undefined) return `${known} (${code})`;
	return 'isAxiosError' in error || 'syscall' in error ? `${message || code} (${code})` : undefined;
}

// The stacks alone: the errors themselves carry the request, with its cookies and its proxy's password.
function* stacks(error: unknown): Generator<string> {
	for (let cause = error; cause instanceof Error; cause = cause.cause) {
		yield cause.stack ?? cause.message;
	}
}
