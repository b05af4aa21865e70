/*
 * Servers that make the handshake with anybody, and refuse in HTTP.
 */
import type {Readable} from 'node:stream';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, isMtlsError, type MtlsClient} from '../../src/index.ts';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {startApache} from '../support/servers/apache.ts';
import {startNginx} from '../support/servers/nginx.ts';
import {versions} from '../support/servers/session.ts';

let fixture: Fixture;
let mallory: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	mallory = await (await createTestPki()).client({commonName: 'mallory'});
});

/** A client that shows `own`, and what it tells. */
function clientOf(own: Credential | undefined, options: object = {}) {
	const told: object[] = [];
	const tell = (fields: object) => told.push(fields);
	const client: MtlsClient = createClient({
		mtls: {ca: fixture.pki.ca, ...(own && {cert: own.cert, key: own.key}), ...options},
		logger: {warn: tell, error: tell},
		proxy: false,
	});
	onTestFinished(() => client.mtls.close());
	return {client, told};
}

const cases = versions.flatMap((version) =>
	exchanges.map(([exchange, config]) => ({version, exchange, config})),
);

test.for(exchanges)(
	'plain http to nginx and Apache is answered by the page that the client knows, over %s',
	async ([, config], ctx) => {
		const {pki} = fixture;
		for (const start of [startNginx, startApache]) {
			const {origin} = await start(ctx, await pki.server(), pki.ca, 'TLSv1.3');
			const {client} = clientOf(undefined);
			const error = await failureOf(client.get(origin.replace('https:', 'http:'), config));
			expect(error).toMatchObject({status: 400, code: 'ERR_BAD_REQUEST'});
			expect(error.message).toMatch(/^Request failed with status code 400: .* https:\/\/$/);
		}
	},
);

/** nginx sends its numbers 495 and 496 only where it is told to. */
const numbers = `
	error_page 495 = @bad;
	error_page 496 = @none;
	location @bad { return 495 'no'; }
	location @none { return 496 'no'; }
`;

describe.for([
	['page', '', 400, 400],
	['number', numbers, 495, 496],
] as const)("nginx's %s for a refused client", ([, extra, badStatus, noneStatus]) => {
	test.for(cases)(
		'a refusal page of nginx is a typed failure with its response, with $version and $exchange',
		async ({version, config}, ctx) => {
			const {pki} = fixture;
			const nginx = await startNginx(ctx, await pki.server(), pki.ca, version, extra);
			const url = `${nginx.origin}/accounts?token=MARK`;

			for (const [own, kind, status] of [
				[undefined, 'client-certificate-required', noneStatus],
				[mallory, 'client-certificate-refused', badStatus],
			] as const) {
				const {client, told} = clientOf(own);
				const error = await mtlsFailureOf(client.get(url, config));

				expect(error).toMatchObject({
					code: 'ERR_BAD_REQUEST',
					status,
					response: {status, data: expect.any(String)},
					failure: {
						kind,
						side: 'client',
						phase: 'response',
						certain: true,
						protocol: version,
						clientCertificateRequested: true,
						url: `${nginx.origin}/accounts?token=[redacted]`,
						peer: {subject: 'CN=localhost'},
						identity: own ? {subject: 'CN=mallory'} : null,
					},
				});
				expect(error.response?.tls).toMatchObject({protocol: version, authorized: true});
				expect(error.message).toContain(own ? "'CN=mallory'" : 'was shown none');
				expect(error.failure.hint).toMatch(own ? /fingerprint [0-9A-F:]{95}$/ : /mtls\.cert/);
				expect(told).toMatchObject([{kind, status, code: 'ERR_BAD_REQUEST'}]);
				expect(JSON.stringify([told, error])).not.toContain('MARK');
			}
			expect((await nginx.log()).map(({status, client}) => [status, client])).toEqual([
				[noneStatus, ''],
				[badStatus, 'CN=mallory'],
			]);
		},
	);
});

