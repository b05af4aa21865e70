import type {FailureKind} from '../../facts.ts';

interface TunnelErrorInit {
	readonly status?: number;
	readonly unanswered?: boolean;
	readonly cause?: unknown;
}

/** The way to the origin that a proxy would not, or could not, give. */
export class ProxyError extends Error {
	readonly kind: FailureKind;
	readonly code: string;
	/** The status of the proxy's answer, where it gave one. */
	readonly status: number | undefined;
	/** The proxy hung up and said nothing: what a TLS 1.3 server does that refuses a certificate. */
	readonly unanswered: boolean;

	constructor(kind: FailureKind, code: string, message: string, init: TunnelErrorInit = {}) {
		super(message, init.cause === undefined ? undefined : {cause: init.cause});
		this.name = 'TunnelError';
		this.kind = kind;
		this.code = code;
		this.status = init.status;
		this.unanswered = init.unanswered ?? false;
	}
}
