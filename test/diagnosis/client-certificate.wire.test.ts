/*
 * Set-ups whose server wants a client certificate, or does not accept ours.
 */
import {onTestFinished} from 'vitest';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {extension, tlv, toPem, writeCertificate} from '../support/certificate-writer.ts';
import type {Fixture} from '../support/fixture.ts';
import {hasOpenssl, startOpensslServer} from '../support/openssl-server.ts';
import {type Case, runCorpus, serve} from './corpus.ts';
import {ecKey, pemOf, writeChain} from './written-chain.ts';

const as = ({cert, key}: Pick<Credential, 'cert' | 'key'>) => ({cert, key});

/** A server of OpenSSL, which says in an alert why it refuses; ends with the test. */
async function openssl(
	{pki}: Fixture,
	version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
	extras?: Parameters<typeof startOpensslServer>[3],
): Promise<string> {
	const server = await startOpensslServer(pki, await pki.server(), version, extras);
	onTestFinished(() => server[Symbol.asyncDispose]());
	return `https://localhost:${server.port}/`;
}

/** A server of Node, which hangs up on whom it refuses. */
async function node({pki}: Fixture): Promise<string> {
	const credential = await pki.server();
	const requires = {requestCert: true, rejectUnauthorized: true, ca: pki.ca};
	return (await serve({...credential, ...requires, maxVersion: 'TLSv1.2'})).url;
}

/** What may be listed after the faults that we can see ourselves. */
const unseen = ['issuer-not-trusted', 'not-registered', 'own-revoked', 'server-failed'];

