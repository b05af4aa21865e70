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
