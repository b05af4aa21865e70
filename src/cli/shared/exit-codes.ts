import type {MtlsFailure} from '../../index.ts';

/** Exit codes of the process. They stand in the help and in docs/cli.md, and are never renumbered. */
export const exitCodes = {
	/** The server answered, whatever the HTTP status; for `check`, not by a refusal. */
	answered: 0,
	/** The server could not be verified: nothing of the request was sent. */
	unverified: 1,
	/** The server refused the client: no certificate, or one that it does not accept. For `check`, 401 and 403 too. */
	refused: 2,
	/** No connection: refused, unknown host, timeout, proxy, not TLS, reset. */
	unreachable: 3,
	/** A redirect was not followed: it leads from https to http, or there were too many. */
	redirect: 4,
	/** The arguments, or the files that they name, cannot be used (EX_USAGE of sysexits.h). */
	usage: 64,
	/** An optional dependency that the command needs is not installed (EX_UNAVAILABLE). */
	missingDependency: 69,
	/** A defect of this program (EX_SOFTWARE), a failed demo, output that cannot be written, or an older Node. */
	internal: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of a failed request: by the side that refused the other. */
export function exitCodeOf({side, kind}: Pick<MtlsFailure, 'side' | 'kind'>): ExitCode {
	// The server was verified, and answered.
	if (kind === 'insecure-redirect') return exitCodes.redirect;
	if (side === 'server') return exitCodes.unverified;
	if (side === 'client') return exitCodes.refused;
	return exitCodes.unreachable;
}

/** An error in the arguments, or in the files that they name. Printed as `what: why`, exit code 64. */
export class UsageError extends Error {
	/** The option or command: `--jar`, `certs pki`. */
	readonly what: string;
	readonly hint: string | undefined;

	constructor(what: string, why: string, hint?: string, cause?: unknown) {
		super(why, cause === undefined ? undefined : {cause});
		this.name = 'UsageError';
		this.what = what;
		this.hint = hint;
	}
}