const withAlerts: readonly Case[] = [
	...(['TLSv1.2', 'TLSv1.3'] as const).map(
		(version): Case => ({
			name: `a certificate that is not set, with ${version}`,
			kind: 'client-certificate-required',
			certain: true,
			first: 'none-set',
			others: [],
			never: /redirect|signature/,
			setUp: async (fixture) => {
				const url = await openssl(fixture, version);
				return {broken: {url, config: {mtls: {ca: fixture.pki.ca}}}, repaired: {url}};
			},
		}),
	),
	...(['TLSv1.2', 'TLSv1.3'] as const).map(
		(version): Case => ({
			name: `a key of a kind that the server does not take, with ${version}`,
			kind: 'client-certificate-refused',
			certain: true,
			first: 'no-fitting-key',
			others: [],
			never: /does not trust/,
			setUp: async (fixture) => {
				const args = ['-client_sigalgs', 'RSA-PSS+SHA256'];
				const url = await openssl(fixture, version, {args});
				const rsa = await fixture.pki.client({keyType: 'rsa'});
				return {
					broken: {url},
					repaired: {url, mtls: as(rsa)},
					says: /it asked for RSA-PSS\+SHA256; ours is an EC key on prime256v1/,
				};
			},
		}),
	),
	{
		name: 'our certificate that has expired, where the server says so',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-expired',
		others: [],
		never: /allowExpired|trust/,
		setUp: async (fixture) => {
			const url = await openssl(fixture);
			const old = await fixture.pki.client({expired: true});
			return {
				broken: {url, mtls: {...as(old), allowExpired: true}},
				repaired: {url},
				says: /have our certificate renewed by its issuer, 'CN=Test Root CA'/,
			};
		},
	},
	{
		name: 'our certificate that is not valid yet, where the server says that it is bad',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-not-yet-valid',
		others: [],
		never: /allowExpired|trust/,
		setUp: async (fixture) => {
			const url = await openssl(fixture);
			const early = await fixture.pki.client({notYetValid: true});
			return {broken: {url, mtls: {...as(early), allowExpired: true}}, repaired: {url}};
		},
	},
	{
		name: 'our certificate that is for servers',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-no-client-auth',
		others: [],
		never: /allowExpired|trust/,
		setUp: async (fixture) => {
			const url = await openssl(fixture);
			const own = await fixture.pki.client({purposes: ['serverAuth']});
			return {broken: {url, mtls: {...as(own), allowAnyPurpose: true}}, repaired: {url}};
		},
	},
	{
		name: 'our certificate whose key usage signs no handshake',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-key-usage',
		others: [],
		never: /trust/,
		setUp: async (fixture) => {
			const root = ecKey();
			const client = ecKey();
			const subject = 'Partner';
			const ca = toPem(
				writeCertificate({
					subject,
					publicKey: root.publicKey,
					key: root.privateKey,
					authority: true,
				}),
			);
			// keyEncipherment alone
			const usage = extension('551d0f', tlv(0x03, Buffer.from([0, 0x20])), true);
			const issue = (extensions: readonly Buffer[]) =>
				toPem(
					writeCertificate({
						subject: 'client',
						publicKey: client.publicKey,
						issuer: {subject, key: root.privateKey},
						extensions,
					}),
				);
			const args = ['-CAfile', 'partner.pem'];
			const url = await openssl(fixture, 'TLSv1.3', {args, files: {'partner.pem': ca}});
			const key = pemOf(client.privateKey);
			return {
				broken: {url, mtls: {cert: issue([usage]), key}},
				repaired: {url, mtls: {cert: issue([]), key}},
				says: /its keyUsage \(keyEncipherment\) lacks digitalSignature/,
			};
		},
	},
	{
		name: 'our certificate of another root',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'issuer-not-trusted',
		others: [],
		never: /expired|revoked|intermediate/,
		setUp: async (fixture) => {
			const url = await openssl(fixture);
			const stranger = await (await createTestPki({commonName: 'Other Root CA'})).client();
			return {
				broken: {url, mtls: as(stranger)},
				repaired: {url},
				says: /does not trust the issuer of ours, 'CN=Other Root CA'/,
			};
		},
	},
	...(['TLSv1.2', 'TLSv1.3'] as const).map(
		(version): Case => ({
			name: `our certificate that lacks its intermediate, with ${version}`,
			kind: 'client-certificate-refused',
			certain: true,
			first: 'own-chain-incomplete',
			others: ['issuer-not-trusted'],
			never: /expired|revoked/,
			setUp: async (fixture) => {
				const url = await openssl(fixture, version);
				const inner = await fixture.pki.intermediate();
				const {cert, leaf, key} = await inner.client();
				return {broken: {url, mtls: {cert: leaf, key}}, repaired: {url, mtls: {cert, key}}};
			},
		}),
	),
	{
		name: 'our certificate whose issuer may be an intermediate',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'issuer-not-trusted',
		others: ['own-chain-incomplete'],
		setUp: async (fixture) => {
			const {root, leaf, cert, key} = writeChain(
				{subject: 'Partner Root'},
				{subject: 'Partner'},
				{subject: 'client'},
			);
			const args = ['-CAfile', 'partner.pem'];
			const url = await openssl(fixture, 'TLSv1.3', {args, files: {'partner.pem': root}});
			return {
				broken: {url, mtls: {cert: leaf, key}},
				repaired: {url, mtls: {cert, key}},
				says: /if 'CN=Partner' is an intermediate CA/,
			};
		},
	},
	{
		name: 'our certificate that was revoked',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-revoked',
		others: [],
		never: /trust/,
		setUp: async (fixture) => {
			const revoked = await fixture.pki.client();
			const url = await openssl(fixture, 'TLSv1.3', {
				args: ['-CRL', 'list.pem', '-crl_check'],
				files: {'list.pem': await fixture.pki.crl({revoked: [revoked.leaf]})},
			});
			return {broken: {url, mtls: as(revoked)}, repaired: {url}};
		},
	},
];

