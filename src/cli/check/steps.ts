/*
 * The result of each step of `check`. The library explains why a certificate was refused, for instance an
 * expired one: failures/decide.ts.
 */
import type {CertificateFacts} from '../../index.ts';
import {describeExpiry} from '../../tls/credentials/expiry.ts';
import {authorityOf} from '../../util/url.ts';
import {commonName, day, endsSoon, fromNow, listNames} from '../shared/format-certificate.ts';
import {networkErrors} from '../shared/network-errors.ts';
import {inFlags} from '../shared/report-error.ts';
import type {CheckReport, Step, StepState} from './report.ts';
import {type Observations, observeTls} from './requests.ts';

/** The steps from the DNS lookup to the handshake. */
export function connectionSteps(seen: Observations): Step[] {
	return [address(seen), connection(seen), ...tunnel(seen), protocol(seen)];
}

function address({tcp: {target, addresses, lookupError}, proxy}: Observations): Step {
	const step = {id: 'address', title: 'address'} as const;
	const host = proxy ? `the proxy ${target.host}` : target.host;
	if (lookupError !== undefined) {
		return {...step, state: 'bad', text: `${host} cannot be looked up (${lookupError})`};
	}
	const isAddress = addresses.length === 1 && addresses[0] === target.host;
	const text = isAddress ? `${host} is an address itself` : `${host} is ${addresses.join(', ')}`;
	return {...step, state: 'good', text};
}

function connection({tcp}: Observations): Step {
	const {target, connected, connectError = '', lookupError} = tcp;
	const step = {id: 'connection', title: 'connection'} as const;
	if (connected !== undefined) {
		const text = `TCP to ${authorityOf(connected.address, target.port)} in ${connected.milliseconds} ms`;
		return {...step, state: 'good', text};
	}
	if (lookupError !== undefined) return {...step, state: 'open', text: 'not tried'};
	const why = networkErrors[connectError]?.summary ?? 'no TCP connection';
	const text = `${authorityOf(target.host, target.port)}: ${why} (${connectError})`;
	return {...step, state: 'bad', text};
}

function tunnel({proxy, server, attempt: {result, error}}: Observations): Step[] {
	if (proxy === undefined) return [];
	const step = {id: 'tunnel', title: 'tunnel'} as const;
	const through = `through the proxy ${authorityOf(proxy.host, proxy.port)}`;
	const side = error?.failure.side;
	if (side === 'proxy') return [{...step, state: 'bad', text: error?.failure.message ?? ''}];
	// The failure is one of TLS, so the tunnel was there.
	if (result.facts !== undefined || (side !== undefined && side !== 'network')) {
		const text = `${through} to ${authorityOf(server.host, server.port)}`;
		return [{...step, state: 'good', text}];
	}
	return [{...step, state: 'open', text: `${through}: not seen`}];
}

const handshakeKinds: ReadonlySet<string> = new Set([
	'protocol-mismatch',
	'cipher-mismatch',
	'legacy-renegotiation',
	'not-tls',
	'reset',
]);

function protocol({attempt: {result, error}}: Observations): Step {
	const step = {id: 'protocol', title: 'protocol'} as const;
	const {protocol, cipher} = observeTls(result);
	if (error !== undefined && handshakeKinds.has(error.failure.kind)) {
		return {...step, state: 'bad', text: inFlags(error.failure.message)};
	}
	if (protocol === undefined) return {...step, state: 'open', text: 'not reached'};
	const suite = cipher ? `, ${cipher}` : '';
	const time = result.milliseconds === undefined ? '' : `, after ${result.milliseconds} ms`;
	return {...step, state: 'good', text: `${protocol}${suite}${time}`};
}

/** Kinds of failure in the verification of the chain. */
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
/** Kinds that are found only in a chain that was verified. */
const laterKinds: ReadonlySet<string> = new Set([
	...nameKinds,
	'pin-mismatch',
	'client-auth-not-requested',
]);

/** Every kind of failure that the verification of the server found. */
function verificationKinds({attempt: {error}, verificationErrors = new Set()}: Observations) {
	return new Set<string>([...(error ? [error.failure.kind] : []), ...verificationErrors]);
}

/** Whether the server is the one that the URL and the options name. */
export function verificationSteps(seen: Observations): Step[] {
	return [chain(seen), name(seen), ...pins(seen), revocation(seen)];
}

const noCertificate = {state: 'open', text: 'no certificate was seen'} as const;
const notVerified = 'not verified: the handshake ended before';

function chain(seen: Observations): Step {
	const step = {id: 'chain', title: 'chain'} as const;
	const {attempt, now} = seen;
	const {chain, verified} = observeTls(attempt.result);
	const [leaf] = chain;
	const top = chain.at(-1);
	if (leaf === undefined || top === undefined) return {...step, ...noCertificate};
	const {kind = '', message = ''} = attempt.error?.failure ?? {};
	const found = [...verificationKinds(seen)].filter((each) => chainKinds.has(each));
	if (found.length > 0) {
		const text = found.includes(kind) ? message : `not trusted: ${found.join(', ')}`;
		return {...step, state: 'bad', text};
	}
	if (!verified && !laterKinds.has(kind)) return {...step, state: 'open', text: notVerified};
	const text = `leads to '${commonName(top.subject)}', which is trusted here`;
	const {validTo} = leaf;
	return endsSoon(leaf, now)
		? {...step, state: 'doubtful', text: `${text}; ${describeExpiry(validTo, now.getTime())}`}
		: {
				...step,
				state: 'good',
				text: `${text}; valid until ${day(validTo)} (${fromNow(validTo, now)})`,
			};
}

