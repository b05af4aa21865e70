import {recognizeCopies} from '../../copies.ts';

/** Why cookies were not saved. */
export type CookieFileErrorCode =
	/** The file was damaged since it was loaded. */
	| 'ERR_MTLS_JAR_DAMAGED'
	/** Another process did not release its lock. */
	| 'ERR_MTLS_JAR_LOCKED'
	/** The system refused it, see `cause`; or the file would be larger than the 64 MiB that can be read. */
	| 'ERR_MTLS_JAR_NOT_SAVED';

/**
 * Cookies could not be saved: the file is unchanged, the cookies are still in the jar, and the next
 * save writes them. The message says why, and never quotes a cookie.
 */
export class CookieFileError extends Error {
	readonly code: CookieFileErrorCode;
	readonly path: string;

	static {
		recognizeCopies(CookieFileError, 'CookieFileError');
	}

	constructor(code: CookieFileErrorCode, path: string, why: string, cause?: unknown) {
		const message = `cannot save cookies to '${path}': ${why}`;
		super(message, cause === undefined ? undefined : {cause});
		this.name = 'CookieFileError';
		this.code = code;
		this.path = path;
	}
}