const cases: readonly Case[] = [
	...(hasOpenssl ? withAlerts : []),
	{
		name: 'our certificate that has expired, where the server hangs up',
		kind: 'client-certificate-refused',
		certain: false,
		first: 'own-expired',
		others: unseen,
		never: /allowExpired|is valid|not accept/,
		setUp: async (fixture) => {
			const url = await node(fixture);
			const old = await fixture.pki.client({expired: true});
			return {broken: {url, mtls: {...as(old), allowExpired: true}}, repaired: {url}};
		},
	},
	{
		name: 'our certificate without clientAuth, where the server hangs up',
		kind: 'client-certificate-refused',
		certain: false,
		first: 'own-no-client-auth',
		others: unseen,
		setUp: async (fixture) => {
			const url = await node(fixture);
			const own = await fixture.pki.client({purposes: ['serverAuth']});
			return {broken: {url, mtls: {...as(own), allowAnyPurpose: true}}, repaired: {url}};
		},
	},
	{
		name: 'our certificate without its intermediate, where the server hangs up',
		kind: 'client-certificate-refused',
		certain: false,
		first: 'own-chain-incomplete',
		others: unseen,
		setUp: async (fixture) => {
			const url = await node(fixture);
			const {cert, leaf, key} = await (await fixture.pki.intermediate()).client();
			return {broken: {url, mtls: {cert: leaf, key}}, repaired: {url, mtls: {cert, key}}};
		},
	},
	{
		name: 'our certificate of another root, where the server hangs up',
		kind: 'client-certificate-refused',
		certain: false,
		first: 'issuer-not-trusted',
		others: unseen.slice(1),
		never: /expired|intermediate/,
		setUp: async (fixture) => {
			const url = await node(fixture);
			const stranger = await (await createTestPki({commonName: 'Other Root CA'})).client();
			return {broken: {url, mtls: as(stranger)}, repaired: {url}};
		},
	},
	{
		name: 'a list in which no entry is for the origin',
		kind: 'client-certificate-required',
		certain: true,
		first: 'no-origin-matches',
		others: [],
		never: /are set/,
		setUp: async (fixture) => {
			// It refuses within the handshake, before its own certificate is verified: by Node's CAs.
			const url = await openssl(fixture, 'TLSv1.2');
			const {origin} = new URL(url);
			const {cert, key} = await fixture.pki.client();
			const own = {ca: fixture.pki.ca, cert, key};
			const list = (...origins: string[]) => ({config: {mtls: [{...own, origins}]}});
			return {
				broken: {url, ...list('https://elsewhere.test', 'https://localhost')},
				repaired: {url, ...list('https://elsewhere.test', origin)},
				says: new RegExp(
					`no entry of \`mtls\` has ${origin} in its \`origins\` \\(the nearest is https://localhost\\), so no certificate was sent.*` +
						`add ${origin} to the \`origins\``,
					's',
				),
			};
		},
	},
	{
		name: 'our certificate that a redirect kept back',
		kind: 'client-certificate-required',
		certain: true,
		first: 'withheld',
		others: [],
		never: /are set/,
		setUp: async (fixture) => {
			const target = await serve({
				...(await fixture.pki.server()),
				...{requestCert: true, rejectUnauthorized: true, ca: fixture.pki.ca},
				maxVersion: 'TLSv1.2',
			});
			const {url} = await serve(await fixture.pki.server(), () => ({
				status: 302,
				headers: {location: target.url},
			}));
			const origin = new URL(target.url).origin;
			return {
				broken: {url},
				repaired: {url, mtls: {origins: [origin]}},
				says: new RegExp(`a redirect from ${new URL(url).origin} led to ${origin}\n`),
			};
		},
	},
	{
		name: 'the identity of another origin that a redirect may not use',
		kind: 'client-certificate-required',
		certain: true,
		first: 'redirect-not-allowed',
		others: [],
		never: /are set/,
		setUp: async ({pki, alice}) => {
			const requires = {requestCert: true, rejectUnauthorized: true, ca: pki.ca};
			const target = await serve({
				...(await pki.server()),
				...requires,
				maxVersion: 'TLSv1.2',
			});
			const {url} = await serve(await pki.server(), () => ({
				status: 302,
				headers: {location: target.url},
			}));
			const origins = (each: string) => [new URL(each).origin];
			const one = {...as(alice), ca: pki.ca, origins: origins(url)};
			const two = {...as(await pki.client()), ca: pki.ca, origins: origins(target.url)};
			return {
				broken: {url, mtls: [one, two]},
				repaired: {url, mtls: [one, {...two, allowRedirectsFrom: origins(url)}]},
			};
		},
	},
	{
		name: 'something on the way that ends TLS before nginx',
		kind: 'client-certificate-required',
		certain: true,
		first: 'tls-ends-before',
		others: [],
		never: /maxVersion|post-handshake/i,
		setUp: async ({pki}) => {
			const words = 'No required SSL certificate was sent';
			const body = `<html>\r\n<head><title>400 ${words}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>${words}</center>\r\n</body></html>\r\n`;
			const interceptor = await createTestPki({commonName: 'Intercepting CA'});
			const {url} = await serve(await interceptor.server(), () => ({
				status: 400,
				headers: {server: 'nginx/1.22.1', 'content-type': 'text/html'},
				body,
			}));
			const requires = {requestCert: true, rejectUnauthorized: true, ca: pki.ca};
			return {
				broken: {url, mtls: {ca: interceptor.ca}},
				// The host is exempted: the server itself answers.
				repaired: async () => ({url: (await serve({...(await pki.server()), ...requires})).url}),
				says: /was issued by 'CN=Intercepting CA'/,
			};
		},
	},
];

runCorpus(cases);
