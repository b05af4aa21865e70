/*
 * Broken set-ups of servers and proxies of other makes.
 */
import {createTestPki} from '../../src/testing/index.ts';
import {closedPort} from '../support/plain-server.ts';
import {startApache} from '../support/servers/apache.ts';
import {startNginx} from '../support/servers/nginx.ts';
import {startSquid} from '../support/servers/squid.ts';
import {type Case, runCorpus, serve} from './corpus.ts';

const login = (port: number) => ({proxy: `http://alice:wonderland@127.0.0.1:${port}`});

/** A path of nginx that is open to whoever has come through the handshake. */
const open = "location = /open { return 200 'well'; }";

/** Apache that asks on one path. */
const onePath = `
	SSLVerifyClient none
	<Location /ca.crt>
		SSLVerifyClient require
	</Location>
`;

const cases: readonly Case[] = [
	{
		name: 'a certificate that nginx was not shown',
		kind: 'client-certificate-required',
		certain: true,
		first: 'none-set',
		others: [],
		setUp: async ({pki}, context) => {
			const nginx = await startNginx(context, await pki.server(), pki.ca, 'TLSv1.3', open);
			const url = `${nginx.origin}/open`;
			return {broken: {url, config: {mtls: {ca: pki.ca}}}, repaired: {url}};
		},
	},
	{
		name: 'a certificate that nginx does not trust',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'issuer-not-trusted',
		others: ['not-registered', 'own-revoked'],
		setUp: async ({pki}, context) => {
			const nginx = await startNginx(context, await pki.server(), pki.ca, 'TLSv1.3', open);
			const url = `${nginx.origin}/open`;
			const {cert, key} = await (await createTestPki({commonName: 'Other Root CA'})).client();
			return {broken: {url, mtls: {cert, key}}, repaired: {url}};
		},
	},
	{
		name: 'a certificate without its intermediate at nginx',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-chain-incomplete',
		others: ['issuer-not-trusted', 'not-registered', 'own-revoked'],
		setUp: async ({pki}, context) => {
			const extra = `ssl_verify_depth 2;${open}`;
			const nginx = await startNginx(context, await pki.server(), pki.ca, 'TLSv1.3', extra);
			const url = `${nginx.origin}/open`;
			const {cert, leaf, key} = await (await pki.intermediate()).client();
			return {broken: {url, mtls: {cert: leaf, key}}, repaired: {url, mtls: {cert, key}}};
		},
	},
	{
		name: 'a certificate that has expired at nginx',
		kind: 'client-certificate-refused',
		certain: true,
		first: 'own-expired',
		others: ['issuer-not-trusted', 'not-registered', 'own-revoked'],
		never: /allowExpired/,
		setUp: async ({pki}, context) => {
			const nginx = await startNginx(context, await pki.server(), pki.ca, 'TLSv1.3', open);
			const url = `${nginx.origin}/open`;
			const {cert, key} = await pki.client({expired: true});
			return {broken: {url, mtls: {cert, key, allowExpired: true}}, repaired: {url}};
		},
	},
	{
		name: 'a path of Apache that asks after the handshake, with TLS 1.3',
		kind: 'client-certificate-required',
		certain: true,
		first: 'post-handshake',
		others: [],
		setUp: async ({pki}, context) => {
			const both = 'TLSv1.2 +TLSv1.3';
			const apache = await startApache(context, await pki.server(), pki.ca, both, onePath);
			const url = `${apache.origin}/ca.crt`;
			return {broken: {url}, repaired: {url, mtls: {maxVersion: 'TLSv1.2'}}};
		},
	},
	{
		name: 'a port that Squid cannot connect to',
		kind: 'proxy-refused',
		certain: true,
		first: 'proxy-cannot-connect',
		others: [],
		setUp: async ({pki}, context) => {
			const {url} = await serve(await pki.server());
			const {port} = await startSquid(context);
			const config = login(port);
			return {
				broken: {url: `https://localhost:${await closedPort()}/`, config},
				repaired: {url, config},
				says: /ERR_CONNECT_FAIL/,
			};
		},
	},
	{
		name: 'nginx in place of a proxy',
		kind: 'proxy-refused',
		certain: true,
		first: 'no-proxy-there',
		others: ['proxy-no-tunnels'],
		setUp: async ({pki}, context) => {
			const {url} = await serve(await pki.server());
			const nginx = await startNginx(context, await pki.server(), pki.ca, 'TLSv1.3');
			return {
				broken: {url, config: {proxy: `http://127.0.0.1:${nginx.port}`}},
				repaired: {url},
			};
		},
	},
];

runCorpus(cases);
