import {execFile} from 'node:child_process';
import {once} from 'node:events';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import axios from 'axios';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {isMtlsError, MtlsAgent} from '../../../src/index.ts';
import {type Credential, createTestPki, type MtlsServer} from '../../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
} from '../../support/fixture.ts';

let fixture: Fixture;
let impostors: readonly (readonly [string, Credential])[];
beforeAll(async () => {
	fixture = await createFixture();
	const {pki} = fixture;
	const stranger = await createTestPki();
	const intermediate = await pki.intermediate();
	impostors = [
		['expired', await pki.server({expired: true})],
		['not-yet-valid', await pki.server({notYetValid: true})],
		['wrong-name', await pki.server({names: ['other.test']})],
		['self-signed', await pki.server({selfSigned: true})],
		['untrusted-issuer', await stranger.server()],
		['missing-intermediate', await intermediate.server({omitIntermediates: true})],
		['wrong-purpose', await pki.server({purposes: ['clientAuth']})],
	];
});

const handler = pages({'/': (_, response) => response.end('impostor')});

// Written as a variable: the literal, which switches verification off elsewhere, is nowhere here.
const off = false;

/** Node's own verdict with the environment as it is: 200 where it has been switched off. */
function askNode(server: MtlsServer, options: https.RequestOptions = {}): Promise<unknown> {
	return new Promise((resolve) => {
		const {cert, key} = fixture.alice;
		const own = options.agent ? {} : {ca: fixture.pki.ca, cert, key, agent: false};
		const request = https.get(server.url(), {...own, ...options}, (response) =>
			response.resume().once('end', () => resolve(response.statusCode)),
		);
		request.once('error', (error) => resolve('code' in error ? error.code : error.message));
	});
}

async function expectUnread(server: MtlsServer, connections: number): Promise<void> {
	await allClosed(server);
	expect(server.connections).toHaveLength(connections);
	for (const {plaintextBytes} of server.connections) expect(plaintextBytes).toBe(0);
	expect(server.requests).toEqual([]);
}

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
	describe.each(exchanges)('over %s', (_, options) => {
		test.each(['0', ''])(
			'NODE_TLS_REJECT_UNAUTHORIZED=%s, set while the client lives, lets no impostor through',
			async (value) => {
				vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', value);
				onTestFinished(() => {
					vi.unstubAllEnvs();
				});
				for (const [kind, credential] of impostors) {
					const server = await fixture.server({credential, handler});
					const client = fixture.client(options);
					const {failure} = await mtlsFailureOf(client.post(server.url(), 'the body'));
					expect(failure).toMatchObject({kind, side: 'server', phase: 'verify'});
					await expectUnread(server, 1);
				}
			},
		);
	});

	test('NODE_TLS_REJECT_UNAUTHORIZED=0 does let them through in plain Node, so that these tests show something', async () => {
		vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
		onTestFinished(() => {
			vi.unstubAllEnvs();
		});
		for (const [, credential] of impostors) {
			const server = await fixture.server({credential, handler});
			expect(await askNode(server)).toBe(200);
		}
	});

	test('NODE_TLS_REJECT_UNAUTHORIZED=0 for the whole process changes nothing for the client', async () => {
		const credential = await fixture.pki.server({selfSigned: true});
		const server = await fixture.server({credential, handler, clientAuth: 'none'});
		expect(await child(server.url(), {NODE_TLS_REJECT_UNAUTHORIZED: '0'})).toEqual({
			ours: {kind: 'self-signed', code: 'DEPTH_ZERO_SELF_SIGNED_CERT'},
			node: {status: 200},
		});
		expect(server.requests).toHaveLength(1);
		expect(server.requests).toMatchObject([{method: 'GET'}]);
	});
});

