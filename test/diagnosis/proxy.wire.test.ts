/*
 * Set-ups whose proxy gives no way to the server.
 */

import {startConnectProxy} from '../support/connect-proxy.ts';
import type {Fixture} from '../support/fixture.ts';
import {closedPort, startTcp} from '../support/plain-server.ts';
import {type Case, runCorpus, serve} from './corpus.ts';

const at = (port: number, protocol = 'http') => ({proxy: `${protocol}://127.0.0.1:${port}`});

/** A proxy that answers CONNECT in one way; without it the server is reached. */
function answering(verdict: number | {raw: string}) {
	return async ({pki, proxy}: Fixture) => {
		const {url} = await serve(await pki.server());
		const {port} = await proxy({verdict});
		return {broken: {url, config: at(port)}, repaired: {url, config: {proxy: false as const}}};
	};
}

const squid = (status: string, error: string) => ({
	raw: `HTTP/1.1 ${status}\r\nServer: squid/5.7\r\nX-Squid-Error: ${error}\r\nContent-Length: 0\r\n\r\n`,
});

const refused = {kind: 'proxy-refused', certain: true} as const;

/** By what a proxy answers to CONNECT: the first cause, the others, and what is said of them. */
const statuses: readonly (readonly [readonly number[], string, readonly string[], RegExp])[] = [
	[[301, 302, 307], 'proxy-redirects', [], /login page of a network/],
	[[400, 404, 405, 410, 501], 'no-proxy-there', ['proxy-no-tunnels'], /not know CONNECT/],
	[
		[401],
		'proxy-login-unusual',
		['no-proxy-there'],
		/put user and password into the URL of `proxy`/,
	],
	[[402], 'proxy-unpaid', [], /402 Payment Required/],
	[[403], 'proxy-forbids-port', ['proxy-forbids-host'], /do not allow 'localhost'/],
	[[408], 'proxy-request-timeout', [], /try again/],
	[[409, 418, 499], 'proxy-own-reason', [], /a reason of its own: 4/],
	[
		[429],
		'proxy-rate-limit',
		[],
		/429 Too Many Requests[\s\S]*wait and try again[\s\S]*a higher limit/,
	],
	[[451], 'proxy-legal-reasons', [], /RFC 7725/],
	[[500, 507, 599], 'proxy-broken', ['proxy-cannot-connect'], /the proxy itself failed: 5/],
	[[502, 503], 'proxy-cannot-connect', ['proxy-overloaded'], /check that localhost:\d+ is right/],
	[[504], 'proxy-server-timeout', [], /got no answer from localhost:\d+ in time/],
];

