// Not in errors.ts, which needs axios: the cookie store in Redis works in an app without axios.
import {inspect} from 'node:util';
import {recognizeCopies} from './copies.ts';

/** Why an option was refused. */
export type ConfigErrorCode =
	| 'ERR_MTLS_NO_SUCH_FILE'
	| 'ERR_MTLS_UNREADABLE_FILE'
	| 'ERR_MTLS_UNWRITABLE_FILE'
	| 'ERR_MTLS_JAR_DAMAGED'
	| 'ERR_MTLS_NOT_PEM'
	| 'ERR_MTLS_NO_CERTIFICATE'
	| 'ERR_MTLS_CERT_MISSING'
	| 'ERR_MTLS_KEY_MISSING'
	| 'ERR_MTLS_KEY_MISMATCH'
	| 'ERR_MTLS_BAD_PASSPHRASE'
	| 'ERR_MTLS_IDENTITY_EXPIRED'
	| 'ERR_MTLS_IDENTITY_NOT_YET_VALID'
	| 'ERR_MTLS_NOT_PKCS12'
	| 'ERR_MTLS_WRONG_PURPOSE'
	| 'ERR_MTLS_NO_CRL'
	| 'ERR_MTLS_UNSUPPORTED_KEY'
	| 'ERR_MTLS_UNKNOWN_OPTION'
	| 'ERR_MTLS_BAD_OPTION'
	| 'ERR_MTLS_AGENT_CONFLICT';

/**
 * A mistake in the options, thrown when the client is made, before any request.
 *
 * The message says what was tried, on what, and what was found; never key material or a passphrase.
 */
export class MtlsConfigError extends Error {
	readonly code: ConfigErrorCode;
	/** The option to repair, as a dotted path: `mtls.key`. */
	readonly option: string;
	readonly #cause: unknown;

	static {
		recognizeCopies(MtlsConfigError, 'MtlsConfigError');
	}

	constructor(code: ConfigErrorCode, option: string, message: string, cause?: unknown) {
		super(`${option}: ${message}`);
		this.name = 'MtlsConfigError';
		this.code = code;
		this.option = option;
		this.#cause = cause;
	}

	/**
	 * The original error, for code that reads it. It is not printed: an error that the app's function
	 * threw may quote a passphrase.
	 */
	// Security: Node prints an own `cause`, and structuredClone copies it. See CausedError in errors.ts.
	override get cause(): unknown {
		return #cause in this ? this.#cause : undefined;
	}

	// Security: with `showHidden` and `getters` Node would print the cause.
	[inspect.custom](): string {
		const {stack, code, option} = this;
		return `${stack} ${inspect({code, option})}`;
	}
}
