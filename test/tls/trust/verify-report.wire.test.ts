import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import axios from 'axios';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	type ClientConfig,
	createAdapter,
	createClient,
	type Logger,
	MtlsAgent,
	MtlsConfigError,
	type MtlsFailure,
	type MtlsOptions,
	withMtls,
} from '../../../src/index.ts';
import {type Credential, createTestPki} from '../../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
} from '../../support/fixture.ts';
import {pinOf} from '../../support/forged-certificate.ts';
import {iterations} from '../../support/iterations.ts';

interface Case {
	readonly kind: string;
	readonly code: string;
	readonly credential: Credential;
	readonly options?: MtlsOptions;
}

let fixture: Fixture;
let cases: readonly Case[];
beforeAll(async () => {
	fixture = await createFixture();
	const {pki} = fixture;
	const other = await createTestPki();
	const good = await pki.server();
	cases = [
		{
			kind: 'expired',
			code: 'CERT_HAS_EXPIRED',
			credential: await pki.server({expired: true}),
		},
		{
			kind: 'wrong-name',
			code: 'ERR_TLS_CERT_ALTNAME_INVALID',
			credential: await pki.server({names: ['other.test']}),
		},
		{
			kind: 'self-signed',
			code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
			credential: await pki.server({selfSigned: true}),
		},
		{
			kind: 'untrusted-issuer',
			code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
			credential: await other.server(),
		},
		{
			kind: 'pin-mismatch',
			code: 'ERR_MTLS_PIN_MISMATCH',
			credential: good,
			options: {pins: pinOf(other.ca)},
		},
		{
			kind: 'spiffe-mismatch',
			code: 'ERR_MTLS_SPIFFE_MISMATCH',
			credential: good,
			options: {spiffeId: 'spiffe://example.org/billing'},
		},
	];
});

const closing = pages({
	'/': (_, response) => response.setHeader('connection', 'close').end('ok'),
	'/?token=MARK': (_, response) => response.setHeader('connection', 'close').end('ok'),
	'/kept': (_, response) => response.end('ok'),
});

function recorder() {
	const told: {level: string; fields: Record<string, unknown>; message: string}[] = [];
	const level = (level: string) => (fields: object, message: string) => {
		told.push({level, fields: {...fields}, message});
	};
	return {told, logger: {error: level('error'), warn: level('warn')} satisfies Logger};
}

function client(logger: Logger, mtls: MtlsOptions, config: ClientConfig = {}) {
	return fixture.client({...config, logger, mtls});
}

/** How often a server that was not verified is asked. */
const times = iterations({usual: 5, short: 2});

describe.each([undefined, '0'])('with NODE_TLS_REJECT_UNAUTHORIZED=%s', (environment) => {
	describe.each(exchanges)('over %s', (_, options) => {
		test("verify: 'report' goes on and logs each failed handshake", async () => {
			stub(environment);
			for (const {kind, code, credential, options: own} of cases) {
				for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
					const {told, logger} = recorder();
					const server = await fixture.server({
						credential,
						handler: closing,
						maxVersion: version,
					});
					const reporting = client(logger, {...own, verify: 'report'});
					for (let i = 0; i < times; i++) {
						const {status, tls} = await reporting.get(server.url('/?token=MARK'), options);
						expect(status).toBe(200);
						expect(tls).toMatchObject({
							protocol: version,
							authorized: false,
							// Nothing is resumed that was not verified.
							resumed: false,
							clientCertificateRequested: true,
						});
					}
					expect(server.handshakes).toEqual({full: times, resumed: 0});
					expect(told).toHaveLength(times);
					for (const {level, fields, message} of told) {
						expect(level).toBe('warn');
						expect(fields).toMatchObject({
							event: 'verification_failed',
							enforced: false,
							kind,
							code,
							side: 'server',
							phase: 'verify',
							host: 'localhost',
							port: server.port,
							// A connection is reported, and other requests may use it too.
							url: `${server.origin}/`,
							peer: {subject: expect.stringContaining('CN=')},
							identity: {subject: 'CN=alice'},
						});
						expect(message).toMatch(
							/^certificate not verified; request sent because verify is 'report': /,
						);
					}
					expect(JSON.stringify(told)).not.toContain('MARK');
				}
			}
		});

		test("the same client without verify: 'report' sends nothing", async () => {
			stub(environment);
			for (const {kind, code, credential, options: own} of cases) {
				for (const verify of ['strict', undefined] as const) {
					const {told, logger} = recorder();
					const server = await fixture.server({credential, handler: closing});
					const strict = client(logger, {...own, ...(verify && {verify})});
					const error = await mtlsFailureOf(strict.post(server.url(), 'the body', options));
					expect(error.code).toBe(code);
					expect(error.failure).toMatchObject({kind, side: 'server', phase: 'verify'});
					expect(told).toMatchObject([
						{level: 'error', fields: {event: 'connection_failed', kind}},
					]);
					await allClosed(server);
					expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
					expect(server.requests).toEqual([]);
				}
			}
		});
	});
});

