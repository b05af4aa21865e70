import {day} from '../util/day.ts';
import {isForClients, purposeNames} from '../util/purposes.ts';

/** What is known of a certificate that we send, leaf first in a list. */
export interface OwnCertificate {
	readonly subject: string;
	readonly issuer: string;
	/** ISO 8601, UTC. */
	readonly validFrom: string;
	readonly validTo: string;
	/** The OIDs of its extendedKeyUsage; `undefined` without the extension. */
	readonly purposes: readonly string[] | undefined;
	/** The names of its keyUsage bits (RFC 5280 §4.2.1.3); `undefined` without the extension. */
	readonly keyUsage: readonly string[] | undefined;
	/** The hash of its signature, if it is one that servers no longer accept: `SHA-1`. */
	readonly weakDigest: string | undefined;
	/** Node's `asymmetricKeyType`; `undefined` where OpenSSL does not know it. */
	readonly keyType: string | undefined;
	/** Of an RSA or DSA key. */
	readonly keyBits: number | undefined;
	/** OpenSSL's name of the curve of an EC key: `prime256v1`. */
	readonly curve: string | undefined;
	/** Where the certificate of its issuer can be fetched. */
	readonly caIssuers: readonly string[];
}

export type OwnFaultId =
	| 'own-expired'
	| 'own-not-yet-valid'
	| 'own-no-client-auth'
	| 'own-key-usage'
	| 'own-weak-signature'
	| 'own-short-key'
	| 'own-curve'
	| 'own-chain-expired'
	| 'own-chain-incomplete';

/** What a server is likely to object to in our certificate; known before connecting. */
export interface OwnFault {
	readonly id: OwnFaultId;
	/** Which certificate of the chain it is about; the leaf is 0. */
	readonly index: number;
	/** To follow the name of that certificate: `expired on 2026-11-05`. */
	readonly predicate: string;
	/** One sentence without a full stop. */
	readonly text: string;
	/** What to do about it. */
	readonly repair: string;
}

/** The curves whose signatures TLS 1.3 knows (RFC 8446 §4.2.3), by OpenSSL's names. */
const curveDigests: Readonly<Record<string, string>> = {
	prime256v1: 'SHA256',
	secp384r1: 'SHA384',
	secp521r1: 'SHA512',
};

/** What {@link faultsOfOurs} compares the certificates with. */
export interface FaultContext {
	readonly now: Date;
	/** Whether the issuer of the last certificate is known to be a root, which need not be sent. */
	readonly endsAtRoot: boolean;
}

/** A fault of one certificate, before it is known which one of ours it is. */
type Fault = Pick<OwnFault, 'id' | 'predicate' | 'repair'>;

/**
 * What is wrong with our certificate in the eyes of most servers, worst first.
 *
 * @param chain - What is sent, leaf first; nothing is wrong with an empty one.
 */
export function faultsOfOurs(
	chain: readonly OwnCertificate[],
	{now, endsAtRoot}: FaultContext,
): OwnFault[] {
	const time = now.getTime();
	return chain.flatMap((each, index) => {
		const isLast = index === chain.length - 1;
		const found = [
			...(index === 0 ? faultsOfLeaf(each, time) : faultsOfIssuer(each, time)),
			...(isLast && !endsAtRoot ? missingIssuer(each) : []),
		];
		const name =
			index === 0
				? `our certificate '${each.subject}'`
				: `'${each.subject}', which is sent with our certificate,`;
		return found.map((fault) => ({...fault, index, text: `${name} ${fault.predicate}`}));
	});
}

function faultsOfLeaf(leaf: OwnCertificate, now: number): Fault[] {
	const {issuer, validFrom, validTo, purposes, keyUsage} = leaf;
	const replaced = (how: string) => `have '${issuer}' issue our certificate ${how}`;
	const found: Fault[] = [];
	const add = (id: OwnFaultId, predicate: string, repair: string) =>
		found.push({id, predicate, repair});

	if (Date.parse(validTo) < now) {
		add(
			'own-expired',
			`expired on ${day(validTo, now)}`,
			`have our certificate renewed by its issuer, '${issuer}'`,
		);
	} else if (Date.parse(validFrom) > now) {
		const today = day(new Date(now).toISOString(), Date.parse(validFrom));
		add(
			'own-not-yet-valid',
			`is not valid before ${day(validFrom, now)} (this machine's date: ${today})`,
			"wait until that date, or set this machine's clock",
		);
	}
	if (!isForClients(purposes)) {
		const names = purposeNames(purposes ?? []).join(', ');
		add(
			'own-no-client-auth',
			`is not for clients: its extendedKeyUsage${names && ` (${names})`} lacks clientAuth`,
			replaced('with clientAuth in its extendedKeyUsage'),
		);
	}
	if (keyUsage !== undefined && !keyUsage.includes('digitalSignature')) {
		add(
			'own-key-usage',
			`may not sign a handshake: its keyUsage (${keyUsage.join(', ')}) lacks digitalSignature`,
			replaced('with digitalSignature in its keyUsage'),
		);
	}
	return [...found, ...weaknesses(leaf), ...faultsOfCurve(leaf)];
}