describe('NODE_OPTIONS=--tls-min-v1.0', () => {
	const old = {NODE_OPTIONS: '--tls-min-v1.0', CIPHERS: 'DEFAULT@SECLEVEL=0'};

	test('NODE_OPTIONS=--tls-min-v1.0 does not lower the minimum version, unless the app asks for it', async () => {
		const url = await startOldServer();
		const code = expect.stringMatching(/^(EPROTO|ERR_SSL_.*)$/);
		const [unset, set, asked] = await Promise.all([
			child(url, {CIPHERS: old.CIPHERS}),
			child(url, old),
			child(url, {...old, MIN_VERSION: 'TLSv1'}),
		]);
		expect(unset).toEqual({ours: {kind: 'protocol-mismatch', code}, node: {code}});
		expect(set).toEqual({ours: {kind: 'protocol-mismatch', code}, node: {status: 200}});
		expect(asked).toEqual({
			ours: {status: 200, protocol: 'TLSv1.1'},
			node: {status: 200},
		});
	});
});

describe('a request through an MtlsAgent', () => {
	let agent: MtlsAgent;
	beforeAll(() => {
		const {cert, key} = fixture.alice;
		agent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false});
	});

	const codes: Record<string, string> = {
		expired: 'CERT_HAS_EXPIRED',
		'not-yet-valid': 'CERT_NOT_YET_VALID',
		'wrong-name': 'ERR_TLS_CERT_ALTNAME_INVALID',
		'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
		'untrusted-issuer': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		'missing-intermediate': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		'wrong-purpose': 'INVALID_PURPOSE',
	};
	const overrides: [string, https.RequestOptions][] = [
		['rejectUnauthorized', {rejectUnauthorized: off}],
		['checkServerIdentity', {checkServerIdentity: () => undefined}],
		['servername', {servername: 'other.test'}],
		['a Host header', {headers: {host: 'other.test'}}],
		['all of them', {rejectUnauthorized: off, checkServerIdentity: () => undefined}],
	];

	test.each(overrides)(
		'a request through an MtlsAgent cannot switch the verification off by %s',
		async (_name, options) => {
			for (const [kind, credential] of impostors) {
				const server = await fixture.server({credential, handler});
				expect(await askNode(server, {...options, agent})).toBe(codes[kind]);
				await expectUnread(server, 1);
			}
		},
	);

	test('a request cannot switch the verification off by changing the options of the agent afterwards', async () => {
		const {cert, key} = fixture.alice;
		const changed = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false});
		expect(changed.options.rejectUnauthorized).toBe(true);
		changed.options.rejectUnauthorized = off;
		const [[, credential] = []] = impostors;
		const server = await fixture.server({...(credential && {credential}), handler});
		expect(await askNode(server, {agent: changed})).toBe('CERT_HAS_EXPIRED');
		await expectUnread(server, 1);
	});

	test('a request of plain axios through an MtlsAgent is verified, and fails with the error of Node', async () => {
		const [, , [, credential] = []] = impostors;
		const server = await fixture.server({...(credential && {credential}), handler});
		const error = await axios
			.get(server.url(), {httpsAgent: agent, proxy: false})
			.catch((e: unknown) => e);
		expect(isMtlsError(error)).toBe(false);
		expect(error).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
		await expectUnread(server, 1);
	});
});

/** What becomes of a request in a process with this environment. */
async function child(url: string, env: Record<string, string>): Promise<unknown> {
	const script = fileURLToPath(new URL('../../support/child-get.ts', import.meta.url));
	const {NODE_OPTIONS: _, NODE_TLS_REJECT_UNAUTHORIZED: __, ...inherited} = process.env;
	const {stdout} = await promisify(execFile)(process.execPath, [script, url], {
		env: {...inherited, NODE_NO_WARNINGS: '1', CA: fixture.pki.ca, ...env},
	});
	return JSON.parse(stdout);
}

/** A server that speaks no TLS newer than 1.1, trusted and well named. */
async function startOldServer(): Promise<string> {
	const {cert, key} = await fixture.pki.server();
	const server = https.createServer(
		{
			cert,
			key,
			minVersion: 'TLSv1',
			maxVersion: 'TLSv1.1',
			ciphers: 'DEFAULT@SECLEVEL=0',
		},
		(_, response) => response.end(),
	);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(async () => {
		const closed = once(server, 'close');
		server.close();
		server.closeAllConnections();
		await closed;
	});
	return `https://localhost:${(server.address() as AddressInfo).port}/`;
}
