import type {Connections} from '../connection/connections.ts';

/** A client's connections in numbers. */
export interface MtlsStats {
	/** Rotations of the identity since the client was created. */
	readonly epoch: number;
	/** Loaded identities: 0 or 1, or more with a list of `mtls`. */
	readonly identities: number;
	readonly sockets: {
		/** Connections that carry a request. */
		readonly active: number;
		/** Connections kept alive for the next one. */
		readonly idle: number;
		/** Requests that wait for a connection. */
		readonly queued: number;
	};
	/** TLS handshakes that succeeded since the client was created. */
	readonly handshakes: {readonly full: number; readonly resumed: number};
	/** Tunnels opened through proxies since the client was created. */
	readonly tunnels: number;
}

/** @internal */
export function statsOf({identities: {selector, counts}, counts: sockets}: Connections): MtlsStats {
	return {
		epoch: selector.epoch,
		identities: selector.loaded,
		sockets,
		handshakes: {full: counts.fullHandshakes, resumed: counts.resumedHandshakes},
		tunnels: counts.tunnels,
	};
}

/** @internal The same in one line. */
export function statsLine({epoch, sockets, handshakes, tunnels}: MtlsStats): string {
	const {active, idle, queued} = sockets;
	return [
		`epoch ${epoch}`,
		`sockets ${active} active, ${idle} idle, ${queued} queued`,
		`handshakes ${handshakes.full} full, ${handshakes.resumed} resumed`,
		`tunnels ${tunnels}`,
	].join(' | ');
}
