/*
 * Set-ups whose server certificate is refused, for reasons of its own.
 */
import {createHash, createPublicKey} from 'node:crypto';
import {createTestPki} from '../../src/testing/index.ts';
import {
	extension,
	oid,
	sequence,
	text,
	tlv,
	toPem,
	writeCertificate,
} from '../support/certificate-writer.ts';
import {startSha1, startShortCaKey, startShortDh, startShortKey} from '../support/weak-servers.ts';
import {type Case, serve} from './corpus.ts';
import {ecKey, type Link, pemOf, writeChain} from './written-chain.ts';

const utc = (date: string) => text(date, 0x17);
const validity = (from: string, to: string) => sequence(utc(from), utc(to));
const past = validity('200101000000Z', '210101000000Z');
const future = validity('480101000000Z', '490101000000Z');

const keyUsage = (bits: number) => extension('551d0f', tlv(0x03, Buffer.from([0, bits])), true);
const purposes = (...hex: string[]) => extension('551d25', sequence(...hex.map(oid)));
// The default from OpenSSL 3.2 on; Node 22 has an older one.
const level2 = 'DEFAULT@SECLEVEL=2';

const serverAuth = '2b06010505070301';
const emailProtection = '2b06010505070304';

const good = () => writeChain({subject: 'Root'}, {subject: 'Inner'}, {subject: 'leaf'});

/** A chain of which one is broken: the same with nothing broken is the repair. */
function broken(...links: readonly Link[]) {
	return async () => {
		const {root, cert, key} = writeChain(...links);
		const server = await serve({cert, key});
		return {
			broken: {url: server.url, mtls: {ca: root}},
			repaired: async () => {
				const fixed = good();
				const {url} = await serve(fixed);
				return {url, mtls: {ca: fixed.root}};
			},
		};
	};
}