function faultsOfCurve({issuer, keyType, curve}: OwnCertificate): Fault[] {
	if (keyType !== 'ec' || Object.hasOwn(curveDigests, curve ?? '')) return [];
	return [
		{
			id: 'own-curve',
			predicate: `has a key on ${curve === undefined ? 'a curve of its own' : `the curve ${curve}`}, which TLS 1.3 does not know`,
			repair: `have '${issuer}' issue our certificate for a key on P-256`,
		},
	];
}

function faultsOfIssuer(certificate: OwnCertificate, now: number): Fault[] {
	const {subject, issuer, validTo} = certificate;
	// A root is not checked by date everywhere, and need not be sent.
	if (subject === issuer) return [];
	const expired: Fault = {
		id: 'own-chain-expired',
		predicate: `expired on ${day(validTo, now)}`,
		repair: `put the current certificate of '${subject}' into \`mtls.cert\``,
	};
	return [...(Date.parse(validTo) < now ? [expired] : []), ...weaknesses(certificate)];
}

/** In bits, of an RSA or DSA key; OpenSSL's at security level 2. */
const minKeyBits = 2048;

export function isShortKey(bits: number | undefined): boolean {
	return bits !== undefined && bits < minKeyBits;
}

/** What the security level of the server's TLS objects to, whatever a certificate is for. */
export function weaknesses({
	subject,
	issuer,
	weakDigest,
	keyBits,
}: Pick<OwnCertificate, 'subject' | 'issuer' | 'weakDigest' | 'keyBits'>): Fault[] {
	const replaced = (how: string) => `have '${issuer}' issue the certificate '${subject}' ${how}`;
	// The signature of a root is not verified (RFC 5280 §6.1).
	const isWeak = weakDigest !== undefined && subject !== issuer;
	const signature: Fault = {
		id: 'own-weak-signature',
		predicate: `is signed with ${weakDigest}, which servers no longer accept`,
		repair: replaced('signed with SHA-256'),
	};
	const key: Fault = {
		id: 'own-short-key',
		predicate: `has a key of ${keyBits} bits, and servers want ${minKeyBits}`,
		repair: replaced(`for a key of ${minKeyBits} bits or more`),
	};
	return [...(isWeak ? [signature] : []), ...(isShortKey(keyBits) ? [key] : [])];
}

/**
 * Whether an issuer is likely an intermediate CA, by its name and by whether its certificate can be
 * fetched: clients have the certificates of roots.
 */
export function looksIntermediate(
	issuer: string,
	caIssuers: readonly string[],
): 'yes' | 'no' | 'unknown' {
	if (/\b(intermediate|issuing|sub-?ca)\b/i.test(issuer)) return 'yes';
	if (/\broot\b/i.test(issuer)) return 'no';
	return caIssuers.length > 0 || /\b(ca ?|g)\d+\b/i.test(issuer) ? 'yes' : 'unknown';
}

function missingIssuer({subject, issuer, caIssuers}: OwnCertificate): Fault[] {
	if (subject === issuer || looksIntermediate(issuer, caIssuers) !== 'yes') return [];
	const from = caIssuers[0] === undefined ? '' : ` (from ${caIssuers[0]})`;
	return [
		{
			id: 'own-chain-incomplete',
			predicate: `was issued by '${issuer}', which seems to be an intermediate CA, and whose certificate is not sent with ours: a server that knows only the root cannot verify it`,
			repair: `put the certificate of '${issuer}'${from} behind ours in \`mtls.cert\``,
		},
	];
}

/**
 * Whether a key can sign with one of the algorithms that a server asked for. OpenSSL sends no
 * certificate whose key cannot.
 *
 * @param algorithms - In OpenSSL's names, as `getSharedSigalgs()` of `node:tls` returns them.
 * @param protocol - With TLS 1.3 a curve goes with one hash, and RSA with PSS alone (RFC 8446 §4.2.3).
 */
export function canSign(
	{keyType, curve}: Pick<OwnCertificate, 'keyType' | 'curve'>,
	algorithms: readonly string[],
	protocol: string | undefined,
): boolean {
	const isNew = protocol === 'TLSv1.3';
	const some = (pattern: RegExp) => algorithms.some((each) => pattern.test(each));
	switch (keyType) {
		case 'rsa':
			return some(isNew ? /^RSA-PSS\+/i : /^RSA(-PSS)?\+/i);
		case 'rsa-pss':
			return some(/^RSA-PSS\+/i);
		case 'ec': {
			if (!isNew) return some(/^ECDSA\+/i);
			const digest = curveDigests[curve ?? ''];
			return digest !== undefined && algorithms.includes(`ECDSA+${digest}`);
		}
		case 'ed25519':
			return some(/^ed25519/i);
		case 'ed448':
			return some(/^ed448/i);
		default:
			return true;
	}
}
