import type {CertificateFacts} from '../../index.ts';
import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import {type Observations, observeTls} from './observations.ts';
import type {Step} from './report.ts';

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
