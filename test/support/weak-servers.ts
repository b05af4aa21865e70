/*
 * Servers that OpenSSL 3 has grown too strict for. They run at its security level 0.
 */
import {createDiffieHellmanGroup, KeyObject, randomBytes, webcrypto} from 'node:crypto';
import {once} from 'node:events';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {loadX509} from '../../src/testing/x509.ts';
import {onTestFinished} from './on-test-finished.ts';
import {type PlainServer, startTcp} from './plain-server.ts';

export interface WeakServer {
	readonly url: string;
	readonly ca: string;
	/** Requests that reached it. */
	readonly requests: string[];
}

type Hash = 'SHA-1' | 'SHA-256';
type Keys = webcrypto.CryptoKeyPair;
interface Authority {
	readonly name: string;
	readonly keys: Keys;
}

/** With an RSA key of 1024 bits. */
export async function startShortKey(): Promise<WeakServer> {
	const root = {name: 'CN=root', keys: await rsa(2048)};
	return start(root, [], {name: 'CN=short', keys: await rsa(1024)}, root);
}

/** Below an intermediate CA with an RSA key of 1024 bits. */
export async function startShortCaKey(): Promise<WeakServer> {
	const root = {name: 'CN=root', keys: await rsa(2048)};
	const issuer = {name: 'CN=issuer', keys: await rsa(1024)};
	const between = await issue({...issuer, authority: true}, root);
	return start(root, [between], {name: 'CN=leaf', keys: await rsa(2048)}, issuer);
}

/** With a certificate that is signed with SHA-1. */
export async function startSha1(): Promise<WeakServer> {
	const old = {name: 'CN=root', keys: await rsa(2048, 'SHA-1')};
	return start(old, [], {name: 'CN=leaf', keys: await rsa(2048)}, old);
}

/** With Diffie-Hellman parameters of 1024 bits, and no other key exchange. */
export async function startShortDh(): Promise<WeakServer> {
	const root = {name: 'CN=root', keys: await rsa(2048)};
	return start(root, [], {name: 'CN=leaf', keys: await rsa(2048)}, root, {
		dhparam: dhParameters('modp2'),
		ciphers: 'DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0',
		maxVersion: 'TLSv1.2',
	});
}

/** Answers a hello as a server before RFC 5746 did, and hangs up after it. */
export function startLegacy(): Promise<PlainServer> {
	return startTcp((socket) =>
		socket.once('data', () => {
			// TLS 1.2, a random, no session, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, no compression, and no
			// extension.
			const hello = Buffer.concat([
				Buffer.from([3, 3]),
				randomBytes(32),
				Buffer.from([0, 0xc0, 0x2f, 0]),
			]);
			const message = Buffer.concat([Buffer.from([2, 0, 0, hello.length]), hello]);
			socket.end(Buffer.concat([Buffer.from([22, 3, 3, 0, message.length]), message]));
		}),
	);
}

async function start(
	root: Authority,
	between: readonly string[],
	leaf: Authority,
	issuer: Authority,
	options: https.ServerOptions = {},
): Promise<WeakServer> {
	const own = await issue({...leaf, authority: false}, issuer);
	const requests: string[] = [];
	const server = https.createServer(
		{
			cert: [own, ...between].join(''),
			key: KeyObject.from(leaf.keys.privateKey).export({type: 'pkcs8', format: 'pem'}),
			ciphers: 'DEFAULT@SECLEVEL=0',
			...options,
		},
		(request, response) => {
			requests.push(request.url ?? '');
			response.end('weak');
		},
	);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(async () => {
		const closed = once(server, 'close');
		server.close();
		server.closeAllConnections();
		await closed;
	});
	const {port} = server.address() as AddressInfo;
	const ca = await issue({...root, authority: true}, root);
	return {url: `https://localhost:${port}/`, ca, requests};
}

async function issue(
	{name, keys, authority}: Authority & {readonly authority: boolean},
	issuer: Authority,
): Promise<string> {
	const x509 = await loadX509();
	const certificate = await x509.X509CertificateGenerator.create({
		subject: name,
		issuer: issuer.name,
		notBefore: new Date(Date.now() - 86_400_000),
		notAfter: new Date(Date.now() + 86_400_000),
		publicKey: keys.publicKey,
		signingKey: issuer.keys.privateKey,
		signingAlgorithm: issuer.keys.privateKey.algorithm,
		extensions: [
			new x509.BasicConstraintsExtension(authority, undefined, true),
			authority
				? new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)
				: new x509.SubjectAlternativeNameExtension([{type: 'dns', value: 'localhost'}]),
		],
	});
	return `${certificate.toString('pem')}\n`;
}

function rsa(modulusLength: number, hash: Hash = 'SHA-256'): Promise<Keys> {
	const publicExponent = new Uint8Array([1, 0, 1]);
	const algorithm = {name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent, hash};
	return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** `SEQUENCE {prime INTEGER, base INTEGER 2}`, PKCS #3. */
function dhParameters(group: string): string {
	const prime = createDiffieHellmanGroup(group).getPrime();
	// The first bit is set, which in an INTEGER is a sign.
	const integer = Buffer.concat([Buffer.from([2, 0x81, prime.length + 1, 0]), prime]);
	const body = Buffer.concat([integer, Buffer.from([2, 1, 2])]);
	const der = Buffer.concat([Buffer.from([0x30, 0x81, body.length]), body]);
	const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
	return `-----BEGIN DH PARAMETERS-----\n${lines}\n-----END DH PARAMETERS-----\n`;
}
