import {
	type CertificateFacts,
	CookieFileError,
	isMtlsError,
	MtlsConfigError,
	type MtlsFailure,
} from '../../index.ts';
import type {MissingDependencyError} from '../../testing/index.ts';
import {type ExitCode, exitCodeOf, exitCodes, UsageError} from './exit-codes.ts';
import type {ClientFlags} from './flags.ts';
import {commonName, day} from './format-certificate.ts';
import {type Io, printable} from './io.ts';
import {explainNetworkError, type NetworkError} from './network-errors.ts';
import {flagToRepair, type OptionWriter, optionWriter} from './option-words.ts';
import {foldCommand, paragraph} from './wrap.ts';

/** `--timeout` has passed. */
export class CliTimeoutError extends Error {}

/** What was being done when an error came. */
export interface Attempted {
	/** `GET https://...`. */
	readonly what: string;
	/** The flags of the command line: their names stand in the hint. */
	readonly flags?: ClientFlags;
	/** A command that finds out more about a connection to a URL that failed. */
	readonly next?: (url: string) => string;
	/** The URL that was requested. */
	readonly url?: string;
}

interface Description {
	readonly code: ExitCode;
	/** `what failed: why`, then details, a paragraph each. */
	readonly lines: readonly string[];
	readonly next?: string | undefined;
}

/**
 * Prints a failure on stderr: `axios-mtls: what failed: why`, and its details below, in lines that fit a
 * terminal.
 */
export function reportError(error: unknown, attempted: Attempted, io: Io): ExitCode {
	const {code, lines, next} = describe(error, attempted);
	const [first = '', ...details] = lines.map(printable);
	const text = [
		...paragraph(`axios-mtls: ${first}`, {hanging: 4}),
		...details.flatMap((line) => paragraph(line, {indent: 2, hanging: 2})),
		...(next === undefined ? [] : ['  to see each step:', ...foldCommand(printable(next), 4)]),
	];
	io.stderr.write(`${text.join('\n')}\n`);
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
	return [...reasons.map((reason) => `- ${reason}`), `what to do: ${hint}`];
}

function describe(error: unknown, {what, url, flags, next}: Attempted): Description {
	const inFlags = optionWriter(flags);
	if (isMtlsError(error)) {
		const {failure} = error;
		// Nothing was sent to the target of a redirect that was not followed.
		const wasSent = failure.kind !== 'insecure-redirect';
		return {
			code: exitCodeOf(failure),
			lines: [
				`${what}: ${inFlags(error.summary)} [${failure.kind}]`,
				...(wasSent && url !== failure.url ? [`at ${failure.url}`] : []),
				...explain(failure).map(inFlags),
				...facts(failure),
			],
			next: wasSent ? next?.(failure.url) : undefined,
		};
	}
	const configError = configErrorOf(error);
	if (configError !== undefined) {
		const why = inFlags(messageOf(configError));
		return {code: exitCodes.usage, lines: [`${flagToRepair(configError.option, flags)}: ${why}`]};
	}
	if (error instanceof CookieFileError) {
		return {code: exitCodes.usage, lines: [`--jar: ${error.message}`]};
	}
	if (error instanceof UsageError) {
		return {
			code: exitCodes.usage,
			lines: [`${error.what}: ${error.message}`, ...(error.hint === undefined ? [] : [error.hint])],
		};
	}
	if (isMissingDependency(error)) {
		const sentence = error.message.replace(/^axios-mtls\/testing/, what);
		return {code: exitCodes.missingDependency, lines: [sentence]};
	}
	const network = error instanceof CliTimeoutError ? timedOut(error) : explainNetworkError(error);
	if (network !== undefined) {
		const lines = [`${what}: ${network.summary}`, ...explain(network)];
		if (isAxiosError(error, 'ERR_FR_TOO_MANY_REDIRECTS')) return {code: exitCodes.redirect, lines};
		return {code: exitCodes.unreachable, lines, next: url === undefined ? undefined : next?.(url)};
	}
	const message = error instanceof Error ? error.message : String(error);
	return {
		code: exitCodes.internal,
		lines: [
			`${what}: internal error: ${message}`,
			'what to do: report it as a defect of axios-mtls; AXIOS_MTLS_DEBUG=1 shows where',
		],
	};
}

function timedOut({message}: CliTimeoutError): NetworkError {
	return {
		summary: message,
		reasons: ['the server, or a firewall before it, does not answer', 'it needs more time'],
		hint: 'allow more with --timeout, or see how far it comes',
	};
}

function isAxiosError(error: unknown, code: string): boolean {
	return error instanceof Error && 'code' in error && error.code === code;
}

/** The certificate that was refused, by which a person finds it again. */
function facts({side, peer, identity}: MtlsFailure): string[] {
	if (side === 'server' && peer !== undefined) {
		return [`it showed: ${inShort(peer)}`, `its SHA-256: ${peer.fingerprint256}`];
	}
	return side === 'client' && identity !== null ? [`ours: ${inShort(identity)}`] : [];
}

function inShort({subject, issuer, validFrom, validTo}: CertificateFacts): string {
	const by = issuer === subject ? 'itself' : `'${commonName(issuer)}'`;
	return `'${commonName(subject)}' of ${by}, valid ${day(validFrom)} to ${day(validTo)}`;
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
