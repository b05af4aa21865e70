import type {CurrentIdentities} from './current-identities.ts';
import {type MtlsAgent, queuedAt} from './mtls-agent.ts';

/** A client's connections in numbers. */
export interface MtlsStats {
	/** How often our identity was replaced since the client was made. */
	readonly epoch: number;
	/** Identities that are loaded: 1 or 0, or more with a list of `mtls`. */
	readonly identities: number;
	readonly sockets: {
		/** That carry a request. */
		readonly active: number;
		/** Kept alive for the next one. */
		readonly idle: number;
		/** Requests that wait for a connection. */
		readonly queued: number;
	};
	/** TLS handshakes that succeeded, since the client was made. */
	readonly handshakes: {readonly full: number; readonly resumed: number};
	/** Made through proxies, since the client was made. */
	readonly tunnels: number;
}

/** What keeps connections beside the agent. */
interface Counted {
	readonly counts: MtlsStats['sockets'];
}

/** The numbers of all pools, Node's and ours. */
export function statsOf(
	{roster, counts}: CurrentIdentities,
	agent: MtlsAgent,
	pools: readonly Counted[],
): MtlsStats {
	const sum = (name: keyof MtlsStats['sockets']) =>
		pools.reduce((total, {counts}) => total + counts[name], 0);
	return {
		epoch: roster.epoch,
		identities: roster.loaded,
		sockets: {
			active: sum('active') + size(agent.sockets),
			idle: sum('idle') + size(agent.freeSockets),
			queued: sum('queued') + size(agent.requests) + queuedAt(agent),
		},
		handshakes: {full: counts.fullHandshakes, resumed: counts.resumedHandshakes},
		tunnels: counts.tunnels,
	};
}

/** The same in one line. */
export function statsLine({epoch, sockets, handshakes, tunnels}: MtlsStats): string {
	const {active, idle, queued} = sockets;
	return [
		`epoch ${epoch}`,
		`sockets ${active} active, ${idle} idle, ${queued} queued`,
		`handshakes ${handshakes.full} full, ${handshakes.resumed} resumed`,
		`tunnels ${tunnels}`,
	].join(' | ');
}

// Node's agent hears of what has ended a turn later.
function size(lists: NodeJS.ReadOnlyDict<readonly {readonly destroyed: boolean}[]>): number {
	const all = Object.values(lists).flatMap((list) => list ?? []);
	return all.filter(({destroyed}) => !destroyed).length;
}
