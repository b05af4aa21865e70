import type {FailureKind} from '../../facts.ts';

interface ProxyErrorInit {
	readonly status?: number;
	readonly reply?: number;
	readonly spoke?: 'nothing' | 'tls' | 'body' | 'other';
	readonly squidError?: string | undefined;
	readonly cause?: unknown;
}

/** A proxy cannot be reached, or refuses a tunnel. */
export class ProxyError extends Error {
	readonly kind: FailureKind;
	readonly code: string;
	/** Status of the proxy's response, if it sent one. */
	readonly status: number | undefined;
	/** The code of a SOCKS proxy's reply (RFC 1928 §6), if it sent one. */
	readonly reply: number | undefined;
	/**
	 * What it sent in place of a response: `nothing` before it hung up, as a TLS 1.3 server that refuses a
	 * certificate may do; `body` after a 2xx, though the client sends first.
	 */
	readonly spoke: 'nothing' | 'tls' | 'body' | 'other' | undefined;
	/** The `X-Squid-Error` header of its response. */
	readonly squidError: string | undefined;

	constructor(kind: FailureKind, code: string, message: string, init: ProxyErrorInit = {}) {
		super(message, init.cause === undefined ? undefined : {cause: init.cause});
		this.name = 'ProxyError';
		this.kind = kind;
		this.code = code;
		this.status = init.status;
		this.reply = init.reply;
		this.spoke = init.spoke;
		this.squidError = init.squidError;
	}
}