function stub(environment: string | undefined): void {
	vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', environment);
	onTestFinished(() => {
		vi.unstubAllEnvs();
	});
}

describe.each(exchanges)('over %s', (_, options) => {
	test("a server that is verified is not logged with verify: 'report', and its sessions are resumed", async () => {
		const {told, logger} = recorder();
		const server = await fixture.server({handler: closing});
		const reporting = client(logger, {verify: 'report'});
		for (let i = 0; i < 3; i++) {
			const {tls} = await reporting.get(server.url(), options);
			expect(tls).toMatchObject({authorized: true, resumed: i > 0});
		}
		expect(server.handshakes).toEqual({full: 1, resumed: 2});
		expect(told).toEqual([]);
	});

	test('an unverified connection is logged once, however many requests it serves', async () => {
		const {told, logger} = recorder();
		const [{credential} = {}] = cases;
		const server = await fixture.server({...(credential && {credential}), handler: closing});
		const reporting = client(logger, {verify: 'report'});
		for (let i = 0; i < 4; i++) {
			const {tls} = await reporting.get(server.url('/kept'), options);
			expect(tls?.authorized).toBe(false);
		}
		expect(server.connections).toHaveLength(1);
		expect(told).toHaveLength(1);
	});

	test('a report names the origin of an IPv6 address as a URL has it', async () => {
		const {told, logger} = recorder();
		const [{credential} = {}] = cases;
		const server = await fixture.server({
			...(credential && {credential}),
			handler: closing,
			host: '::1',
		});
		const origin = `https://[::1]:${server.port}`;
		await client(logger, {verify: 'report'}).get(`${origin}/kept`, options);
		expect(told.map(({fields}) => fields.url)).toEqual([`${origin}/`]);
	});

	test('every verification error is logged: the chain, the name and the pin', async () => {
		const {told, logger} = recorder();
		const credential = await fixture.pki.server({names: ['other.test'], expired: true});
		const server = await fixture.server({credential, handler: closing});
		const pins = pinOf(fixture.alice.leaf);
		await client(logger, {verify: 'report', pins}).get(server.url(), options);
		expect(told.map(({fields}) => fields.kind)).toEqual(['expired', 'wrong-name', 'pin-mismatch']);
	});

	test.each([
		['TLSv1.2', 'report', true],
		['TLSv1.3', 'report', true],
		['TLSv1.2', 'strict', true],
		['TLSv1.3', 'strict', false],
	] as const)(
		"the log says whether an unverified server got the certificate with %s and verify: '%s': %s",
		async (maxVersion, verify, isSent) => {
			const credential = await fixture.pki.server({selfSigned: true});
			const server = await fixture.server({credential, handler: closing, maxVersion});
			const {told, logger} = recorder();
			const published: unknown[] = [];
			const listener = (event: unknown) => published.push(event);
			subscribe('axios-mtls:failure', listener);
			onTestFinished(() => {
				unsubscribe('axios-mtls:failure', listener);
			});
			const printed = vi.spyOn(console, 'warn').mockImplementation(() => {});
			const failed = vi.spyOn(console, 'error').mockImplementation(() => {});
			onTestFinished(() => {
				vi.restoreAllMocks();
			});

			for (const each of [logger, console]) {
				await client(each, {verify})
					.get(server.url(), options)
					.catch(() => {});
			}

			await allClosed(server);
			const got = server.connections.map(({clientCertificate}) => clientCertificate?.subject);
			expect(got).toEqual(isSent ? ['alice', 'alice'] : [undefined, undefined]);
			const use = isSent ? 'sent' : undefined;
			expect(told.map(({fields}) => fields.clientCertificate)).toEqual([use]);
			const facts = {enforced: verify === 'strict', kind: 'self-signed'};
			expect(published).toMatchObject([facts, facts]);
			expect(published.map((each) => (each as MtlsFailure).clientCertificate)).toEqual([use, use]);
			const line = /our certificate: 'CN=alice'.*/.exec(
				String([...printed.mock.calls, ...failed.mock.calls]),
			);
			expect(line?.[0]).toMatch(isSent ? /\d, sent$/ : /\d, asked for, not sent$/);
		},
	);

	test('a logger that throws does not fail the request', async () => {
		const [{credential} = {}] = cases;
		const server = await fixture.server({...(credential && {credential}), handler: closing});
		const broken = () => {
			throw new Error('the disk is full');
		};
		const logger = {warn: broken, error: broken};
		const reporting = fixture.client({logger, mtls: {verify: 'report'}});
		expect((await reporting.get(server.url(), options)).status).toBe(200);
	});

	test('requireClientAuth is enforced all the same', async () => {
		const {logger} = recorder();
		const server = await fixture.server({handler: closing, clientAuth: 'none'});
		const reporting = client(logger, {verify: 'report', requireClientAuth: true});
		const {failure} = await mtlsFailureOf(reporting.get(server.url(), options));
		expect(failure.kind).toBe('client-auth-not-requested');
		expect(server.requests).toEqual([]);
	});
});

