/*
 * Error
 * ├─ AxiosError                 everything else that axios users know: status, timeout, refused, cancelled
 * │  └─ MtlsError               a server that was not trusted, or that refused the client: see `failure`
 * ├─ MtlsConfigError            a mistake in the options, thrown when the client is made
 * └─ CookieFileError            cookies that could not be saved (cookies/file/cookie-file-error.ts)
 *
 * MtlsConfigError is not an AxiosError: no request was made, so there is nothing to retry.
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {recognizeCopies} from './copies.ts';
import type {MtlsFailure} from './facts.ts';

export {type ConfigErrorCode, MtlsConfigError} from './config-error.ts';

/**
 * An AxiosError whose `cause` code can read, but Node does not print.
 *
 * Security: the error of a loader, a store or a login may quote a token, a cookie or a password. Node
 * prints an own `cause`, enumerable or not, and structuredClone and postMessage copy one. An accessor
 * of the class is neither printed nor copied.
 */
export class CausedError extends AxiosError {
	// The name that axios users know: Node prints the name of the class, and loggers group by it.
	static override readonly name: string = 'AxiosError';
	#cause: unknown;

	// Not in the class body: TypeScript declares the `cause` of an AxiosError as a field.
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
		// axios has it from 1.7.8 on.
		if (response) this.status = response.status;
		this.#cause = cause;
	}
}

/** What {@link MtlsError} is made from. */
export interface MtlsErrorInit {
	readonly failure: MtlsFailure;
	readonly code: string;
	readonly config?: InternalAxiosRequestConfig;
	readonly request?: unknown;
	/** The response with which the server refused the client, if it did so in HTTP. */
	readonly response?: AxiosResponse;
	readonly cause?: unknown;
}

/**
 * A server that was not trusted, or that refused the client.
 *
 * `code` is Node's own where Node had one (`CERT_HAS_EXPIRED`), `cause` the original error,
 * `failure` the facts, and `response` the response of a server that refused the client in HTTP.
 * `message` ends with `failure.hint`; {@link MtlsError.summary} is the part before it.
 * {@link isMtlsError} and `instanceof` also recognise the errors of a second copy of this package.
 */
export class MtlsError extends CausedError {
	readonly failure: MtlsFailure;
	readonly #summary: string;

	static {
		recognizeCopies(MtlsError, 'MtlsError');
	}

	/** @param summary - What failed, as one sentence without a full stop. */
	constructor(summary: string, {failure, code, config, request, response, cause}: MtlsErrorInit) {
		super(summary + endingWith(failure), code, cause, config, request, response);
		this.name = 'MtlsError';
		this.failure = failure;
		this.#summary = summary;
	}

	/**
	 * The message without the hint; the original one where an app has set a message that is no text. An
	 * accessor of the class: it is neither listed nor serialised.
	 */
	get summary(): string {
		const message: unknown = this.message;
		if (typeof message !== 'string') return #summary in this ? this.#summary : '';
		const ending = endingWith(this.failure);
		return message.endsWith(ending) ? message.slice(0, message.length - ending.length) : message;
	}
}

/** The end of the message of an {@link MtlsError}. */
function endingWith(failure: MtlsFailure | undefined): string {
	const hint = failure?.hint;
	return hint ? `. What to do: ${hint}` : '';
}

/** Whether `value` is an {@link MtlsError}, of this copy of the package or of another. */
export function isMtlsError(value: unknown): value is MtlsError {
	return value instanceof MtlsError;
}
