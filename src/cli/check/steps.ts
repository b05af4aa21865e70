import type {CertificateFacts} from '../../index.ts';
import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import {inFlags} from '../shared/report-error.ts';
import {type Observations, observeTls} from './observations.ts';
import type {CheckReport, Step, StepState} from './report.ts';

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

/** Kinds of failure by what they are a verdict on. */
const chainKinds: ReadonlySet<string> = new Set([
	'expired',
	'not-yet-valid',
	'self-signed',
	'untrusted-issuer',
	'missing-intermediate',
	'revoked',
	'revocation-unknown',
	'wrong-purpose',
	'too-weak',
	'invalid-certificate',
]);
const nameKinds: ReadonlySet<string> = new Set(['wrong-name', 'spiffe-mismatch']);

/** The reasons for which the server was not believed; empty when it was, or nobody asked. */
function complaintsOf({judged, complaints}: Observations): Set<string> {
	const {failure} = judged ?? {};
	return new Set([...(failure ? [failure.kind] : []), ...(complaints ?? [])]);
}

/** Whether the server is who we believe it is. */
export function verificationSteps(seen: Observations): Step[] {
	return [chain(seen), name(seen), ...pins(seen), revocation(seen)];
}

function chain(seen: Observations): Step {
	const step = {id: 'chain', title: 'chain'} as const;
	const {chain, verified} = observeTls(seen.answer);
	const top = chain.at(-1);
	if (top === undefined) return {...step, state: 'open', text: 'no certificate was seen'};
	const found = [...complaintsOf(seen)].filter((kind) => chainKinds.has(kind));
	if (found.length > 0) return {...step, state: 'bad', text: chainWords(found, seen)};
	if (!verified && !judgedLater(seen)) return {...step, state: 'open', text: unjudged};
	const leaf = chain[0] ?? top;
	const text = `leads to '${commonName(top.subject)}', which is trusted here; valid until ${day(leaf.validTo)} (${fromNow(leaf.validTo, seen.now)})`;
	const soon = Date.parse(leaf.validTo) - seen.now.getTime() < soonMs;
	return {...step, state: soon ? 'doubtful' : 'good', text: soon ? `${text}: renew it` : text};
}

/** As the library: what ends this soon is worth a word. */
const soonMs = 30 * 24 * 60 * 60 * 1000;

const unjudged = 'not judged: the handshake ended before';

function chainWords(kinds: readonly string[], {judged}: Observations): string {
	const {failure} = judged ?? {};
	if (failure !== undefined && kinds.includes(failure.kind)) return failure.message;
	return `not believed: ${kinds.join(', ')}`;
}

// These are asked after the chain was believed.
function judgedLater({judged}: Observations): boolean {
	const kind = judged?.failure.kind ?? '';
	return nameKinds.has(kind) || kind === 'pin-mismatch' || kind === 'client-auth-not-requested';
}

function name(seen: Observations): Step {
	const {spiffeId, place, judged, complaints} = seen;
	const step = {id: 'name', title: spiffeId === undefined ? 'name' : 'SPIFFE ID'} as const;
	const {chain, verified} = observeTls(seen.answer);
	const wanted = spiffeId ?? place.host;
	const names = listNames(chain[0]?.altNames ?? []);
	if (chain.length === 0) return {...step, state: 'open', text: 'no certificate was seen'};
	if ([...complaintsOf(seen)].some((kind) => nameKinds.has(kind))) {
		return {...step, state: 'bad', text: `the certificate is not for ${wanted} but for ${names}`};
	}
	const afterName = judged?.failure.kind === 'pin-mismatch';
	if (!verified && !afterName && complaints === undefined) {
		return {...step, state: 'open', text: `${unjudged}; the certificate is for ${names}`};
	}
	return {...step, state: 'good', text: `the certificate is for ${wanted}`};
}

