/*
 * The result of each step of `check`. The library explains why a certificate was refused, for instance an
 * expired one: failures/decide.ts.
 */
import type {CertificateFacts} from '../../index.ts';
import {describeExpiry} from '../../tls/credentials/expiry.ts';
import {authorityOf} from '../../util/url.ts';
import {commonName, day, endsSoon, fromNow, listNames} from '../shared/format-certificate.ts';
import {networkErrors} from '../shared/network-errors.ts';
import type {Step} from './report.ts';
import {type Observations, observeTls, reached} from './requests.ts';
import {nameProtocol} from './spoken-protocol.ts';

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

function tunnel({proxy, server, tcp, attempt: {result, error}}: Observations): Step[] {
	if (proxy === undefined) return [];
	const step = {id: 'tunnel', title: 'tunnel'} as const;
	const through = `through the proxy ${authorityOf(proxy.host, proxy.port)}`;
	const {kind = '', side} = error?.failure ?? {};
	if (side === 'proxy') {
		return [{...step, state: 'bad', text: `${through}: ${tunnelFailures[kind] ?? 'none'}`}];
	}
	// A failure of TLS with the server comes from inside the tunnel.
	if (result.tunnelled || (side !== undefined && side !== 'network')) {
		const text = `${through} to ${authorityOf(server.host, server.port)}`;
		return [{...step, state: 'good', text}];
	}
	if (kind === 'timeout' && tcp.connected !== undefined) {
		return [{...step, state: 'bad', text: `${through}: no answer to CONNECT in time`}];
	}
	return [{...step, state: 'open', text: `${through}: not reached`}];
}

/** What became of a tunnel, by the kind of the failure, which the outcome explains. */
const tunnelFailures: Readonly<Record<string, string>> = {
	'proxy-unreachable': 'it cannot be reached',
	'proxy-auth-required': 'it wants a login',
	'proxy-refused': 'it refuses this one',
	'proxy-timeout': 'no answer in time',
	'proxy-bad-reply': 'it did not answer as a proxy',
};

/** Failures of the handshake itself; the outcome explains them. */
const handshakeFailures: Readonly<Record<string, string>> = {
	'protocol-mismatch': 'no handshake',
	'cipher-mismatch': 'no handshake',
	'legacy-renegotiation': 'no secure renegotiation',
	'not-tls': 'no TLS',
	reset: 'no handshake: the connection ended',
};

function protocol(seen: Observations): Step {
	const step = {id: 'protocol', title: 'protocol'} as const;
	const {result, error} = seen.attempt;
	const {protocol, cipher} = observeTls(result);
	const {kind = ''} = error?.failure ?? {};
	const failed = handshakeFailures[kind];
	if (failed !== undefined) {
		const spoken = nameProtocol(seen.probe?.greeting ?? Buffer.alloc(0));
		const text = kind === 'not-tls' && spoken ? `${spoken.name}, not TLS` : failed;
		return {...step, state: 'bad', text: error?.alert ? `${text} (${error.alert})` : text};
	}
	if (kind === 'timeout' && reached(seen) === 'tls') {
		return {...step, state: 'bad', text: 'no answer to the ClientHello in time'};
	}
	if (protocol === undefined) return {...step, state: 'open', text: 'not reached'};
	const suite = cipher ? `, ${cipher}` : '';
	const time = result.milliseconds === undefined ? '' : `, after ${result.milliseconds} ms`;
	return {...step, state: 'good', text: `${protocol}${suite}${time}`};
}

/** Failures of the chain; the outcome explains them. */
const chainFailures: Readonly<Record<string, (chain: Chain, now: Date) => string>> = {
	expired: (chain, now) => {
		const link = chain.find(({validTo}) => Date.parse(validTo) < now.getTime()) ?? chain[0];
		const {subject, validTo} = link;
		return `'${commonName(subject)}' expired on ${day(validTo)} (${fromNow(validTo, now)})`;
	},
	'not-yet-valid': (chain, now) => {
		const link = chain.find(({validFrom}) => Date.parse(validFrom) > now.getTime()) ?? chain[0];
		const {subject, validFrom} = link;
		return `'${commonName(subject)}' begins on ${day(validFrom)} (${fromNow(validFrom, now)})`;
	},
	'self-signed': ([leaf]) => `'${commonName(leaf.subject)}' is self-signed, and not in --ca`,
	'untrusted-issuer': (chain) => {
		const top = chain.at(-1) ?? chain[0];
		return top.subject === top.issuer
			? `leads to '${commonName(top.subject)}', which is not trusted here`
			: `ends at '${commonName(top.subject)}', whose issuer '${commonName(top.issuer)}' is not trusted here, and was not sent`;
	},
	'missing-intermediate': (chain) => {
		const {issuer} = chain.at(-1) ?? chain[0];
		return `the certificate of '${commonName(issuer)}' was not sent, and is not among the CAs that are trusted here`;
	},
	revoked: () => 'revoked',
	'revocation-unknown': () => 'no current revocation list covers it',
	'wrong-purpose': ([leaf]) => `'${commonName(leaf.subject)}' is not for servers`,
	'too-weak': () => 'too weak for the security level of OpenSSL',
	'invalid-certificate': () => 'breaks a rule of X.509',
};

type Chain = readonly [CertificateFacts, ...CertificateFacts[]];

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
const notVerified = 'not verified: the handshake failed first';

function chain(seen: Observations): Step {
	const step = {id: 'chain', title: 'chain'} as const;
	const {attempt, now} = seen;
	const {chain, verified} = observeTls(attempt.result);
	const [leaf, ...others] = chain;
	const top = chain.at(-1);
	if (leaf === undefined || top === undefined) return {...step, ...noCertificate};
	const {kind = ''} = attempt.error?.failure ?? {};
	const texts = [...verificationKinds(seen)].flatMap((each) => {
		const describe = chainFailures[each];
		return describe ? [describe([leaf, ...others], now)] : [];
	});
	if (texts.length > 0) return {...step, state: 'bad', text: [...new Set(texts)].join('; ')};
	if (!verified && !laterKinds.has(kind)) return {...step, state: 'open', text: notVerified};
	const trusted = `leads to '${commonName(top.subject)}', which is trusted here`;
	// A CA that ends soon is as much an end as that of the leaf.
	const ends = chain.toSorted((a, b) => Date.parse(a.validTo) - Date.parse(b.validTo));
	const first = ends.find((each) => endsSoon(each, now));
	if (first === undefined) {
		const {validTo} = ends[0] ?? leaf;
		const until = `valid until ${day(validTo)} (${fromNow(validTo, now)})`;
		return {...step, state: 'good', text: `${trusted}; ${until}`};
	}
	const name = first === leaf ? '' : `'${commonName(first.subject)}' `;
	const expiry = describeExpiry(first.validTo, now.getTime());
	return {...step, state: 'doubtful', text: `${trusted}; ${name}${expiry}`};
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