const cases: readonly Case[] = [
	...statuses.flatMap(([answers, first, others, says]) =>
		answers.map(
			(status): Case => ({
				...refused,
				name: `a proxy that answers ${status} and does not say why`,
				first,
				others,
				never: /NO_PROXY|cannot look 'localhost' up/,
				setUp: async (fixture) => ({...(await answering(status)(fixture)), says}),
			}),
		),
	),
	{
		...refused,
		name: 'a proxy like Squid that cannot look the name up',
		first: 'proxy-cannot-resolve',
		others: [],
		setUp: async (fixture) => ({
			...(await answering(squid('503 Service Unavailable', 'ERR_DNS_FAIL 0'))(fixture)),
			says: /\(503, ERR_DNS_FAIL 0\)/,
		}),
	},
	{
		...refused,
		name: 'a proxy like Squid that cannot connect',
		first: 'proxy-cannot-connect',
		others: [],
		setUp: answering(squid('503 Service Unavailable', 'ERR_CONNECT_FAIL 111')),
	},
	{
		name: 'a web server in place of the proxy, which answers CONNECT with a page',
		kind: 'proxy-bad-reply',
		certain: true,
		first: 'no-proxy-there',
		others: [],
		never: /hung up/,
		setUp: answering({raw: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage'}),
	},
	{
		name: 'a proxy that wants a login where none is set',
		kind: 'proxy-auth-required',
		certain: true,
		first: 'proxy-login-missing',
		others: [],
		setUp: async ({pki, proxy}) => {
			const {url} = await serve(await pki.server());
			const {port} = await proxy({credentials: {user: 'alice', password: 'wonderland'}});
			return {
				broken: {url, config: at(port)},
				repaired: {url, config: {proxy: `http://alice:wonderland@127.0.0.1:${port}`}},
			};
		},
	},
	{
		name: 'a proxy that does not accept the login',
		kind: 'proxy-auth-required',
		certain: true,
		first: 'proxy-login-wrong',
		others: ['proxy-login-scheme'],
		setUp: async ({pki, proxy}) => {
			const {url} = await serve(await pki.server());
			const {port} = await proxy({credentials: {user: 'alice', password: 'wonderland'}});
			return {
				broken: {url, config: {proxy: `http://alice:other@127.0.0.1:${port}`}},
				repaired: {url, config: {proxy: `http://alice:wonderland@127.0.0.1:${port}`}},
			};
		},
	},
	{
		name: 'a proxy of TLS that is asked in plain text',
		kind: 'proxy-bad-reply',
		certain: true,
		first: 'proxy-speaks-tls',
		others: [],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			// What OpenSSL answers to plain text: protocol_version.
			const tls = await startTcp((socket) =>
				socket.once('data', () => socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 70]))),
			);
			return {
				broken: {url, config: at(tls.port)},
				repaired: async () => {
					const {cert, key} = await pki.server();
					const proxy = await startConnectProxy({tls: {cert, key}});
					return {
						url,
						mtls: {proxy: {ca: pki.ca}},
						config: {proxy: proxy.url.replace('127.0.0.1', 'localhost')},
					};
				},
			};
		},
	},
	{
		name: 'a proxy that hangs up without a byte, since it speaks TLS',
		kind: 'proxy-bad-reply',
		certain: true,
		first: 'proxy-speaks-tls',
		others: ['proxy-failed'],
		setUp: async ({pki, proxy}) => {
			const {url} = await serve(await pki.server());
			const {cert, key} = await pki.server();
			const secure = await proxy({tls: {cert, key}});
			return {
				broken: {url, config: at(secure.port)},
				repaired: {url, mtls: {proxy: {ca: pki.ca}}, config: at(secure.port, 'https')},
				says: /try https:\/\/127\.0\.0\.1:\d+ as the URL of the proxy \(in `proxy`\); if that fails too/,
			};
		},
	},
	{
		name: 'a proxy that is not one of HTTP',
		kind: 'proxy-bad-reply',
		certain: true,
		first: 'no-http-proxy',
		others: [],
		setUp: async ({pki}) => {
			const {url} = await serve(await pki.server());
			const ssh = await startTcp((socket) =>
				socket.once('data', () => socket.end('SSH-2.0-x\r\n')),
			);
			return {broken: {url, config: at(ssh.port)}, repaired: {url}};
		},
	},
	{
		name: 'a port of the proxy on which nothing listens',
		kind: 'proxy-unreachable',
		certain: true,
		first: 'proxy-port-closed',
		others: [],
		setUp: async ({pki, proxy}) => {
			const {url} = await serve(await pki.server());
			const {port} = await proxy();
			return {broken: {url, config: at(await closedPort())}, repaired: {url, config: at(port)}};
		},
	},
	{
		name: 'a SOCKS proxy that is not one',
		kind: 'proxy-bad-reply',
		certain: true,
		first: 'no-socks-proxy',
		others: ['proxy-failed'],
		setUp: async ({pki, proxy, socksProxy}) => {
			const {url} = await serve(await pki.server());
			const http = await proxy();
			const socks = await socksProxy();
			return {
				broken: {url, config: at(http.port, 'socks5h')},
				repaired: {url, config: at(socks.port, 'socks5h')},
			};
		},
	},
	{
		name: 'a CA of the proxy that is not given',
		kind: 'proxy-unreachable',
		certain: false,
		first: 'untrusted-issuer',
		others: ['ca-missing', 'intercepted'],
		never: /`mtls\.ca`/,
		setUp: async ({pki, proxy}) => {
			const {url} = await serve(await pki.server());
			const {cert, key} = await pki.server();
			const secure = await proxy({tls: {cert, key}});
			return {
				broken: {url, config: at(secure.port, 'https')},
				repaired: {url, mtls: {proxy: {ca: pki.ca}}, config: at(secure.port, 'https')},
			};
		},
	},
];

runCorpus(cases);