test.for(exchanges)(
	"nginx's page is a response where the app accepts the status, with %s",
	async ([, config], ctx) => {
		const {pki} = fixture;
		const nginx = await startNginx(ctx, await pki.server(), pki.ca, 'TLSv1.3');
		const {client} = clientOf(undefined);
		const answer = await client.get(nginx.origin, {...config, validateStatus: () => true});
		expect(answer).toMatchObject({status: 400, data: expect.stringContaining('No required')});
	},
);

test.for(exchanges)(
	"nginx's page is recognised as bytes and left alone as a stream, with %s",
	async ([, config], ctx) => {
		const {pki} = fixture;
		const nginx = await startNginx(ctx, await pki.server(), pki.ca, 'TLSv1.3');
		const {client} = clientOf(undefined);
		const bytes = {...config, responseType: 'arraybuffer'} as const;
		const {failure} = await mtlsFailureOf(client.get(nginx.origin, bytes));
		expect(failure).toMatchObject({kind: 'client-certificate-required', certain: true});

		const streamed = await failureOf(client.get(nginx.origin, {...config, responseType: 'stream'}));
		expect(isMtlsError(streamed)).toBe(false);
		expect(streamed).toMatchObject({status: 400, code: 'ERR_BAD_REQUEST'});
		(streamed.response?.data as Readable | undefined)?.destroy();
	},
);

describe('an Apache that wants a certificate for one path alone', () => {
	const onePath = `
SSLVerifyClient none
<Location /ca.crt>
	SSLVerifyClient require
</Location>`;

	test.for(exchanges)(
		'an Apache that wants a certificate for one path cannot ask with TLS 1.3, so the hint is maxVersion, with %s',
		async ([, config], ctx) => {
			const {pki, alice} = fixture;
			const both = 'TLSv1.2 +TLSv1.3';
			const apache = await startApache(ctx, await pki.server(), pki.ca, both, onePath);
			const url = `${apache.origin}/ca.crt`;

			for (const own of [undefined, alice]) {
				const {client} = clientOf(own);
				const error = await mtlsFailureOf(client.get(url, config));
				expect(error).toMatchObject({
					code: 'ERR_BAD_REQUEST',
					status: 403,
					response: {status: 403},
					failure: {
						kind: 'client-certificate-required',
						side: 'client',
						phase: 'response',
						certain: true,
						protocol: 'TLSv1.3',
						clientCertificateRequested: false,
						hint: expect.stringContaining("maxVersion: 'TLSv1.2'"),
					},
				});
				expect(error.failure.reasons[0]).toContain('once it has seen the path');
				// Another path is open to all.
				expect((await client.get(`${apache.origin}/server.crt`, config)).status).toBe(200);
			}

			const {client} = clientOf(alice, {maxVersion: 'TLSv1.2'});
			const {status, data} = await client.get(url, config);
			expect({status, data}).toEqual({status: 200, data: pki.ca});
			expect((await apache.log(5)).map(({status, client: shown}) => [status, shown])).toEqual([
				[403, '-'],
				[200, '-'],
				[403, '-'],
				[200, '-'],
				[200, 'CN=alice'],
			]);
		},
	);

	test.for(exchanges)(
		'an Apache that wants a certificate for one path refuses by an alert of TLS 1.2, with %s',
		async ([, config], ctx) => {
			const {pki} = fixture;
			const apache = await startApache(ctx, await pki.server(), pki.ca, 'TLSv1.2', onePath);
			const expected = [
				[undefined, 'client-certificate-required', 'handshake_failure', false],
				[mallory, 'client-certificate-refused', 'unknown_ca', true],
			] as const;

			for (const [own, kind, alert, certain] of expected) {
				// On a new connection, and on one that has served an open path.
				for (const paths of [['/ca.crt'], ['/server.crt', '/ca.crt']]) {
					const {client} = clientOf(own);
					const [last = '', ...before] = paths.toReversed();
					for (const path of before) await client.get(apache.origin + path, config);
					const {failure} = await mtlsFailureOf(client.get(apache.origin + last, config));
					expect(failure).toMatchObject({
						...{kind, alert, certain, side: 'client', phase: 'response'},
						protocol: 'TLSv1.2',
						clientCertificateRequested: false,
					});
				}
			}
		},
	);
});
