/*
 * Set-ups in which both ends speak TLS and find nothing in common.
 */
import http2 from 'node:http2';
import type {AddressInfo} from 'node:net';
import {onTestFinished} from 'vitest';
import {hasOpenssl, startOpensslServer} from '../support/openssl-server.ts';
import {startPlainHttp, startTcp} from '../support/plain-server.ts';
import {type Case, runCorpus, serve} from './corpus.ts';

const cases: readonly Case[] = [
	{
		name: 'an upper bound of ours below the versions of the server',
		kind: 'protocol-mismatch',
		certain: true,
		first: 'max-version-set',
		others: [],
		never: /minVersion/,
		setUp: async ({pki}) => {
			const {url} = await serve({...(await pki.server()), minVersion: 'TLSv1.3'});
			return {
				broken: {url, mtls: {maxVersion: 'TLSv1.2'}},
				repaired: {url},
				says: /we offered TLS 1\.2 alone: protocol_version/,
			};
		},
	},
	{
		name: 'a lower bound of ours above the versions of the server',
		kind: 'protocol-mismatch',
		certain: true,
		first: 'min-version-set',
		others: [],
		never: /maxVersion/,
		setUp: async ({pki}) => {
			const {url} = await serve({...(await pki.server()), maxVersion: 'TLSv1.2'});
			return {broken: {url, mtls: {minVersion: 'TLSv1.3'}}, repaired: {url}};
		},
	},
	{
		name: 'a server of TLS 1.1',
		kind: 'protocol-mismatch',
		certain: true,
		first: 'server-too-old',
		others: [],
		setUp: async ({pki}) => {
			const {url} = await serve({
				...(await pki.server()),
				minVersion: 'TLSv1.1',
				maxVersion: 'TLSv1.1',
				ciphers: 'DEFAULT@SECLEVEL=0',
			});
			return {
				broken: {url},
				// As the hint has them.
				repaired: {url, mtls: {minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0'}},
				says: /we offered TLS 1\.2 to TLS 1\.3/,
			};
		},
	},
	{
		name: 'cipher suites of ours that the server does not have',
		kind: 'cipher-mismatch',
		certain: false,
		first: 'ciphers-set',
		others: ['groups', 'name-unknown'],
		setUp: async ({pki}) => {
			const {url} = await serve({
				...(await pki.server()),
				ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
				maxVersion: 'TLSv1.2',
			});
			const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256';
			return {broken: {url, mtls: {ciphers}}, repaired: {url}};
		},
	},
	{
		name: 'a key exchange group that we do not offer',
		kind: 'cipher-mismatch',
		certain: false,
		first: 'server-ciphers',
		others: ['groups', 'name-unknown'],
		never: /`mtls\.ciphers` is set/,
		setUp: async ({pki}) => {
			const credential = await pki.server();
			const {url} = await serve({
				...credential,
				ecdhCurve: 'brainpoolP256r1',
				maxVersion: 'TLSv1.2',
			});
			return {broken: {url}, repaired: async () => ({url: (await serve(credential)).url})};
		},
	},
	{
		name: 'a server without HTTP/2 that is asked for it',
		kind: 'protocol-mismatch',
		certain: true,
		first: 'http2-off',
		others: ['http1-between'],
		never: /TLS version/,
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			return {broken: {url, request: {httpVersion: 2}}, repaired: {url, request: {httpVersion: 1}}};
		},
	},
	{
		name: 'a server of HTTP/2 alone',
		kind: 'protocol-mismatch',
		certain: true,
		first: 'http2-alone',
		others: [],
		setUp: async ({pki}) => {
			const server = http2.createSecureServer(await pki.server(), (_, response) =>
				response.end('well'),
			);
			server.listen(0, '127.0.0.1');
			await new Promise((resolve) => server.once('listening', resolve));
			onTestFinished(() => void server.close());
			const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
			return {broken: {url}, repaired: {url, request: {httpVersion: 2}}};
		},
	},
	...(hasOpenssl ? [unknownName()] : []),
	{
		name: 'plain http on the port',
		kind: 'not-tls',
		certain: true,
		first: 'plain-http',
		others: ['intercepted'],
		setUp: async () => {
			const {port} = await startPlainHttp();
			return {
				broken: {url: `https://localhost:${port}/`},
				repaired: {url: `http://localhost:${port}/`},
			};
		},
	},
	{
		name: 'SSH on the port',
		kind: 'not-tls',
		certain: true,
		first: 'plain-http',
		others: ['intercepted'],
		setUp: async ({pki}) => {
			const {port} = await startTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
			return {
				broken: {url: `https://localhost:${port}/`},
				repaired: async () => ({url: (await serve(await pki.server())).url}),
			};
		},
	},
	{
		name: 'a firewall that resets the handshake',
		kind: 'reset',
		certain: false,
		first: 'cut-off',
		others: ['name-not-served', 'restarting', 'no-tls'],
		setUp: async ({pki}) => {
			const {port} = await startTcp((socket) =>
				socket.once('data', () => socket.resetAndDestroy()),
			);
			return {
				broken: {url: `https://localhost:${port}/`},
				repaired: async () => ({url: (await serve(await pki.server())).url}),
			};
		},
	},
	{
		name: 'a server that hangs up on an IP address',
		kind: 'reset',
		certain: false,
		first: 'cut-off',
		others: ['no-name-sent', 'restarting', 'no-tls'],
		setUp: async ({pki}) => {
			const {port} = await startTcp((socket) => socket.once('data', () => socket.end()));
			return {
				broken: {url: `https://127.0.0.1:${port}/`},
				repaired: async () => ({url: (await serve(await pki.server())).url}),
			};
		},
	},
];

/** `openssl s_server` that serves one name, and says so to a client that asks for another. */
function unknownName(): Case {
	return {
		name: 'a name that the server does not serve',
		kind: 'reset',
		certain: true,
		first: 'name-unknown',
		others: [],
		never: /firewall/,
		setUp: async ({pki}) => {
			const names = ['localhost', 'api.bank.test'];
			const credential = await pki.server({names});
			const server = await startOpensslServer(pki, credential, 'TLSv1.2', {
				args: [
					...['-servername', 'api.bank.test', '-servername_fatal'],
					...['-cert2', 'cert.pem', '-key2', 'key.pem'],
				],
			});
			onTestFinished(() => server[Symbol.asyncDispose]());
			const url = `https://localhost:${server.port}/`;
			return {
				broken: {url},
				repaired: {url, mtls: {servername: 'api.bank.test'}},
				says: /does not know the name 'localhost': unrecognized_name/,
			};
		},
	};
}

runCorpus(cases);
