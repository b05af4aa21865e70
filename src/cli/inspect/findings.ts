import type {KeyObject, X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../index.ts';
import {certificateFacts} from '../../tls/credentials/certificate-facts.ts';
import {chainOf, fitsKey} from '../../tls/credentials/chain.ts';
import {describeExpiry} from '../../tls/credentials/expiry.ts';
import {
	findIdentities,
	type Keystore,
	onePerKey,
	type StoredIdentity,
} from '../../tls/credentials/keystore.ts';
import {purposeNames} from '../../tls/credentials/purposes.ts';
import {objectId, readDer, sequence} from '../../tls/pkcs12/der.ts';
import {commonName, day, endsSoon, fromNow, validityOf} from '../shared/format-certificate.ts';

/** A certificate as it is printed. */
export interface CertificateDescription extends CertificateFacts {
	readonly key: string;
	readonly purposes: readonly string[];
	readonly isCa: boolean;
}

/** What is wrong with a file. */
export interface Finding {
	/** `bad` is exit code 1; `doubtful` is worth a look. */
	readonly state: 'bad' | 'doubtful';
	readonly text: string;
}

export function describeCertificate(certificate: X509Certificate): CertificateDescription {
	const key = publicKeyOf(certificate);
	return {
		...certificateFacts(certificate),
		key: key ? describeKey(key) : 'of a kind that OpenSSL does not know',
		purposes: purposeNames(certificate.keyUsage ?? []),
		isCa: certificate.ca,
	};
}

/** `RSA, 2048 bits`; `EC, prime256v1`. */
export function describeKey(key: KeyObject): string {
	const {asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {}} = key;
	const {modulusLength, namedCurve} = details;
	const size = modulusLength === undefined ? namedCurve : `${modulusLength} bits`;
	const name = type.startsWith('ed') ? `Ed${type.slice(2)}` : type.toUpperCase();
	return size === undefined ? name : `${name}, ${size}`;
}

/** What is wrong with certificates and keys, alone and together. */
export function findFaults(keystore: Keystore, now: Date): Finding[] {
	const certificates = keystore.certificates.map(({certificate}) => certificate);
	const keys = keystore.keys.map(({key}) => key);
	const identities = onePerKey(findIdentities(keystore, now));
	const leaves = identities.map(({leaf}) => leaf);
	return [
		...certificates
			.filter((each) => !leaves.includes(each))
			.flatMap((each) => validityFaults(certificateFacts(each), now)),
		...identityFaults(identities, now),
		...keys.flatMap((key) => keyFaults(key, certificates)),
		...weakKeys([...keys, ...certificates.flatMap((each) => publicKeyOf(each) ?? [])]),
		...certificates.flatMap(weakSignature),
		...chainFaults(leaves, certificates),
	];
}

function validityFaults(certificate: CertificateFacts, now: Date): Finding[] {
	const {validFrom, validTo} = certificate;
	const name = `'${commonName(certificate.subject)}'`;
	switch (validityOf(certificate, now)) {
		case 'expired':
			return [{state: 'bad', text: `${name} ${describeExpiry(validTo, now.getTime())}`}];
		case 'not-yet-valid': {
			const text = `${name} is not valid before ${day(validFrom, now.getTime())} (${fromNow(validFrom, now)})`;
			return [{state: 'bad', text}];
		}
		case 'valid':
			return endsSoon(certificate, now)
				? [{state: 'doubtful', text: `${name} ${describeExpiry(validTo, now.getTime())}`}]
				: [];
	}
}

/** Where one identity can be used, the faults of the others are in nobody's way. */
function identityFaults(identities: readonly StoredIdentity[], now: Date): Finding[] {
	const isUsable = identities.some(({faults}) => faults.length === 0);
	const named = ({leaf, names}: StoredIdentity) =>
		names[0] === undefined || identities.length === 1 ? nameOf(leaf) : `'${names[0]}'`;
	return identities.flatMap((identity) => {
		const {leaf, faults} = identity;
		const found = faults.map(
			({message}): Finding => ({
				state: isUsable ? 'doubtful' : 'bad',
				text: `${named(identity)} ${message}`,
			}),
		);
		const {validTo, validFrom} = certificateFacts(leaf);
		if (faults.length > 0 || !endsSoon({validFrom, validTo}, now)) return found;
		const text = `${named(identity)} ${describeExpiry(validTo, now.getTime())}`;
		return [{state: 'doubtful', text}];
	});
}

function keyFaults(key: KeyObject, certificates: readonly X509Certificate[]): Finding[] {
	if (certificates.length === 0 || certificates.some((each) => fitsKey(each, key))) return [];
	const names = certificates.length === 1 ? 'the certificate' : 'any of the certificates';
	return [{state: 'bad', text: `the key (${describeKey(key)}) does not fit ${names}`}];
}

function weakKeys(keys: readonly KeyObject[]): Finding[] {
	const weak = keys.filter((key) => (key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048);
	const texts = new Set(weak.map((key) => `${describeKey(key)} is too short: OpenSSL refuses it`));
	return Array.from(texts, (text) => ({state: 'doubtful', text}));
}

// RFC 8017 A.2.4, RFC 3279 §2.2.3.
const weakHashes: Readonly<Record<string, string>> = {
	'1.2.840.113549.1.1.4': 'MD5',
	'1.2.840.113549.1.1.5': 'SHA-1',
	'1.2.840.10045.4.1': 'SHA-1',
};

// The signature of a root is not verified (RFC 5280 §6.1).
function weakSignature(certificate: X509Certificate): Finding[] {
	if (certificate.subject === certificate.issuer) return [];
	const [, algorithm] = sequence(readDer(certificate.raw));
	const hash = weakHashes[objectId(sequence(algorithm)[0])];
	if (hash === undefined) return [];
	const text = `${nameOf(certificate)} is signed with ${hash}: OpenSSL refuses it`;
	return [{state: 'doubtful', text}];
}

// A bundle of CAs is not a chain: without a key, the chain begins at the first certificate that is not a CA.
function chainFaults(
	leaves: readonly X509Certificate[],
	certificates: readonly X509Certificate[],
): Finding[] {
	const first = leaves[0] ?? certificates.find(({ca}) => !ca);
	if (first === undefined) return [];
	const ends = leaves.length > 0 ? leaves : [first];
	const chained = new Set(
		ends.flatMap((leaf) => chainOf(leaf, certificates)).map(({fingerprint256}) => fingerprint256),
	);
	return certificates
		.filter(({fingerprint256}) => !chained.has(fingerprint256))
		.map((each) => ({
			state: 'doubtful',
			text: `${nameOf(each)} is not part of the chain of ${nameOf(first)}`,
		}));
}

function nameOf(certificate: X509Certificate): string {
	return `'${commonName(certificateFacts(certificate).subject)}'`;
}

function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
	try {
		return certificate.publicKey;
	} catch {
		// OpenSSL does not know its algorithm; the other facts are still worth printing.
		return undefined;
	}
}