function pins(seen: Observations): Step[] {
	if (seen.pins.length === 0) return [];
	const step = {id: 'pins', title: 'pins'} as const;
	const {chain} = observeTls(seen.answer);
	if (chain.length === 0) return [{...step, state: 'open', text: 'no certificate was seen'}];
	const match = chain.find((certificate) => isPinned(certificate, seen.pins));
	if (match === undefined) {
		const text = `none of --pin is a key of the chain; the server's is ${chain[0]?.pin}`;
		return [{...step, state: 'bad', text}];
	}
	return [{...step, state: 'good', text: `the key of '${commonName(match.subject)}' is pinned`}];
}

/** Whether one of the pins is the key of a certificate. */
export function isPinned({pin}: CertificateFacts, pins: readonly string[]): boolean {
	return pin !== '' && pins.includes(pin);
}

function revocation(seen: Observations): Step {
	const step = {id: 'revocation', title: 'revocation'} as const;
	const kinds = complaintsOf(seen);
	if (kinds.has('revoked')) {
		return {...step, state: 'bad', text: 'the certificate was revoked by its issuer'};
	}
	if (kinds.has('revocation-unknown')) {
		return {...step, state: 'bad', text: 'no current list of --crl tells whether it is still good'};
	}
	if (!seen.withCrl) {
		return {...step, state: 'open', text: 'not checked: no revocation list was given (--crl)'};
	}
	if (!observeTls(seen.answer).verified) return {...step, state: 'open', text: unjudged};
	return {...step, state: 'good', text: 'on no list of --crl'};
}

type ClientCertificate = CheckReport['clientCertificate'];

/** Whether the server asks for a certificate, and takes ours: by what it does with it and without. */
export function checkClientCertificate(seen: Observations): ClientCertificate {
	const {answer, judged, without} = seen;
	const {ours} = answer;
	const requested =
		observeTls(answer).requested ?? (without && observeTls(without.answer).requested) ?? null;
	const kind = judged?.failure.kind;
	if (kind === 'client-certificate-required') {
		return {requested: true, required: true, accepted: ours && false, ours};
	}
	if (kind === 'client-certificate-refused') {
		return {requested: true, required: null, accepted: false, ours};
	}
	const {http} = answer;
	if (http === undefined || requested !== true) {
		return {requested, required: requested === false ? false : null, accepted: null, ours};
	}
	if (ours === null) return {requested, required: false, accepted: null, ours};
	const refused = without?.judged?.failure.side === 'client';
	const differs = without?.answer.http !== undefined && without.answer.http.status !== http.status;
	if (refused || differs) return {requested, required: true, accepted: true, ours};
	const same = without?.answer.http !== undefined;
	return {requested, required: same ? false : null, accepted: null, ours};
}

/** The same as a step. */
export function clientStep(client: ClientCertificate, seen: Observations): Step {
	const [state, text] = words(client, seen);
	return {id: 'client-certificate', title: 'client certificate', state, text};
}

function words(client: ClientCertificate, seen: Observations): [StepState, string] {
	const {requested, required, accepted, ours} = client;
	const our = ours && `our certificate '${commonName(ours.subject)}'`;
	if (requested === null) return ['open', 'it did not come to that'];
	if (!requested) {
		if (our === null) return ['good', 'the server does not ask for one'];
		return ['doubtful', `the server does not ask for one, so ${our} was not shown`];
	}
	if (accepted === false) return ['bad', `the server asks for one and did not accept ${our}`];
	if (our === null) {
		if (required) return ['bad', 'the server wants one, and we have none to show (--cert, --key)'];
		if (required === false) return ['good', 'the server asks for one and answers without'];
		return ['open', 'the server asks for one; we have none to show'];
	}
	if (accepted) return ['good', `the server asks for one and accepts ${our}; ${twin(seen)}`];
	if (required === false) {
		const text = `the server asks for one, and answers the same without ${our}: it may not look at it`;
		return ['doubtful', text];
	}
	return ['open', `the server asks for one; what it thinks of ${our} was not seen`];
}

function twin({without}: Observations): string {
	const status = without?.answer.http?.status;
	return status === undefined
		? 'without it, the server refuses us'
		: `without it, the server answers ${status}`;
}