export const serverCertificates: readonly Case[] = [
	{
		name: 'an expired certificate of the server',
		kind: 'expired',
		certain: true,
		first: 'not-renewed',
		others: ['clock'],
		never: /intermediate/,
		setUp: async ({pki}) => ({
			broken: {url: (await serve(await pki.server({expired: true}))).url},
			repaired: async () => ({url: (await serve(await pki.server())).url}),
			says: /expired on 20.*\(this machine's date: 20/,
		}),
	},
	{
		name: 'an expired intermediate CA',
		kind: 'expired',
		certain: true,
		first: 'old-intermediate',
		others: ['clock'],
		never: /have the server renew its certificate/,
		setUp: broken({subject: 'Root'}, {subject: 'Inner', validity: past}, {subject: 'leaf'}),
	},
	{
		name: 'an expired CA in our own list',
		kind: 'expired',
		certain: true,
		first: 'old-ca',
		others: ['clock'],
		never: /have the server/,
		setUp: broken({subject: 'Root', validity: past}, {subject: 'leaf'}),
	},
	{
		name: 'a clock that is years ahead, by which the whole chain has expired',
		kind: 'expired',
		certain: true,
		first: 'clock',
		others: ['not-renewed'],
		setUp: broken(
			{subject: 'Root', validity: past},
			{subject: 'Inner', validity: past},
			{subject: 'leaf', validity: past},
		),
	},
	{
		name: 'a certificate that is not valid yet',
		kind: 'not-yet-valid',
		certain: true,
		first: 'clock',
		others: ['issued-for-later'],
		setUp: broken({subject: 'Root'}, {subject: 'leaf', validity: future}),
	},
	{
		name: 'a certificate for another name',
		kind: 'wrong-name',
		certain: true,
		first: 'other-name',
		others: ['other-server'],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server({names: ['api.bank.test']}));
			return {
				broken: {url},
				repaired: {url, mtls: {servername: 'api.bank.test'}},
				says: /not for 'localhost' but for DNS:api\.bank\.test/,
			};
		},
	},
	{
		name: 'an IP address in the URL that the certificate does not have',
		kind: 'wrong-name',
		certain: true,
		first: 'other-name',
		others: ['other-server'],
		setUp: async ({pki}) => {
			const {port, url} = await serve(await pki.server({names: ['localhost']}));
			return {
				broken: {url: `https://127.0.0.1:${port}/`},
				repaired: {url},
				says: /the URL has an IP address/,
			};
		},
	},
	{
		name: 'a servername option that is no name of the server',
		kind: 'wrong-name',
		certain: true,
		first: 'servername-option',
		others: ['other-server'],
		never: /the URL uses another name/,
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			return {broken: {url, mtls: {servername: 'old.bank.test'}}, repaired: {url}};
		},
	},
	{
		name: 'a self-signed certificate',
		kind: 'self-signed',
		certain: true,
		first: 'own-making',
		others: ['intercepted'],
		setUp: async ({pki}) => {
			const credential = await pki.server({selfSigned: true});
			const {url} = await serve(credential);
			return {broken: {url}, repaired: {url, mtls: {ca: credential.leaf}}};
		},
	},
	{
		name: 'a pin of another key',
		kind: 'pin-mismatch',
		certain: true,
		first: 'new-key',
		others: ['intercepted'],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			const spki = createPublicKey(pki.ca).export({type: 'spki', format: 'der'});
			const pin = `sha256//${createHash('sha256').update(spki).digest('base64')}`;
			return {
				broken: {url, mtls: {pins: [`sha256//${Buffer.alloc(32).toString('base64')}`]}},
				repaired: {url, mtls: {pins: [pin]}},
			};
		},
	},
	{
		name: 'a certificate without the SPIFFE ID that is wanted',
		kind: 'spiffe-mismatch',
		certain: true,
		first: 'other-workload',
		others: ['no-svid'],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			const spiffeId = 'spiffe://bank.test/api';
			return {
				broken: {url, mtls: {spiffeId}},
				repaired: async () => {
					const svid = await serve(await pki.server({uris: [spiffeId]}));
					return {url: svid.url, mtls: {spiffeId}};
				},
			};
		},
	},
	{
		name: 'the SPIFFE ID of another workload',
		kind: 'spiffe-mismatch',
		certain: true,
		first: 'other-workload',
		others: [],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server({uris: ['spiffe://bank.test/web']}));
			return {
				broken: {url, mtls: {spiffeId: 'spiffe://bank.test/api'}},
				repaired: {url, mtls: {spiffeId: 'spiffe://bank.test/web'}},
			};
		},
	},
	{
		name: 'a server that does not authenticate its clients, where that is wanted',
		kind: 'client-auth-not-requested',
		certain: true,
		first: 'no-client-auth',
		others: ['intercepted'],
		setUp: async ({pki}) => {
			const credential = await pki.server();
			const {url} = await serve(credential);
			return {
				broken: {url, mtls: {requireClientAuth: true}},
				repaired: async () => {
					const asking = await serve({...credential, requestCert: true, ca: pki.ca});
					return {url: asking.url, mtls: {requireClientAuth: true}};
				},
			};
		},
	},
	{
		name: 'a revoked certificate',
		kind: 'revoked',
		certain: true,
		first: 'revoked',
		others: [],
		setUp: async ({pki}) => {
			const credential = await pki.server();
			const {url} = await serve(credential);
			const crl = await pki.crl({revoked: [credential.leaf]});
			return {
				broken: {url, mtls: {crl}},
				repaired: async () => ({url: (await serve(await pki.server())).url, mtls: {crl}}),
			};
		},
	},
	{
		name: 'a revocation list of another CA alone',
		kind: 'revocation-unknown',
		certain: true,
		first: 'crl-missing',
		others: [],
		setUp: async ({pki}) => {
			const other = await createTestPki({commonName: 'Other'});
			const {url} = await serve(await pki.server());
			return {
				broken: {url, mtls: {crl: await other.crl()}},
				repaired: {url, mtls: {crl: await pki.crl()}},
			};
		},
	},
	{
		name: 'a revocation list that has expired',
		kind: 'revocation-unknown',
		certain: true,
		first: 'crl-expired',
		others: [],
		never: /no list/,
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			return {
				broken: {url, mtls: {crl: await pki.crl({expired: true})}},
				repaired: {url, mtls: {crl: await pki.crl()}},
			};
		},
	},
	{
		name: 'a client certificate that a server uses',
		kind: 'wrong-purpose',
		certain: true,
		first: 'no-server-auth',
		others: [],
		setUp: async ({pki}) => ({
			broken: {url: (await serve(await pki.server({purposes: ['clientAuth']}))).url},
			repaired: async () => ({url: (await serve(await pki.server())).url}),
		}),
	},
	{
		name: 'a key usage that signs no handshake',
		kind: 'wrong-purpose',
		certain: true,
		first: 'key-usage',
		others: [],
		never: /serverAuth/,
		// dataEncipherment alone
		setUp: broken({subject: 'Root'}, {subject: 'leaf', extensions: [keyUsage(0x10)]}),
	},
	{
		name: 'an intermediate CA for mail alone',
		kind: 'wrong-purpose',
		certain: true,
		first: 'issuer-purpose',
		others: [],
		setUp: broken(
			{subject: 'Root'},
			{subject: 'Inner', extensions: [purposes(emailProtection)]},
			{subject: 'leaf', extensions: [purposes(serverAuth)]},
		),
	},
	{
		name: 'an issuer that is no CA',
		kind: 'invalid-certificate',
		certain: true,
		first: 'issuer-is-no-ca',
		others: [],
		never: /serverAuth/,
		setUp: broken({subject: 'Root'}, {subject: 'Inner', authority: false}, {subject: 'leaf'}),
	},
	{
		name: 'a leaf that is given as the CA of another',
		kind: 'invalid-certificate',
		certain: true,
		first: 'issuer-is-no-ca',
		others: [],
		never: /serverAuth/,
		setUp: broken({subject: 'Root', authority: false}, {subject: 'leaf'}),
	},
	{
		name: 'a CA that may have no CA below it',
		kind: 'invalid-certificate',
		certain: true,
		first: 'broken-rule',
		others: [],
		setUp: async () => {
			const noCaBelow = sequence(tlv(0x01, Buffer.from([0xff])), tlv(0x02, Buffer.from([0])));
			const root = ecKey();
			const inner = ecKey();
			const leaf = ecKey();
			const of = (subject: string, key = root.privateKey) => ({subject, key});
			const sign = (basicConstraints?: Buffer) =>
				toPem(
					writeCertificate({
						subject: 'Root',
						publicKey: root.publicKey,
						key: root.privateKey,
						authority: true,
						basicConstraints,
					}),
				);
			const between = toPem(
				writeCertificate({
					subject: 'Inner',
					publicKey: inner.publicKey,
					issuer: of('Root'),
					authority: true,
				}),
			);
			const own = toPem(
				writeCertificate({
					subject: 'leaf',
					publicKey: leaf.publicKey,
					issuer: of('Inner', inner.privateKey),
				}),
			);
			const {url} = await serve({cert: own + between, key: pemOf(leaf.privateKey)});
			return {
				broken: {url, mtls: {ca: sign(noCaBelow)}},
				repaired: {url, mtls: {ca: sign()}},
				says: /a CA of the chain may not have so many CAs below it.*\(the chain: 'CN=leaf', 'CN=Inner', 'CN=Root'\)/,
			};
		},
	},
	{
		name: 'a name outside of what its CA may sign',
		kind: 'invalid-certificate',
		certain: true,
		first: 'broken-rule',
		others: [],
		setUp: async () => ({
			// permittedSubtrees: dNSName bank.test
			...(await broken(
				{
					subject: 'Root',
					extensions: [
						extension('551d1e', sequence(tlv(0xa0, sequence(text('bank.test', 0x82)))), true),
					],
				},
				{subject: 'leaf'},
			)()),
			says: /'CN=Root' may issue for certain names only \(name constraints\), and 'CN=leaf' has another/,
		}),
	},
	{
		name: 'a key of 1024 bits',
		kind: 'too-weak',
		certain: true,
		first: 'weak-key',
		others: [],
		setUp: async () => {
			const {url, ca} = await startShortKey();
			return {
				broken: {url, mtls: {ca, ciphers: level2}},
				repaired: {url, mtls: {ca, ciphers: 'DEFAULT@SECLEVEL=1'}},
				says: /the RSA key of 'CN=short' has 1024 bits/,
			};
		},
	},
	{
		name: 'an intermediate CA with a key of 1024 bits',
		kind: 'too-weak',
		certain: true,
		first: 'weak-key',
		others: [],
		setUp: async () => {
			const {url, ca} = await startShortCaKey();
			return {
				broken: {url, mtls: {ca, ciphers: level2}},
				repaired: {url, mtls: {ca, ciphers: 'DEFAULT@SECLEVEL=1'}},
				says: /the RSA key of 'CN=issuer' has 1024 bits/,
			};
		},
	},
	{
		name: 'a signature with SHA-1',
		kind: 'too-weak',
		certain: true,
		first: 'weak-digest',
		others: [],
		setUp: async () => {
			const {url, ca} = await startSha1();
			return {
				broken: {url, mtls: {ca, ciphers: level2}},
				repaired: {url, mtls: {ca, ciphers: 'DEFAULT@SECLEVEL=0'}},
				says: /'CN=leaf' is signed with SHA-1/,
			};
		},
	},
	{
		name: 'Diffie-Hellman parameters of 1024 bits',
		kind: 'too-weak',
		certain: true,
		first: 'weak-diffie-hellman',
		others: [],
		setUp: async () => {
			const {url, ca} = await startShortDh();
			return {
				broken: {url, mtls: {ca, ciphers: level2}},
				repaired: {url, mtls: {ca, ciphers: 'DEFAULT@SECLEVEL=1'}},
			};
		},
	},
	{
		name: 'a certificate with ten thousand names',
		kind: 'invalid-certificate',
		certain: true,
		first: 'chain-too-large',
		others: [],
		setUp: broken(
			{subject: 'Root'},
			{
				subject: 'leaf',
				names: Buffer.concat(
					Array.from({length: 10_000}, (_, n) => text(`host-${n}.bank.test`, 0x82)),
				),
			},
		),
	},
];
