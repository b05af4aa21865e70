/*
 * Error
 * ├─ AxiosError                 everything else that axios users know: status, timeout, refused, cancelled
 * │  └─ MtlsError               a connection that was not trusted, or that did not trust us: see `failure`
 * ├─ MtlsConfigError            a mistake in the options, thrown when the client is made
 * └─ CookieFileError            cookies that could not be saved (jar/cookie-file-error.ts)
 *
 * MtlsConfigError is no AxiosError: no request was made, so retry logic has nothing to look at.
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import type {CertificateFacts} from './certificate.ts';

export {type ConfigErrorCode, MtlsConfigError} from './config-error.ts';

/** What went wrong. The headings of the README's table of failures. */
export type FailureKind =
	| 'expired'
	| 'not-yet-valid'
	| 'wrong-name'
	| 'self-signed'
	| 'untrusted-issuer'
	| 'missing-intermediate'
	| 'revoked'
	| 'revocation-unknown'
	| 'wrong-purpose'
	| 'too-weak'
	| 'invalid-certificate'
	| 'pin-mismatch'
	| 'spiffe-mismatch'
	| 'client-auth-not-requested'
	| 'insecure-redirect'
	| 'client-certificate-required'
	| 'client-certificate-refused'
	| 'protocol-mismatch'
	| 'cipher-mismatch'
	| 'legacy-renegotiation'
	| 'not-tls'
	| 'reset'
	| 'proxy-unreachable'
	| 'proxy-auth-required'
	| 'proxy-refused'
	| 'proxy-timeout'
	| 'proxy-bad-reply';

/** How far the request had come. */
export type FailurePhase = 'config' | 'tunnel' | 'handshake' | 'verify' | 'response';

/** `server`: we refused it. `client`: it refused us. `proxy`: the way there failed. */
export type FailureSide = 'server' | 'client' | 'proxy' | 'both';

/** The facts of a failure, as fields; none of them is secret. */
export interface MtlsFailure {
	readonly kind: FailureKind;
	readonly phase: FailurePhase;
	readonly side: FailureSide;
	/** `false` where the wire leaves a doubt: see `reasons`. */
	readonly certain: boolean;
	readonly host: string;
	readonly port: number;
	/** The name that was verified, and sent as SNI unless it is an IP address. */
	readonly servername: string;
	/** The URL of the hop that failed, which after a redirect is not `config.url`. No credentials. */
	readonly url: string;
	/**
	 * The origin whose redirect led here, where another identity of `mtls` is used, so that the request was
	 * nobody's. See `allowRedirectsFrom`.
	 */
	readonly redirectedFrom?: string;
	/** The TLS version that was agreed on, where it came to that: `TLSv1.3`. */
	readonly protocol?: string;
	/** The name of the TLS alert that the server sent (RFC 8446 §6): `unknown_ca`. */
	readonly alert?: string;
	/** Whether the server asked for our certificate; absent where the handshake ended before that. */
	readonly clientCertificateRequested?: boolean;
	/** The certificate that the server presented. */
	readonly peer?: CertificateFacts;
	/** The server's chain, leaf first: what it presented, up to the CA if that is known here. */
	readonly chain: readonly CertificateFacts[];
	/** Our own certificate where it was offered on this connection, else `null`. */
	readonly identity: CertificateFacts | null;
	/** The proxy of this connection and the status it answered to CONNECT with. */
	readonly proxy?: {readonly host: string; readonly port: number; readonly status?: number};
	/** Why, most likely first. */
	readonly reasons: readonly string[];
	/** What to do, in one sentence. */
	readonly hint: string;
}

/**
 * An AxiosError whose `cause` is there for code that asks for it, and is not printed.
 *
 * Security: what a loader, a store or a login threw may quote a token, a cookie or a password. Node
 * prints an own `cause`, enumerable or not, and structuredClone and postMessage copy one. An accessor
 * of the class is neither printed nor copied.
 */
export class CausedError extends AxiosError {
	// As axios users know it: Node prints the name of the class, and loggers group by it.
	static override readonly name: string = 'AxiosError';
	#cause: unknown;

	// Not in the body of the class: TypeScript knows the `cause` of an AxiosError as a field.
	static {
		Object.defineProperty(CausedError.prototype, 'cause', {
			get(this: object): unknown {
				return #cause in this ? this.#cause : undefined;
			},
			set(this: CausedError, cause: unknown) {
				this.#cause = cause;
			},
			configurable: true,
		});
	}

	constructor(
		message: string,
		code: string,
		cause: unknown,
		config?: InternalAxiosRequestConfig,
		request?: unknown,
		response?: AxiosResponse,
	) {
		super(message, code, config, request, response);
		this.#cause = cause;
	}
}

const brand = Symbol.for('axios-mtls.MtlsError');

/** What {@link MtlsError} is made from. */
export interface MtlsErrorInit {
	readonly failure: MtlsFailure;
	readonly code: string;
	readonly config?: InternalAxiosRequestConfig;
	readonly request?: unknown;
	/** The answer by which the server refused, where it said so in HTTP. */
	readonly response?: AxiosResponse;
	readonly cause?: unknown;
}

/**
 * A connection that was not trusted, or that did not trust us.
 *
 * `code` is Node's own where Node had one (`CERT_HAS_EXPIRED`), `cause` the original error,
 * `failure` the facts, and `response` the answer of a server that refused us in HTTP.
 * Ask {@link isMtlsError} rather than `instanceof`: it also knows the
 * errors of a second copy of this package.
 */
export class MtlsError extends CausedError {
	readonly failure: MtlsFailure;

	constructor(message: string, {failure, code, config, request, response, cause}: MtlsErrorInit) {
		super(message, code, cause, config, request, response);
		this.name = 'MtlsError';
		this.failure = failure;
		Object.defineProperty(this, brand, {value: true});
	}
}

/** Whether `value` is an {@link MtlsError}, of this copy of the package or of another. */
export function isMtlsError(value: unknown): value is MtlsError {
	return typeof value === 'object' && value !== null && brand in value;
}
