/*
 * Chains of certificates with keys of every kind.
 */
import {generateKeyPairSync, getCurves, type KeyObject} from 'node:crypto';
import {createSecureContext} from 'node:tls';
import {toPem, writeCertificate} from './certificate-writer.ts';
import {iterations} from './iterations.ts';

/** What a side of a handshake shows, PEM. */
export interface OddKeyPlace {
	readonly name: string;
	readonly cert: string;
	readonly key: string;
	/** Who is to judge it: somebody who trusts our CA, or all the odd ones. */
	readonly trust: 'ours' | 'odd';
	/** The common name of the one above the leaf. */
	readonly issuer: string;
	/** One of the few that are tried in every way. */
	readonly closely: boolean;
}

export interface OddChains {
	/** PEM, by `trust`. */
	readonly ca: Readonly<Record<OddKeyPlace['trust'], readonly string[]>>;
	/** A usual chain of our CA. */
	readonly good: OddKeyPlace;
	readonly chains: readonly OddKeyPlace[];
}

interface Authority {
	readonly subject: string;
	readonly key: KeyObject;
	readonly cert: string;
}

/** Makes chains in which each kind of key is the leaf's, that of the issuer, and that of a certificate beside them. */
export function makeOddChains(): OddChains {
	const ca = authority('ours', generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey);
	const own = generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey;
	const shown = (
		name: string,
		trust: OddKeyPlace['trust'],
		issuer: Authority,
		key: KeyObject,
		...certs: readonly string[]
	): OddKeyPlace => ({
		name,
		trust,
		issuer: issuer.subject,
		closely: closely.test(name),
		cert: certs.join(''),
		key: key.export({type: 'pkcs8', format: 'pem'}).toString(),
	});
	const good = issue(own, ca);
	const odd: Authority[] = [];
	const chains = oddKeys().flatMap(([kind, key]) => {
		const issuer = authority(kind, key);
		odd.push(issuer);
		const issued = issue(own, issuer);
		const leaf = shown(`${kind} as leaf`, 'ours', ca, key, issue(key, ca));
		return [
			...(canBeServed(leaf) ? [leaf] : []),
			shown(`${kind} beside the chain`, 'ours', ca, own, good, issuer.cert),
			shown(`${kind} as issuer`, 'ours', issuer, own, issued, issuer.cert),
			shown(`${kind} as trusted issuer`, 'odd', issuer, own, issued, issuer.cert),
			shown(`${kind} as trusted issuer that is not sent`, 'odd', issuer, own, issued),
		];
	});
	return {
		ca: {ours: [ca.cert], odd: odd.map(({cert}) => cert)},
		good: shown('good', 'ours', ca, own, good),
		chains,
	};
}

/** OpenSSL takes no DSA and no SM2 for TLS, on either side. */
function canBeServed({cert, key}: OddKeyPlace): boolean {
	try {
		createSecureContext({cert, key, ciphers: 'DEFAULT@SECLEVEL=0'});
		return true;
	} catch {
		return false;
	}
}

function authority(subject: string, key: KeyObject): Authority {
	const cert = toPem(writeCertificate({subject, publicKey: key, key, authority: true}));
	return {subject, key, cert};
}

function issue(publicKey: KeyObject, issuer: Authority): string {
	return toPem(writeCertificate({subject: 'peer', publicKey, issuer}));
}

/** By the name of the key. */
const closely = /^(secp256k1|prime256v1|SM2|brainpoolP256r1|Oakley-EC2N-3|DSA|RSA-PSS|Ed448)\b/;

/** Private keys by kind. */
function oddKeys(): (readonly [string, KeyObject])[] {
	const curves = getCurves().filter(
		(curve, index) =>
			closely.test(curve) || index % iterations({usual: 5, short: 25, long: 1}) === 0,
	);
	return [
		...curves.map((curve) => [curve, ecKey(curve)] as const),
		['secp256k1 by its parameters', explicitKey('secp256k1')],
		['DSA', generateKeyPairSync('dsa', {modulusLength: 1024, divisorLength: 160}).privateKey],
		['RSA-PSS', generateKeyPairSync('rsa-pss', {modulusLength: 2048}).privateKey],
		['Ed25519', generateKeyPairSync('ed25519').privateKey],
		['Ed448', generateKeyPairSync('ed448').privateKey],
	];
}

// Two curves of OpenSSL have no OID, so that a certificate cannot name them but by their parameters.
function ecKey(namedCurve: string): KeyObject {
	return namedCurve.startsWith('Oakley')
		? explicitKey(namedCurve)
		: generateKeyPairSync('ec', {namedCurve}).privateKey;
}

function explicitKey(namedCurve: string): KeyObject {
	return generateKeyPairSync('ec', {namedCurve, paramEncoding: 'explicit'}).privateKey;
}
