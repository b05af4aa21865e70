import type {KeyObject, X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../index.ts';
import {certificateFacts} from '../../tls/credentials/certificate-facts.ts';
import {chainOf, findLeaf} from '../../tls/credentials/chain.ts';
import {checkPurpose} from '../../tls/credentials/checks.ts';
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
		purposes: (certificate.keyUsage ?? []).map((oid) => purposeNames[oid] ?? oid),
		isCa: certificate.ca,
	};
}

// RFC 5280 §4.2.1.12.
const purposeNames: Readonly<Record<string, string>> = {
	'1.3.6.1.5.5.7.3.1': 'serverAuth',
	'1.3.6.1.5.5.7.3.2': 'clientAuth',
	'1.3.6.1.5.5.7.3.3': 'codeSigning',
	'1.3.6.1.5.5.7.3.4': 'emailProtection',
	'1.3.6.1.5.5.7.3.8': 'timeStamping',
	'1.3.6.1.5.5.7.3.9': 'OCSPSigning',
	'2.5.29.37.0': 'any',
};

/** `RSA, 2048 bits`; `EC, prime256v1`. */
export function describeKey(key: KeyObject): string {
	const {asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {}} = key;
	const {modulusLength, namedCurve} = details;
	const size = modulusLength === undefined ? namedCurve : `${modulusLength} bits`;
	const name = type.startsWith('ed') ? `Ed${type.slice(2)}` : type.toUpperCase();
	return size === undefined ? name : `${name}, ${size}`;
}

/** What is wrong with certificates and keys, alone and together. */
export function findFaults(
	certificates: readonly X509Certificate[],
	keys: readonly KeyObject[],
	now: Date,
): Finding[] {
	const leaves = keys.flatMap((key) => findLeaf(key, certificates, now) ?? []);
	return [
		...certificates.flatMap((each) => validityFaults(certificateFacts(each), now)),
		...keys.flatMap((key) => keyFaults(key, certificates, now)),
		...leaves.flatMap(purposeFaults),
		...weakKeys([...keys, ...certificates.flatMap((each) => publicKeyOf(each) ?? [])]),
		...certificates.flatMap(weakSignature),
		...chainFaults(leaves, certificates),
	];
}

function validityFaults(certificate: CertificateFacts, now: Date): Finding[] {
	const {validFrom, validTo} = certificate;
	const name = `'${commonName(certificate.subject)}'`;
	switch (validityOf(certificate, now)) {
		case 'expired': {
			const text = `${name} expired on ${day(validTo)} (${fromNow(validTo, now)})`;
			return [{state: 'bad', text}];
		}
		case 'not-yet-valid': {
			const text = `${name} is not valid before ${day(validFrom)} (${fromNow(validFrom, now)})`;
			return [{state: 'bad', text}];
		}
		case 'valid':
			return endsSoon(validTo, now)
				? [{state: 'doubtful', text: `${name} expires ${fromNow(validTo, now)}: renew it`}]
				: [];
	}
}

function keyFaults(key: KeyObject, certificates: readonly X509Certificate[], now: Date): Finding[] {
	if (certificates.length === 0 || findLeaf(key, certificates, now) !== undefined) return [];
	const names = certificates.length === 1 ? 'the certificate' : 'any of the certificates';
	return [{state: 'bad', text: `the key (${describeKey(key)}) does not fit ${names}`}];
}

// Checked only with its key: that pair is for `createClient`, which refuses it.
function purposeFaults(leaf: X509Certificate): Finding[] {
	const fault = checkPurpose(leaf);
	return fault === undefined ? [] : [{state: 'bad', text: `${nameOf(leaf)} ${fault.message}`}];
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
