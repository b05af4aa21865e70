/*
 * Set-ups whose server leads to no trusted CA.
 */
import https from 'node:https';
import tls from 'node:tls';
import {onTestFinished} from 'vitest';
import type {ClientConfig} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {oid, sequence, text, tlv} from '../support/certificate-writer.ts';
import {type Case, runCorpus, serve} from './corpus.ts';
import {writeChain} from './written-chain.ts';

/** The summary and the hint name both possibilities: a root that is not trusted, and an intermediate. */
const eitherCa = (name: string) =>
	new RegExp(
		`was issued by '${name}', which is not among the CAs that are trusted here, and whose certificate the server did not send.*` +
			`What to do: get the certificate of the CA '${name}' from .*if it is a root CA, give it as \`mtls.ca\`; if it is an intermediate CA, have the server send it`,
	);

/** A name with an organization (2.5.4.10). */
const ofOwner = (organization: string, name: string) =>
	sequence(
		...[
			{id: '55040a', value: organization},
			{id: '550403', value: name},
		].map(({id, value}) => tlv(0x31, sequence(oid(id), text(value)))),
	);

/** Until the end of the test. */
function setGlobalCa(ca: string | Buffer[]): void {
	https.globalAgent.options.ca = ca;
	onTestFinished(() => {
		Reflect.deleteProperty(https.globalAgent.options, 'ca');
	});
}

