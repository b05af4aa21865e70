import type {KeyObject, X509Certificate} from 'node:crypto';
import {faultsOfOurs, isShortKey, weaknesses} from '../../failures/our-certificate.ts';
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
import {endsAtRoot, ownCertificate} from '../../tls/peer/certificate-details.ts';
import type {FindIssuer} from '../../tls/peer/peer-chain.ts';
import {trustedIssuers} from '../../tls/trust/ca.ts';
import {purposeNames} from '../../util/purposes.ts';
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

/**
 * What is wrong with certificates and keys, alone and together.
 *
 * @param trustedIssuer - Finds the roots that need not be in the keystore.
 */
export function findFaults(
	keystore: Keystore,
	now: Date,
	trustedIssuer: FindIssuer = trustedIssuers(undefined),
): Finding[] {
	const certificates = keystore.certificates.map(({certificate}) => certificate);
	const keys = keystore.keys.map(({key}) => key);
	const identities = onePerKey(findIdentities(keystore, now));
	const leaves = identities.map(({leaf}) => leaf);
	const chains = leaves.map((leaf) => chainOf(leaf, certificates));
	return [
		...certificates
			.filter((each) => !leaves.includes(each))
			.flatMap((each) => validityFaults(certificateFacts(each), now)),
		...identityFaults(identities, chains, now, trustedIssuer),
		...keys.flatMap((key) => keyFaults(key, certificates)),
		...weakKeys(keys.filter((key) => !leaves.some((leaf) => fitsKey(leaf, key)))),
		...certificates.filter((each) => !chains.flat().includes(each)).flatMap(weakCertificate),
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
function identityFaults(
	identities: readonly StoredIdentity[],
	chains: readonly (readonly X509Certificate[])[],
	now: Date,
	trustedIssuer: FindIssuer,
): Finding[] {
	const isUsable = identities.some(({faults}) => faults.length === 0);
	const named = ({leaf, names}: StoredIdentity) =>
		names[0] === undefined || identities.length === 1 ? nameOf(leaf) : `'${names[0]}'`;
	return identities.flatMap((identity, at) => {
		const {leaf, faults} = identity;
		const chain = chains[at] ?? [leaf];
		const context = {now, endsAtRoot: endsAtRoot(chain, trustedIssuer)};
		const found = faultsOfOurs(chain.map(ownCertificate), context)
			// By date each other certificate of a file is judged alone, whether it is sent or not.
			.filter(({id}) => id !== 'own-chain-expired')
			.map(({index, predicate}): Finding => {
				const isRefused = faults.some(({message}) => message === predicate);
				const issuer = index === 0 ? undefined : chain[index];
				const name = issuer === undefined ? named(identity) : nameOf(issuer);
				return {
					state: isRefused && !isUsable ? 'bad' : 'doubtful',
					text: `${name} ${predicate}`,
				};
			});
		const {validTo, validFrom} = certificateFacts(leaf);
		if (faults.length > 0 || !endsSoon({validFrom, validTo}, now)) return found;
		const text = `${named(identity)} ${describeExpiry(validTo, now.getTime())}`;
		return [...found, {state: 'doubtful', text}];
	});
}

function keyFaults(key: KeyObject, certificates: readonly X509Certificate[]): Finding[] {
	if (certificates.length === 0 || certificates.some((each) => fitsKey(each, key))) return [];
	const names = certificates.length === 1 ? 'the certificate' : 'any of the certificates';
	return [{state: 'bad', text: `the key (${describeKey(key)}) does not fit ${names}`}];
}

function weakKeys(keys: readonly KeyObject[]): Finding[] {
	return keys
		.filter(({asymmetricKeyDetails: details}) => isShortKey(details?.modulusLength))
		.map((key) => ({
			state: 'doubtful',
			text: `the key (${describeKey(key)}) is shorter than servers want`,
		}));
}

/** A certificate that is sent with no key of the file. */
function weakCertificate(certificate: X509Certificate): Finding[] {
	return weaknesses(ownCertificate(certificate)).map(({predicate}) => ({
		state: 'doubtful',
		text: `${nameOf(certificate)} ${predicate}`,
	}));
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
