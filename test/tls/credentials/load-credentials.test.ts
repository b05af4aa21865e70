import {createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import {createClient} from '../../../src/index.ts';
import {
	type CertificateAuthority,
	type Credential,
	createTestPki,
	type TestPki,
} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {configRefusal, exportKeyAs} from '../../support/config-refusal.ts';
import {issueFor, signer} from '../../support/issue-for.ts';

const passphrase = 'MARK-correct-horse';

let pki: TestPki;
let inner: CertificateAuthority;
let client: Credential;
let rsa: Credential;
let ed25519: Credential;
let other: Credential;
beforeAll(async () => {
	pki = await createTestPki();
	inner = await (await pki.intermediate({commonName: 'Outer CA'})).intermediate({
		commonName: 'Inner CA',
	});
	[client, rsa, ed25519, other] = await Promise.all([
		pki.client(),
		pki.client({keyType: 'rsa'}),
		pki.client({keyType: 'ed25519'}),
		pki.client({commonName: 'other'}),
	]);
});

describe('keys that load', () => {
	const encrypted = {cipher: 'aes-256-cbc', passphrase};
	test.each<
		[
			string,
			() => Credential,
			{type: 'pkcs1' | 'pkcs8' | 'sec1'; cipher?: string; passphrase?: string},
		]
	>([
		['RSA in PKCS#8', () => rsa, {type: 'pkcs8'}],
		['RSA in PKCS#1', () => rsa, {type: 'pkcs1'}],
		['RSA in encrypted PKCS#8', () => rsa, {type: 'pkcs8', ...encrypted}],
		['RSA in PKCS#1 with RFC 1421 encryption', () => rsa, {type: 'pkcs1', ...encrypted}],
		['EC in PKCS#8', () => client, {type: 'pkcs8'}],
		['EC in SEC1', () => client, {type: 'sec1'}],
		['EC in encrypted PKCS#8', () => client, {type: 'pkcs8', ...encrypted}],
		['EC in SEC1 with RFC 1421 encryption', () => client, {type: 'sec1', ...encrypted}],
		['Ed25519 in PKCS#8', () => ed25519, {type: 'pkcs8'}],
		['Ed25519 in encrypted PKCS#8', () => ed25519, {type: 'pkcs8', ...encrypted}],
	])('the key %s loads', (_, credential, format) => {
		const {cert, leaf, key} = credential();
		const mtls = {
			cert,
			key: exportKeyAs(key, format),
			...(format.passphrase !== undefined && {passphrase: format.passphrase}),
		};
		const identity = loadCredentials(mtls, new Date());
		expect(identity?.facts.fingerprint256).toBe(new X509Certificate(leaf).fingerprint256);
		expect(identity?.key).toBe(key);
		expect(createClient({mtls}).mtls.identity).toEqual(identity?.facts);
	});

	test('a passphrase that the key does not need is no mistake', () => {
		expect(loadCredentials({...client, passphrase}, new Date())?.key).toBe(client.key);
	});

	test('a key in the file of the certificate needs no option of its own', () => {
		expect(loadCredentials({cert: client.key + client.cert}, new Date())?.key).toBe(client.key);
	});

	test('EC parameters before the key are passed over', () => {
		const parameters =
			'-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
		const key = parameters + exportKeyAs(client.key, {type: 'sec1'});
		expect(loadCredentials({cert: client.cert, key}, new Date())?.key).toBe(client.key);
	});

	test('options without cert and key have no identity', () => {
		expect(loadCredentials({}, new Date())).toBeUndefined();
		expect(createClient({mtls: {ca: pki.ca}}).mtls.identity).toBeNull();
	});
});

describe('the chain', () => {
	test('the chain goes leaf first, each certificate followed by its issuer, in whatever order it was given', async () => {
		const {cert, key} = await inner.client();
		const [leaf = '', inside = '', outside = ''] = cert.match(/-----BEGIN.*?END.*?\n/gs) ?? [];
		const root = pki.ca;
		const orders = [
			[leaf, inside, outside, root],
			[root, outside, inside, leaf],
			[inside, leaf, root, outside],
			[outside, leaf, leaf, root, inside],
		];
		const sent = [leaf, inside, outside, root].map((pem) => new X509Certificate(pem).toString());
		for (const order of orders) {
			expect(loadCredentials({cert: order.join(''), key}, new Date())?.cert).toBe(sent.join(''));
		}
	});

	test('the chain leaves out certificates that have nothing to do with the leaf', () => {
		const identity = loadCredentials({cert: other.cert + client.cert, key: client.key}, new Date());
		expect(identity?.facts.subject).toBe('CN=client');
		expect(identity?.cert).toBe(client.leaf);
	});

	test('the chain keeps other issuers of its links after the links', async () => {
		const keys = generateKeyPairSync('ec', {namedCurve: 'P-256'});
		const [one, two] = await Promise.all([createTestPki(), createTestPki()]);
		const authority = {commonName: 'Cross CA', purposes: [], isAuthority: true};
		const [fromOne, fromTwo, leaf] = await Promise.all([
			issueFor(one, keys.publicKey, authority),
			issueFor(two, keys.publicKey, authority),
			issueFor(signer(keys.privateKey, 'Cross CA'), createPublicKey(client.key), {days: 120}),
		]);
		const cert = [two.ca, fromTwo, client.leaf, leaf, fromOne].join('');
		const sent = loadCredentials({cert, key: client.key}, new Date())?.cert;
		expect(sent).toBe([leaf, fromTwo, two.ca, fromOne].join(''));
	});

	test('the chain takes, of two issuers with the same name, the one whose key signed', async () => {
		const [old, current] = await Promise.all([createTestPki(), createTestPki()]);
		const leaf = await issueFor(current, createPublicKey(client.key));
		const cert = [old.ca, leaf, current.ca].join('');
		const sent = loadCredentials({cert, key: client.key}, new Date())?.cert;
		expect(sent?.startsWith(leaf + current.ca)).toBe(true);
	});
});

describe('of several certificates for the key', () => {
	test('the certificate that is valid now is chosen, whatever the order', async () => {
		const key = createPublicKey(client.key);
		const late = await issueFor(pki, key, {days: -1});
		for (const cert of [late + client.leaf, client.leaf + late]) {
			expect(loadCredentials({cert, key: client.key}, new Date())?.cert).toBe(client.leaf);
		}
	});

	test('the certificate that a CA signed is chosen, rather than a self-signed one', async () => {
		const own = signer(createPrivateKey(client.key), 'client');
		const self = await issueFor(own, createPublicKey(client.key), {days: 900});
		for (const cert of [self + client.leaf, client.leaf + self]) {
			expect(loadCredentials({cert, key: client.key}, new Date())?.cert).toBe(client.leaf);
		}
	});

	test('the certificate that lasts longer is chosen from two for the same key', async () => {
		const longer = await issueFor(pki, createPublicKey(client.key), {days: 300});
		for (const cert of [longer + client.leaf, client.leaf + longer]) {
			expect(loadCredentials({cert, key: client.key}, new Date())?.cert).toBe(longer);
		}
	});

	test('the certificate that fits the key is chosen from two', () => {
		for (const key of [other.key + client.key, client.key + other.key]) {
			expect(loadCredentials({cert: client.cert, key}, new Date())?.key).toBe(client.key);
		}
	});
});

describe('validity', () => {
	const DAY_MS = 24 * 60 * 60 * 1000;

	test('the validity is checked to the millisecond of the given clock', () => {
		const {validFromDate, validToDate} = new X509Certificate(client.leaf);
		const at = (date: Date, offset: number) => () =>
			loadCredentials(client, new Date(date.getTime() + offset));

		expect(at(validFromDate, -1)).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_IDENTITY_NOT_YET_VALID', option: 'mtls.cert'}),
		);
		expect(at(validFromDate, 0)()).toBeDefined();
		expect(at(validToDate, 0)()).toBeDefined();
		expect(at(validToDate, 1)).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_IDENTITY_EXPIRED', option: 'mtls.cert'}),
		);
	});

	test('allowExpired loads certificates that have expired or are not valid yet', () => {
		const {validFromDate, validToDate} = new X509Certificate(client.leaf);
		for (const now of [validFromDate.getTime() - DAY_MS, validToDate.getTime() + DAY_MS]) {
			expect(loadCredentials({...client, allowExpired: true}, new Date(now))).toBeDefined();
		}
	});

	test('an expired certificate is refused with its date', async () => {
		const late = await pki.client({expired: true});
		const date = new X509Certificate(late.leaf).validToDate.toISOString().slice(0, 10);
		expect(configRefusal({cert: late.cert, key: late.key}, [late.key]).message).toBe(
			`mtls.cert: our certificate 'CN=client' in the given text expired on ${date}; renew it; \`mtls.allowExpired: true\` sends the expired one`,
		);
	});
});