const cases: readonly Case[] = [
	{
		name: 'a server of a root CA that is not given',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intercepted'],
		never: /intermediate/,
		setUp: async () => {
			const other = await createTestPki({commonName: 'Other Root CA'});
			const {url} = await serve(await other.server());
			return {
				broken: {url},
				repaired: {url, mtls: {ca: other.ca}},
				says: /`mtls\.ca` does not hold 'CN=Other Root CA', the CA of this server; it holds 'CN=Test Root CA'/,
			};
		},
	},
	{
		name: 'a server that sends its unknown root too',
		kind: 'untrusted-issuer',
		certain: true,
		first: 'ca-missing',
		others: ['intercepted'],
		setUp: async () => {
			const other = await createTestPki({commonName: 'Other CA'});
			const {cert, key} = await other.server();
			const {url} = await serve({cert: cert + other.ca, key});
			return {broken: {url}, repaired: {url, mtls: {ca: other.ca}}};
		},
	},
	{
		name: 'a private CA where no CA is given at all',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intercepted'],
		setUp: async ({pki, alice: {cert, key}}) => {
			const {url} = await serve(await pki.server());
			const config = {mtls: {cert, key}};
			return {
				broken: {url, config},
				repaired: {url},
				says: /no `mtls\.ca` is set, and .* is not among the CAs that Node trusts/,
			};
		},
	},
	...[
		{
			name: 'a list in which no entry has the port of the server',
			origin: 'https://localhost',
			nearest: ' \\(the nearest is https://localhost\\)',
		},
		{
			name: 'a list in which no entry has a name like that of the server',
			origin: 'https://bank.test',
			nearest: '',
		},
	].map(
		({name, origin, nearest}): Case => ({
			name,
			kind: 'untrusted-issuer',
			certain: false,
			first: 'no-origin-matches',
			others: ['intercepted'],
			never: /`mtls\.ca`/,
			setUp: async ({pki, alice: {cert, key}}) => {
				const {url} = await serve(await pki.server());
				const wanted = new URL(url).origin;
				const entry = {cert, key, ca: pki.ca};
				return {
					broken: {url, mtls: [{...entry, origins: [origin]}]},
					repaired: {url, mtls: [{...entry, origins: [origin, wanted]}]},
					says: new RegExp(
						`no entry of \`mtls\` has ${wanted} in its \`origins\`${nearest}, so the CAs that Node trusts were used, and 'CN=Test Root CA' is not among them`,
					),
				};
			},
		}),
	),
	{
		name: 'a self-signed server for which no entry of a list is',
		kind: 'self-signed',
		certain: true,
		first: 'no-origin-matches',
		others: ['own-making', 'intercepted'],
		setUp: async ({pki, alice: {cert, key}}) => {
			const credential = await pki.server({selfSigned: true});
			const {url} = await serve(credential);
			const entry = {cert, key, ca: credential.cert};
			return {
				broken: {url, mtls: [{...entry, origins: ['https://localhost']}]},
				repaired: {url, mtls: [{...entry, origins: [new URL(url).origin]}]},
			};
		},
	},
	{
		name: 'another CA on the global agent, which a client without options uses',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intermediate-missing', 'intercepted'],
		setUp: async ({pki}) => {
			setGlobalCa(pki.ca);
			const other = await createTestPki({commonName: 'Unknown CA'});
			const {url} = await serve(await other.server());
			return {
				broken: {url, config: {mtls: undefined} as unknown as ClientConfig},
				repaired: {url, mtls: {ca: other.ca}},
				says: /`https\.globalAgent\.options\.ca` does not hold 'CN=Unknown CA'/,
			};
		},
	},
	{
		name: 'a CA on the global agent, beside a client certificate',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-in-global-agent',
		others: ['intercepted'],
		never: /is set/,
		setUp: async ({pki, alice: {cert, key}}) => {
			setGlobalCa(pki.ca);
			const {url} = await serve(await pki.server());
			return {
				broken: {url, config: {mtls: {cert, key}}},
				repaired: {url},
				says: /give it as `mtls\.ca`/,
			};
		},
	},
	{
		name: 'a CA on the global agent, beside a list in which no entry has the port of the server',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-in-global-agent',
		others: ['no-origin-matches', 'intercepted'],
		never: /is set/,
		setUp: async ({pki, alice: {cert, key}}) => {
			setGlobalCa([Buffer.from(pki.ca)]);
			const {url} = await serve(await pki.server());
			const {origin} = new URL(url);
			return {
				broken: {url, mtls: [{cert, key, origins: ['https://localhost']}]},
				repaired: {url, mtls: [{cert, key, ca: pki.ca, origins: [origin]}]},
				says: new RegExp(`add an entry with it as \`ca\` and with ${origin} in its \`origins\``),
			};
		},
	},
	{
		name: 'a CA that was made anew under its old name',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-namesake',
		others: ['intercepted'],
		setUp: async () => {
			const anew = await createTestPki();
			const {url} = await serve(await anew.server());
			return {broken: {url}, repaired: {url, mtls: {ca: anew.ca}}};
		},
	},
	{
		name: "the server's own certificate in the list of CAs",
		kind: 'untrusted-issuer',
		certain: true,
		first: 'ca-holds-leaf',
		others: [],
		setUp: async ({pki}) => {
			const credential = await pki.server();
			const {url} = await serve(credential);
			return {broken: {url, mtls: {ca: credential.leaf}}, repaired: {url}};
		},
	},
	{
		name: 'an intermediate CA in the list of CAs, without its root',
		kind: 'untrusted-issuer',
		certain: true,
		first: 'ca-holds-intermediate',
		others: [],
		setUp: async ({pki}) => {
			const inner = await pki.intermediate({commonName: 'Inner G2'});
			const {url} = await serve(await inner.server());
			return {
				broken: {url, mtls: {ca: inner.cert}},
				repaired: {url, mtls: {ca: [inner.cert, pki.ca]}},
				says: /`mtls\.ca` holds 'CN=Inner G2', but not its issuer 'CN=Test Root CA'/,
			};
		},
	},
	{
		name: 'an intermediate CA in the list of CAs that the server does not send',
		kind: 'untrusted-issuer',
		certain: true,
		first: 'ca-holds-intermediate',
		others: [],
		setUp: async ({pki}) => {
			const inner = await pki.intermediate();
			const {url} = await serve(await inner.server({omitIntermediates: true}));
			return {
				broken: {url, mtls: {ca: inner.cert}},
				repaired: {url, mtls: {ca: [inner.cert, pki.ca]}},
			};
		},
	},
	{
		name: 'a server that does not send its intermediate',
		kind: 'missing-intermediate',
		certain: false,
		first: 'intermediate-missing',
		others: ['ca-missing'],
		setUp: async ({pki}) => {
			const inner = await pki.intermediate();
			const {url} = await serve(await inner.server({omitIntermediates: true}));
			return {
				broken: {url},
				repaired: {url, mtls: {ca: [pki.ca, inner.cert]}},
				says: /from http:\/\/ca\.test\/test-intermediate-ca\.crt/,
			};
		},
	},
	{
		name: 'a leaf that came alone, where a private CA is given',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intermediate-missing', 'intercepted'],
		setUp: async () => {
			const {root, leaf, cert, key} = writeChain(
				{subject: 'Root'},
				{subject: 'Acme Services'},
				{subject: 'leaf'},
			);
			return {
				broken: {url: (await serve({cert: leaf, key})).url, mtls: {ca: root}},
				repaired: async () => ({url: (await serve({cert, key})).url, mtls: {ca: root}}),
				says: eitherCa('CN=Acme Services'),
			};
		},
	},
	{
		// The same as the one before, to whoever sees the leaf alone.
		name: 'a leaf that came alone, of a root that is not the private CA which is given',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intermediate-missing', 'intercepted'],
		setUp: async () => {
			const other = await createTestPki({commonName: 'Unknown CA'});
			const {url} = await serve(await other.server());
			return {
				broken: {url},
				repaired: {url, mtls: {ca: other.ca}},
				says: eitherCa('CN=Unknown CA'),
			};
		},
	},
	{
		name: 'a leaf that came alone, of an unknown CA, where no CA is given',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intermediate-missing', 'intercepted'],
		setUp: async ({alice: {cert, key}}) => {
			const other = await createTestPki({commonName: 'Unknown CA'});
			const {url} = await serve(await other.server());
			return {
				broken: {url, config: {mtls: {cert, key}}},
				repaired: {url, mtls: {ca: other.ca}},
				says: eitherCa('CN=Unknown CA'),
			};
		},
	},
	{
		name: 'a leaf that came alone, of a CA that belongs to the owner of the given one',
		kind: 'missing-intermediate',
		certain: false,
		first: 'intermediate-missing',
		others: ['ca-missing'],
		setUp: async () => {
			const {root, leaf, cert, key} = writeChain(
				{subject: ofOwner('Acme Ltd', 'Top')},
				{subject: ofOwner('Acme Ltd', 'Services')},
				{subject: 'leaf'},
			);
			return {
				broken: {url: (await serve({cert: leaf, key})).url, mtls: {ca: root}},
				repaired: async () => ({url: (await serve({cert, key})).url, mtls: {ca: root}}),
				says: /have the server send .*; if it is a root CA/,
			};
		},
	},
	{
		// `openssl req` gives it to everybody.
		name: "a leaf that came alone, of a CA whose owner is that of OpenSSL's default",
		kind: 'untrusted-issuer',
		certain: false,
		first: 'ca-missing',
		others: ['intermediate-missing', 'intercepted'],
		setUp: async () => {
			const owner = 'Internet Widgits Pty Ltd';
			const [given, other] = [
				writeChain({subject: ofOwner(owner, 'One')}, {subject: 'leaf'}),
				writeChain({subject: ofOwner(owner, 'Two')}, {subject: 'leaf'}),
			];
			const {url} = await serve(other);
			return {
				broken: {url, mtls: {ca: given.root}},
				repaired: {url, mtls: {ca: other.root}},
			};
		},
	},
	{
		name: 'a server that does not send the second of two intermediates',
		kind: 'missing-intermediate',
		certain: false,
		first: 'intermediate-missing',
		others: ['ca-missing'],
		setUp: async ({pki}) => {
			const outer = await pki.intermediate({commonName: 'Outer'});
			const inner = await outer.intermediate({commonName: 'Inner'});
			const {leaf, cert, key} = await inner.server();
			return {
				broken: {url: (await serve({cert: leaf + inner.cert, key})).url},
				repaired: async () => ({url: (await serve({cert, key})).url}),
				says: /does not send the certificate of 'CN=Outer'/,
			};
		},
	},
	{
		name: 'a server that sends the wrong intermediate',
		kind: 'missing-intermediate',
		certain: true,
		first: 'wrong-intermediate',
		others: [],
		setUp: async ({pki}) => {
			const [inner, wrong] = await Promise.all([
				pki.intermediate({commonName: 'Issuing CA 2'}),
				pki.intermediate({commonName: 'Issuing CA 1'}),
			]);
			const {leaf, cert, key} = await inner.server();
			return {
				broken: {url: (await serve({cert: leaf + wrong.cert, key})).url},
				repaired: async () => ({url: (await serve({cert, key})).url}),
				says: /sends 'CN=Issuing CA 1', and not the certificate of 'CN=Issuing CA 2'.*-showcerts/,
			};
		},
	},
	{
		name: 'an interceptor that signs in its own name',
		kind: 'untrusted-issuer',
		certain: false,
		first: 'intercepted',
		others: ['ca-missing'],
		setUp: async () => {
			const interceptor = await createTestPki({commonName: 'Fortinet CA Root'});
			const {url} = await serve(await interceptor.server());
			return {broken: {url}, repaired: {url, mtls: {ca: interceptor.ca}}};
		},
	},
	{
		name: 'a public CA where the list of CAs replaces those of Node',
		kind: 'untrusted-issuer',
		certain: true,
		first: 'public-ca',
		others: [],
		setUp: async ({pki}) => {
			const own = tls.getCACertificates('default');
			tls.setDefaultCACertificates([pki.ca]);
			onTestFinished(() => tls.setDefaultCACertificates(own));
			const other = await createTestPki({commonName: 'Other CA'});
			const {url} = await serve(await pki.server());
			return {
				broken: {url, mtls: {ca: other.ca}},
				repaired: {url, mtls: {ca: ['default', other.ca]}},
			};
		},
	},
];

runCorpus(cases);
