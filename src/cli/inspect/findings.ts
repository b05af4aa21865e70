import {createHash, createPublicKey, type KeyObject, type X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../index.ts';
import {commonName, day, fromNow} from '../shared/format-certificate.ts';
import type {Contents} from './read-file.ts';

/** What is told of a certificate; `null` where a PKCS#12 does not let it be seen. */
export interface Described {
	readonly subject: string;
	readonly issuer: string;
	readonly altNames: readonly string[];
	readonly validFrom: string;
	readonly validTo: string;
	readonly key: string | null;
	readonly pin: string;
	readonly fingerprint256: string;
	readonly purposes: readonly string[] | null;
	readonly isCa: boolean | null;
}

/** What is wrong with a file. */
export interface Finding {
	/** `bad` is exit code 1; `doubtful` is worth a look. */
	readonly state: 'bad' | 'doubtful';
	readonly text: string;
}

/** Describes a certificate by itself. */
export function describeCertificate(certificate: X509Certificate): Described {
	const {subject, issuer, subjectAltName, validFromDate, validToDate, fingerprint256, ca} =
		certificate;
	const key = publicKeyOf(certificate);
	return {
		// Node answers `undefined` for an empty name, against its types.
		subject: (subject ?? '').split('\n').join(', '),
		issuer: (issuer ?? '').split('\n').join(', '),
		altNames: subjectAltName?.split(', ') ?? [],
		validFrom: isoDate(validFromDate),
		validTo: isoDate(validToDate),
		key: key ? describeKey(key) : 'of a kind that OpenSSL does not know',
		pin: key ? pinOf(key) : '',
		fingerprint256,
		purposes: (certificate.keyUsage ?? []).map((oid) => purposeNames[oid] ?? oid),
		isCa: ca,
	};
}

/** Describes the certificate of a PKCS#12, as far as the library tells it. */
export function describeIdentity(facts: CertificateFacts): Described {
	return {...facts, key: null, purposes: null, isCa: null};
}

const purposeNames: Readonly<Record<string, string>> = {
	'1.3.6.1.5.5.7.3.1': 'serverAuth',
	'1.3.6.1.5.5.7.3.2': 'clientAuth',
	'1.3.6.1.5.5.7.3.3': 'codeSigning',
	'1.3.6.1.5.5.7.3.4': 'emailProtection',
	'1.3.6.1.5.5.7.3.8': 'timeStamping',
	'1.3.6.1.5.5.7.3.9': 'OCSPSigning',
	'2.5.29.37.0': 'any',
};

/** `RSA, 2048 bits`; `EC, prime256v1`. Nothing of the key itself. */
export function describeKey(key: KeyObject): string {
	const {asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {}} = key;
	const {modulusLength, namedCurve} = details;
	const size = modulusLength === undefined ? namedCurve : `${modulusLength} bits`;
	const name = type.startsWith('ed') ? `Ed${type.slice(2)}` : type.toUpperCase();
	return size === undefined ? name : `${name}, ${size}`;
}

/** The pin of a public key, or of that of a private one (RFC 7469 §2.4). */
export function pinOf(key: KeyObject): string {
	const shown = key.type === 'private' ? createPublicKey(key) : key;
	const spki = shown.export({type: 'spki', format: 'der'});
	return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}

/** What is wrong with certificates and keys, alone and together. */
export function findFaults(
	{certificates, identity}: Contents,
	keys: readonly KeyObject[],
	now: Date,
): Finding[] {
	const described = [
		...certificates.map(describeCertificate),
		...(identity ? [describeIdentity(identity)] : []),
	];
	return [
		...described.flatMap((it) => timeFaults(it, now)),
		...keys.flatMap((key) => fitFaults(key, certificates)),
		...weaknesses(certificates, keys),
		...chainFaults(certificates, keys),
	];
}

function timeFaults({subject, validFrom, validTo}: Described, now: Date): Finding[] {
	const name = `'${commonName(subject)}'`;
	const [begin, end, time] = [Date.parse(validFrom), Date.parse(validTo), now.getTime()];
	if (end < time) {
		return [{state: 'bad', text: `${name} expired on ${day(validTo)} (${fromNow(validTo, now)})`}];
	}
	if (begin > time) {
		const text = `${name} is not valid before ${day(validFrom)} (${fromNow(validFrom, now)})`;
		return [{state: 'bad', text}];
	}
	if (end - time > soonMs) return [];
	return [{state: 'doubtful', text: `${name} expires ${fromNow(validTo, now)}: renew it`}];
}

const soonMs = 30 * 24 * 60 * 60 * 1000;

function fitFaults(key: KeyObject, certificates: readonly X509Certificate[]): Finding[] {
	if (certificates.length === 0 || certificates.some((it) => it.checkPrivateKey(key))) return [];
	const names = certificates.length === 1 ? 'the certificate' : 'any of the certificates';
	return [{state: 'bad', text: `the key (${describeKey(key)}) does not fit ${names}`}];
}

function weaknesses(
	certificates: readonly X509Certificate[],
	keys: readonly KeyObject[],
): Finding[] {
	const all = [...keys, ...certificates.flatMap((it) => publicKeyOf(it) ?? [])];
	const weak = all.filter((it) => (it.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048);
	const told = new Set(weak.map((it) => `${describeKey(it)} is too short: OpenSSL refuses it`));
	return [...told].map((text) => ({state: 'doubtful', text}));
}

// Only where it is somebody's own certificate: a bundle of CAs is no chain.
function chainFaults(
	certificates: readonly X509Certificate[],
	keys: readonly KeyObject[],
): Finding[] {
	const leaf = certificates.find((it) => keys.some((key) => it.checkPrivateKey(key)));
	const first = leaf ?? certificates.find((it) => !it.ca);
	if (first === undefined || certificates.length < 2) return [];
	const strangers = new Set(certificates);
	let current: X509Certificate | undefined = first;
	while (current !== undefined && strangers.delete(current)) {
		const signed: X509Certificate = current;
		current = certificates.find((it) => strangers.has(it) && signed.checkIssued(it));
	}
	return Array.from(strangers, (it) => ({
		state: 'doubtful',
		text: `'${commonName((it.subject ?? '').split('\n').join(', '))}' is not part of the chain of '${commonName((first.subject ?? '').split('\n').join(', '))}'`,
	}));
}

function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
	try {
		return certificate.publicKey;
	} catch {
		// An algorithm that this OpenSSL does not know: the other facts are still worth telling.
		return undefined;
	}
}

function isoDate(date: Date): string {
	return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString();
}
