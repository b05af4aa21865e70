/*
 * Our own certificate as the server is likely to judge it, and what the server's CertificateRequest says
 * about those that it accepts (RFC 5246 §7.4.4).
 */
import {createPrivateKey, X509Certificate} from 'node:crypto';
import type {ServerFlight} from '../../connection/server-flight.ts';
import {looksIntermediate} from '../../failures/our-certificate.ts';
import type {MtlsOptions} from '../../index.ts';
import {certificateFacts} from '../../tls/credentials/certificate-facts.ts';
import {loadCredentials} from '../../tls/credentials/load-credentials.ts';
import {passphraseProvider} from '../../tls/credentials/passphrase.ts';
import type {CertificateRequest} from '../../tls/peer/certificate-request.ts';
import {type DistinguishedName, issuerName} from '../../tls/peer/distinguished-name.ts';
import {DerError} from '../../tls/pkcs12/der.ts';
import {loadCa, trustedIssuers} from '../../tls/trust/ca.ts';
import {type Finding, findFaults} from '../inspect/findings.ts';
import {commonName, day, fromNow} from '../shared/format-certificate.ts';
import type {Step} from './report.ts';

/** The client certificate of the options. */
export interface OwnCertificate {
	/** What is sent: the leaf, then each one's issuer as far as given. */
	readonly chain: readonly X509Certificate[];
	/** What is wrong with it, whoever the server is. */
	readonly faults: readonly Finding[];
}

/** Reads the certificate of the options; `undefined` when there is none. @throws {MtlsConfigError} */
export function readOwnCertificate(mtls: MtlsOptions, now: Date): OwnCertificate | undefined {
	const getPassphrase = passphraseProvider(mtls);
	const credentials = loadCredentials(mtls, now, getPassphrase);
	if (credentials === undefined) return undefined;
	const blocks = credentials.cert.match(/-----BEGIN[\s\S]+?-----END [A-Z ]+-----/g) ?? [];
	const chain = blocks.map((block) => new X509Certificate(block));
	const keystore = {
		keys: [{key: createPrivateKey(credentials.key), name: undefined}],
		certificates: chain.map((certificate) => ({certificate, name: undefined})),
	};
	const trusted = trustedIssuers(loadCa(mtls.ca, getPassphrase));
	return {chain, faults: findFaults(keystore, now, trusted)};
}

/** The step about our own certificate; none without one. */
export function ownCertificateStep(own: OwnCertificate | undefined, now: Date): Step[] {
	const [leaf] = own?.chain ?? [];
	if (own === undefined || leaf === undefined) return [];
	const step = {id: 'own-certificate', title: 'our certificate'} as const;
	const faults = own.faults.map(({text}) => text);
	if (faults.length > 0) {
		const isBad = own.faults.some(({state}) => state === 'bad');
		return [{...step, state: isBad ? 'bad' : 'doubtful', text: faults.join('; ')}];
	}
	const until = leaf.validToDate.toISOString();
	const issuer = commonName(issuerOf(leaf)?.text ?? '');
	const text = `'${nameOf(leaf)}', issued by '${issuer}', valid until ${day(until)} (${fromNow(until, now)})`;
	return [{...step, state: 'good', text}];
}

function nameOf({subject}: X509Certificate): string {
	return commonName((subject ?? '').split('\n').join(', '));
}

/** `undefined` for a certificate whose name cannot be read. */
function issuerOf(certificate: X509Certificate): DistinguishedName | undefined {
	try {
		return issuerName(certificate);
	} catch (error) {
		if (error instanceof DerError) return undefined;
		throw error;
	}
}

/** What the server accepts, as far as it says, and whether ours is that. */
export interface Acceptance {
	/** The CAs that it names; `undefined` where they were not seen. */
	readonly issuers: readonly DistinguishedName[] | undefined;
	/** One has the name of an issuer of our chain, its key unseen; `undefined` where this is not known. */
	readonly isIssuerNamed: boolean | undefined;
	/** That name; of several, that of the issuer that is nearest to our certificate. */
	readonly namedIssuer: string | undefined;
	/** One of them has issued the last certificate that we send. */
	readonly isLastIssuerNamed: boolean;
	/** The issuer of the last certificate that we send, if that is not self-signed: it is not in the file. */
	readonly missingIssuer: string | undefined;
	/** By its name and by the address of its certificate, it is no root: a root need not be sent. */
	readonly isIntermediateMissing: boolean;
	/** The kind of our key, where none of the server's signature algorithms is for it. */
	readonly unusableKey: string | undefined;
	/** The algorithms that the server names, where none is for our key. */
	readonly signatureAlgorithms: readonly string[];
}

