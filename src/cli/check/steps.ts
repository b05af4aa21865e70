import {inFlags} from '../shared/report-error.ts';
import {type Observations, observeTls} from './observations.ts';
import type {Step} from './report.ts';

/** The way to the server and the handshake, as far as it came. */
export function connectionSteps(seen: Observations): Step[] {
	return [address(seen), connection(seen), ...tunnel(seen), protocol(seen)];
}

function address({way: {place, addresses, lookupError}, proxy}: Observations): Step {
	const whose = proxy ? `the proxy ${place.host}` : place.host;
	if (lookupError !== undefined) {
		const text = `${whose} cannot be looked up (${lookupError})`;
		return {id: 'address', title: 'address', state: 'bad', text};
	}
	const known = addresses.length === 1 && addresses[0] === place.host;
	const text = known ? `${whose} is an address itself` : `${whose} is ${addresses.join(', ')}`;
	return {id: 'address', title: 'address', state: 'good', text};
}

function connection({way}: Observations): Step {
	const {place, connected, connectError, lookupError} = way;
	const step = {id: 'connection', title: 'connection'} as const;
	if (connected !== undefined) {
		const text = `TCP to ${hostPort(connected.address, place.port)} in ${connected.milliseconds} ms`;
		return {...step, state: 'good', text};
	}
	if (lookupError !== undefined) return {...step, state: 'open', text: 'not tried'};
	const why = tcpReasons[connectError ?? ''] ?? 'no TCP connection';
	const text = `${hostPort(place.host, place.port)}: ${why} (${connectError})`;
	return {...step, state: 'bad', text};
}

const tcpReasons: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'nobody listens there',
	ETIMEDOUT: 'no answer in time',
	EHOSTUNREACH: 'no way to that host',
	ENETUNREACH: 'no way to that network',
};

function tunnel({proxy, place, judged, answer}: Observations): Step[] {
	if (proxy === undefined) return [];
	const step = {id: 'tunnel', title: 'tunnel'} as const;
	const through = `through the proxy ${hostPort(proxy.host, proxy.port)}`;
	const to = hostPort(place.host, place.port);
	const {failure} = judged ?? {};
	if (failure?.side === 'proxy') return [{...step, state: 'bad', text: failure.message}];
	// Anything of TLS was seen through it.
	if (answer.facts !== undefined || (failure !== undefined && failure.side !== 'network')) {
		return [{...step, state: 'good', text: `${through} to ${to}`}];
	}
	return [{...step, state: 'open', text: `${through}: not seen`}];
}

const noProtocol = new Set(['protocol-mismatch', 'cipher-mismatch', 'not-tls', 'reset']);

function protocol({answer, judged}: Observations): Step {
	const step = {id: 'protocol', title: 'protocol'} as const;
	const {protocol, cipher} = observeTls(answer);
	const {failure} = judged ?? {};
	if (
		failure !== undefined &&
		(noProtocol.has(failure.kind) || failure.kind.startsWith('legacy'))
	) {
		return {...step, state: 'bad', text: inFlags(failure.message)};
	}
	if (protocol === undefined) return {...step, state: 'open', text: 'it did not come to that'};
	const suite = cipher ? `, ${cipher}` : '';
	const time = answer.milliseconds === undefined ? '' : `, after ${answer.milliseconds} ms`;
	return {...step, state: 'good', text: `${protocol}${suite}${time}`};
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
