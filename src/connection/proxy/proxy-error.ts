import type {FailureKind} from '../../facts.ts';

interface ProxyErrorInit {
	readonly status?: number;
	readonly reply?: number;
	readonly unanswered?: boolean;
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
	/** The proxy hung up without a response, as a TLS 1.3 server that refuses a certificate may do. */
	readonly unanswered: boolean;

	constructor(kind: FailureKind, code: string, message: string, init: ProxyErrorInit = {}) {
		super(message, init.cause === undefined ? undefined : {cause: init.cause});
		this.name = 'ProxyError';
		this.kind = kind;
		this.code = code;
		this.status = init.status;
		this.reply = init.reply;
		this.unanswered = init.unanswered ?? false;
	}
}