/** Compares our certificate with what the server asks for. */
export function compareWithRequest(
	own: OwnCertificate | undefined,
	request: CertificateRequest | undefined,
): Acceptance {
	const issuers = request?.authorities;
	const chain = own?.chain ?? [];
	const last = chain.at(-1);
	const names = chain.map((each) => issuerOf(each)?.key);
	const missingIssuer =
		last === undefined || last.checkIssued(last) ? undefined : issuerOf(last)?.text;
	const unusable = unusableKey(chain[0], request);
	const named = names
		.map((name) => issuers?.find(({key}) => key === name))
		.find((issuer) => issuer !== undefined);
	return {
		issuers,
		isIssuerNamed:
			issuers === undefined || issuers.length === 0 || last === undefined
				? undefined
				: named !== undefined,
		namedIssuer: named?.text,
		isLastIssuerNamed: issuers?.some(({key}) => key === names.at(-1)) ?? false,
		missingIssuer,
		isIntermediateMissing:
			last !== undefined &&
			missingIssuer !== undefined &&
			looksIntermediate(missingIssuer, certificateFacts(last).caIssuers) === 'yes',
		unusableKey: unusable,
		signatureAlgorithms: unusable === undefined ? [] : (request?.signatureAlgorithms ?? []),
	};
}

/** By the type of a key, the signature algorithms that it can make (RFC 8446 §4.2.3). */
const algorithmsOf: Readonly<Record<string, RegExp>> = {
	rsa: /^rsa_(pkcs1|pss_rsae)_/,
	'rsa-pss': /^rsa_pss_pss_/,
	ec: /^ecdsa_/,
	ed25519: /^ed25519$/,
	ed448: /^ed448$/,
	dsa: /^dsa_/,
};

function unusableKey(
	leaf: X509Certificate | undefined,
	request: CertificateRequest | undefined,
): string | undefined {
	if (leaf === undefined || request === undefined) return undefined;
	const type = keyType(leaf);
	const pattern = algorithmsOf[type ?? ''];
	if (pattern === undefined || request.signatureAlgorithms.length === 0) return undefined;
	return request.signatureAlgorithms.some((name) => pattern.test(name))
		? undefined
		: type?.toUpperCase();
}

function keyType(leaf: X509Certificate): string | undefined {
	try {
		return leaf.publicKey.asymmetricKeyType;
	} catch {
		// A kind of key that OpenSSL does not know.
		return undefined;
	}
}

/** Alert protocol_version (RFC 8446 §6.2). */
const protocolVersion = 70;

/** The step about the CAs that the server names; none where it was not asked. */
export function acceptanceStep(
	flight: ServerFlight | undefined,
	{issuers, isIssuerNamed, unusableKey, signatureAlgorithms}: Acceptance,
	own: OwnCertificate | undefined,
	accepted: boolean | null,
): Step[] {
	const step = {id: 'accepted-issuers', title: 'accepted CAs'} as const;
	if (flight?.state === 'alert' && flight.alert === protocolVersion) {
		const text = 'not to be seen: the server speaks TLS 1.3 alone, which encrypts its list';
		return [{...step, state: 'open', text}];
	}
	if (issuers === undefined) return [];
	if (unusableKey !== undefined) {
		const text = `the server verifies no signature of our ${unusableKey} key, only ${signatureAlgorithms.join(', ')}`;
		return [{...step, state: 'bad', text}];
	}
	if (issuers.length === 0) {
		return [{...step, state: 'open', text: 'the server names none that it accepts'}];
	}
	const names = listIssuers(issuers);
	if (isIssuerNamed === undefined) {
		return [{...step, state: 'open', text: `the server accepts certificates of ${names}`}];
	}
	if (isIssuerNamed && accepted === false) {
		const text = `the server names a CA with the name of the issuer of ours: ${names}; whether it has the same key cannot be seen`;
		return [{...step, state: 'open', text}];
	}
	if (isIssuerNamed) {
		return [{...step, state: 'good', text: `the server names the issuer of ours: ${names}`}];
	}
	const issuer = ownIssuer(own);
	const text = `the server names ${names}, not the issuer of ours, '${issuer}'`;
	return [{...step, state: accepted ? 'doubtful' : 'bad', text}];
}

/** The common name of the issuer of our certificate. */
export function ownIssuer(own: OwnCertificate | undefined): string {
	const leaf = own?.chain[0];
	return commonName((leaf && issuerOf(leaf)?.text) ?? '');
}

const maxNames = 4;

/** `'A', 'B' and 3 more`. */
export function listIssuers(issuers: readonly DistinguishedName[]): string {
	const names = issuers.slice(0, maxNames).map(({text}) => `'${commonName(text)}'`);
	const more = issuers.length - names.length;
	return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
