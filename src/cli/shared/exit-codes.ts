import type {MtlsFailure} from '../../index.ts';

/** What the process says to the shell. Documented in the help and the README; never renumbered. */
export const exitCodes = {
	/** Answered, whatever the HTTP status. */
	answered: 0,
	/** The server could not be verified: nothing of the request was sent. */
	unverified: 1,
	/** The server refused us: no certificate, or one that it does not accept. */
	refused: 2,
	/** No connection: refused, unknown host, timeout, proxy, not TLS, reset. */
	unreachable: 3,
	/** The arguments, or the files that they name, cannot be used (EX_USAGE of sysexits.h). */
	usage: 64,
	/** A defect of this program (EX_SOFTWARE), a demo that went otherwise, or a full disk under stdout. */
	internal: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of a connection that failed: who refused whom. */
export function exitCodeOf({side}: Pick<MtlsFailure, 'side'>): ExitCode {
	if (side === 'server') return exitCodes.unverified;
	if (side === 'client') return exitCodes.refused;
	return exitCodes.unreachable;
}

/** A mistake of the caller's: arguments, or files that they name. Told as `what: why`, exit code 64. */
export class UsageError extends Error {
	/** What was asked for: `--jar`, `certs pki`. */
	readonly what: string;
	readonly hint: string | undefined;

	constructor(what: string, why: string, hint?: string, cause?: unknown) {
		super(why, cause === undefined ? undefined : {cause});
		this.name = 'UsageError';
		this.what = what;
		this.hint = hint;
	}
}