// Security: nothing would tell that requests go to a server that was not verified.
describe("verify: 'report' with `logger: false`", () => {
	const report = {verify: 'report'} as const;
	const strict = {origins: ['https://a.test']};
	const listed = [strict, {...report, origins: ['https://b.test']}];

	test.each<[string, string, () => unknown]>([
		['createClient', 'mtls.verify', () => createClient({mtls: report, logger: false})],
		['a list', 'mtls[1].verify', () => createClient({mtls: listed, logger: false})],
		['withMtls', 'mtls.verify', () => withMtls(axios.create(), {mtls: report, logger: false})],
		['create', 'mtls.verify', () => createClient({logger: false}).create({mtls: report})],
		['MtlsAgent', 'mtls.verify', () => new MtlsAgent(report, {logger: false})],
		['a list of MtlsAgent', 'mtls[1].verify', () => new MtlsAgent(listed, {logger: false})],
	])('%s is refused, naming %s', (_, option, make) => {
		expect(make).toThrow(MtlsConfigError);
		expect(make).toThrow(
			expect.objectContaining({
				code: 'ERR_MTLS_BAD_OPTION',
				option,
				message: `${option}: 'report' needs a logger: with \`logger: false\` nobody would see what it finds`,
			}),
		);
	});

	test('the other ways to make one are kept', () => {
		const {logger} = recorder();
		expect(() => createClient({mtls: {verify: 'strict'}, logger: false})).not.toThrow();
		expect(() => createClient({mtls: report, logger})).not.toThrow();
		expect(() => createClient({logger: false}).create({mtls: report, logger})).not.toThrow();
		expect(() => new MtlsAgent(report)).not.toThrow();
	});

	test('an instance that shares the connections of another leaves the report to its logger', async () => {
		const {told, logger} = recorder();
		const credential = await fixture.pki.server({selfSigned: true});
		const server = await fixture.server({credential, handler: closing});
		const silent = client(logger, report).create({logger: false, proxy: false});
		expect((await silent.get(server.url())).status).toBe(200);
		expect(told).toMatchObject([{fields: {event: 'verification_failed'}}]);
	});

	test('an adapter, which takes no logger, reports to the console', async () => {
		const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
		onTestFinished(() => warn.mockRestore());
		const credential = await fixture.pki.server({selfSigned: true});
		const server = await fixture.server({credential, handler: closing, clientAuth: 'none'});
		const adapter = createAdapter({mtls: {...report, ca: fixture.pki.ca}});
		expect((await axios.create({adapter, proxy: false}).get(server.url())).status).toBe(200);
		expect(warn).toHaveBeenCalledExactlyOnceWith(
			expect.stringContaining("request sent because verify is 'report'"),
		);
	});
});