function name(seen: Observations): Step {
	const {spiffeId, server, attempt, verificationErrors} = seen;
	const step = {id: 'name', title: spiffeId === undefined ? 'name' : 'SPIFFE ID'} as const;
	const {chain, verified} = observeTls(attempt.result);
	const wanted = spiffeId ?? server.host;
	const names = listNames(chain[0]?.altNames ?? []);
	if (chain.length === 0) return {...step, ...noCertificate};
	if ([...verificationKinds(seen)].some((kind) => nameKinds.has(kind))) {
		return {...step, state: 'bad', text: `the certificate is not for ${wanted} but for ${names}`};
	}
	const isLater = attempt.error?.failure.kind === 'pin-mismatch';
	if (!verified && !isLater && verificationErrors === undefined) {
		return {...step, state: 'open', text: `${notVerified}; the certificate is for ${names}`};
	}
	return {...step, state: 'good', text: `the certificate is for ${wanted}`};
}

function pins({pins, attempt}: Observations): Step[] {
	if (pins.length === 0) return [];
	const step = {id: 'pins', title: 'pins'} as const;
	const {chain} = observeTls(attempt.result);
	if (chain.length === 0) return [{...step, ...noCertificate}];
	const match = chain.find((certificate) => isPinned(certificate, pins));
	if (match === undefined) {
		const text = `none of --pin is a key of the chain; the server's is ${chain[0]?.pin}`;
		return [{...step, state: 'bad', text}];
	}
	return [{...step, state: 'good', text: `the key of '${commonName(match.subject)}' is pinned`}];
}

/** Whether one of the pins is that of a certificate's key. */
export function isPinned({pin}: CertificateFacts, pins: readonly string[]): boolean {
	return pin !== '' && pins.includes(pin);
}

function revocation(seen: Observations): Step {
	const step = {id: 'revocation', title: 'revocation'} as const;
	const kinds = verificationKinds(seen);
	if (kinds.has('revoked')) {
		return {...step, state: 'bad', text: 'the certificate was revoked by its issuer'};
	}
	if (kinds.has('revocation-unknown')) {
		return {...step, state: 'bad', text: 'no current list of --crl covers the certificate'};
	}
	if (!seen.hasCrl) {
		return {...step, state: 'open', text: 'not checked: no revocation list was given (--crl)'};
	}
	if (!observeTls(seen.attempt.result).verified) return {...step, state: 'open', text: notVerified};
	return {...step, state: 'good', text: 'on no list of --crl'};
}

type ClientCertificate = CheckReport['clientCertificate'];

/**
 * Whether the server asks for a client certificate and accepts it, from its responses with and without
 * one.
 */
export function checkClientCertificate({attempt, attemptWithout}: Observations): ClientCertificate {
	const {response, clientCertificate: ours} = attempt.result;
	const requested =
		observeTls(attempt.result).clientCertificateRequested ??
		(attemptWithout && observeTls(attemptWithout.result).clientCertificateRequested) ??
		null;
	const kind = attempt.error?.failure.kind;
	if (kind === 'client-certificate-required') {
		return {requested: true, required: true, accepted: ours === null ? null : false, ours};
	}
	if (kind === 'client-certificate-refused') {
		return {requested: true, required: null, accepted: false, ours};
	}
	if (response === undefined || requested !== true) {
		return {requested, required: requested === false ? false : null, accepted: null, ours};
	}
	if (ours === null) return {requested, required: false, accepted: null, ours};
	const without = attemptWithout?.result.response;
	const isRefused = attemptWithout?.error?.failure.side === 'client';
	if (isRefused || (without !== undefined && without.status !== response.status)) {
		return {requested, required: true, accepted: true, ours};
	}
	return {requested, required: without === undefined ? null : false, accepted: null, ours};
}

export function clientStep(client: ClientCertificate, seen: Observations): Step {
	const [state, text] = describeClient(client, seen);
	return {id: 'client-certificate', title: 'client certificate', state, text};
}

function describeClient(
	{requested, required, accepted, ours}: ClientCertificate,
	{attemptWithout}: Observations,
): [StepState, string] {
	const our = ours && `our certificate '${commonName(ours.subject)}'`;
	if (requested === null) return ['open', 'not reached'];
	if (!requested) {
		if (our === null) return ['good', 'the server does not ask for one'];
		return ['doubtful', `the server does not ask for one, so ${our} was not shown`];
	}
	// Not accepted although required: the server got none.
	if (accepted === false && required)
		return ['bad', `the server wants one, and ${our} was not sent`];
	if (accepted === false) return ['bad', `the server asks for one and did not accept ${our}`];
	if (our === null) {
		if (required) return ['bad', 'the server wants one, and we have none to show (--cert, --key)'];
		if (required === false) return ['good', 'the server asks for one and answers without'];
		return ['open', 'the server asks for one; we have none to show'];
	}
	if (accepted) {
		const status = attemptWithout?.result.response?.status;
		const without = status === undefined ? 'refuses us' : `answers ${status}`;
		const text = `the server asks for one and accepts ${our}; without it, the server ${without}`;
		return ['good', text];
	}
	if (required === false) {
		const text = `the server asks for one, and answers the same without ${our}: it may not look at it`;
		return ['doubtful', text];
	}
	return ['open', `the server asks for one; whether it accepts ${our} was not seen`];
}
