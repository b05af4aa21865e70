import {beforeAll, describe, expect, test} from 'vitest';
import type {MtlsServer} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** Whose certificate each connection showed. */
const shown = ({connections}: MtlsServer) =>
	connections.map(({clientCertificate}) => clientCertificate?.subject);

/** Redirects `/away` to the stranger; all else is the bank's. */
async function pair(path = '/secret') {
	const stranger = await fixture.recordingServer();
	const bank = await fixture.server({
		handler: pages({
			'/away': redirect(stranger.url(path)),
			'/away/307': redirect(stranger.url(path), 307),
		}),
	});
	return {stranger, bank};
}

const credentials = {
	Authorization: 'Bearer t',
	Cookie: 'own=1',
	'Proxy-Authorization': 'Basic p',
	'X-Api-Key': 'k',
};

describe.each(exchanges)('over %s', (_, options) => {
	describe.each(['TLSv1.2', 'TLSv1.3'] as const)('on %s', (maxVersion) => {
		test('an unverified server that requests a certificate gets none', async () => {
			const {stranger, bank} = await pair();
			const client = fixture.client({...options, mtls: {maxVersion}});
			const response = await client.get(bank.url('/away'));

			expect(response.data).toBe('stranger');
			expect(response.tls).toMatchObject({
				protocol: maxVersion,
				clientCertificateRequested: true,
				identity: null,
			});
			expect(shown(bank)).toEqual(['alice']);
			expect(shown(stranger)).toEqual([undefined]);
			expect(stranger.connections[0]).toMatchObject({
				secure: true,
				protocol: maxVersion,
				authorized: false,
			});
		});

		test('an origin of `mtls.origins` is offered the certificate', async () => {
			const {stranger, bank} = await pair();
			const client = fixture.client({...options, mtls: {maxVersion, origins: [stranger.origin]}});
			const response = await client.get(bank.url('/away'));

			expect(response.tls).toMatchObject({identity: {subject: 'CN=alice'}});
			expect(shown(stranger)).toEqual(['alice']);
			expect(stranger.connections[0]).toMatchObject({secure: true, authorized: true});
		});
	});

	test('an unverified server gets no Cookie, no Authorization and no password', async () => {
		const {stranger, bank} = await pair();
		const client = fixture.client({...options, auth: {username: 'u', password: 'p'}});
		await client.get(bank.url('/away'), {headers: credentials, sensitiveHeaders: ['x-api-key']});

		expect(bank.requests[0]?.headers).toMatchObject({
			authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
			cookie: 'own=1',
			'x-api-key': 'k',
		});
		expect(Object.keys(stranger.requests[0]?.headers ?? {}).sort()).toEqual([
			'accept',
			'accept-encoding',
			'connection',
			'host',
			'user-agent',
		]);
		expect(stranger.requests[0]?.headers.host).toBe(`localhost:${stranger.port}`);
	});

	test("the jar's cookies go to the host that set them, and to no other", async () => {
		const stranger = await fixture.recordingServer();
		const byAddress = stranger.url('/x').replace('localhost', '127.0.0.1');
		const bank = await fixture.server({
			handler: pages({
				'/away': redirect(byAddress),
				'/port': redirect(stranger.url('/port')),
			}),
		});
		const client = fixture.client({...options, jar: true});
		await client.post(bank.url('/login'), {user: 'alice', password: 'wonderland'});
		await client.get(bank.url('/away'));
		expect(bank.requests.at(-1)?.headers.cookie).toMatch(/^session=/);
		expect(stranger.requests[0]?.headers).not.toHaveProperty('cookie');

		// Cookies know no ports (RFC 6265 §8.5); certificates do.
		await client.get(bank.url('/port'));
		expect(stranger.requests[1]?.headers.cookie).toMatch(/^session=/);
		expect(shown(stranger)).toEqual([undefined, undefined]);
	});

	test('a path on the same origin gets them all, and the certificate', async () => {
		const bank = await fixture.server({handler: pages({'/here': redirect('/echo')})});
		const client = fixture.client({...options, headers: credentials});
		const {data} = await client.get(bank.url('/here'));
		expect(data.headers).toMatchObject({
			authorization: 'Bearer t',
			cookie: 'own=1',
			'x-api-key': 'k',
		});
		// That one is for the proxy of a hop; axios keeps it on none.
		expect(data.headers).not.toHaveProperty('proxy-authorization');
		// A request that brings a login for a proxy goes by axios's adapter, which has connections of its own.
		expect(new Set(shown(bank))).toEqual(new Set(['alice']));
	});

	test('a path on the same origin is asked on the connection that redirected there', async () => {
		const bank = await fixture.server({handler: pages({'/here': redirect('/echo')})});
		const {'Proxy-Authorization': _, ...headers} = credentials;
		await fixture.client({...options, headers}).get(bank.url('/here'));
		expect(shown(bank)).toEqual(['alice']);
	});

	test('a listed origin gets the certificate, and still no Authorization', async () => {
		const {stranger, bank} = await pair();
		const client = fixture.client({...options, mtls: {origins: [stranger.origin]}});
		await client.get(bank.url('/away'), {headers: credentials});
		expect(shown(stranger)).toEqual(['alice']);
		expect(stranger.requests[0]?.headers).not.toHaveProperty('authorization');
		expect(stranger.requests[0]?.headers).not.toHaveProperty('cookie');
	});

	test('a body that a 307 carries goes along, the certificate does not', async () => {
		const {stranger, bank} = await pair();
		await fixture.client(options).post(bank.url('/away/307'), {a: 1});
		expect(stranger.requests[0]).toMatchObject({method: 'POST', url: '/secret'});
		expect(stranger.requests[0]?.body.toString()).toBe('{"a":1}');
		expect(shown(stranger)).toEqual([undefined]);
	});

	test('an unverified server that insists on a certificate fails the request, and gets none', async () => {
		const insistent = await fixture.server();
		const bank = await fixture.server({
			handler: pages({'/away': redirect(insistent.url('/echo'))}),
		});
		const error = await mtlsFailureOf(fixture.client(options).get(bank.url('/away')));
		expect(error.failure).toMatchObject({
			kind: 'client-certificate-required',
			side: 'client',
			host: 'localhost',
			port: insistent.port,
			url: insistent.url('/echo'),
			clientCertificateRequested: true,
			identity: null,
		});
		expect(error.failure).toMatchObject({
			clientCertificate: 'withheld',
			causes: ['withheld'],
			reasons: [
				`our certificate was withheld, because a redirect from ${bank.origin} led to ${insistent.origin}`,
			],
			hint: `if ${insistent.origin} may have our certificate, add it to \`mtls.origins\``,
		});
		expect(error.config?.url).toBe(bank.url('/away'));
		expect(shown(insistent)).toEqual([undefined]);
		expect(insistent.requests).toEqual([]);
	});

	test('a redirect from A to B and back to A presents the certificate at A alone, on its first connection', async () => {
		const away: {url: string} = {url: ''};
		const bank = await fixture.server({
			handler: (request, response) => {
				if (request.url !== '/away') return false;
				redirect(away.url)(request, response);
				return true;
			},
		});
		const stranger = await fixture.recordingServer({
			handler: (request, response) => {
				redirect(bank.url('/whoami'))(request, response);
				return true;
			},
		});
		away.url = stranger.url();

		const {data} = await fixture.client(options).get(bank.url('/away'));
		expect(data).toMatchObject({client: 'alice'});
		expect(shown(bank)).toEqual(['alice']);
		expect(shown(stranger)).toEqual([undefined]);
		expect(bank.requests.map(({url}) => url)).toEqual(['/away', '/whoami']);
	});

	test('connections with and without the certificate are never mixed', async () => {
		const {stranger, bank} = await pair();
		const client = fixture.client(options);
		// The app asks the stranger itself, so it may see the certificate; then by redirect, then itself.
		await client.get(stranger.url('/asked'));
		await client.get(bank.url('/away'));
		await client.get(stranger.url('/asked'));
		await client.get(bank.url('/away'));

		expect(shown(stranger)).toEqual(['alice', undefined]);
		expect(
			stranger.requests.map(({url, connection}) => [url, connection.clientCertificate?.subject]),
		).toEqual([
			['/asked', 'alice'],
			['/secret', undefined],
			['/asked', 'alice'],
			['/secret', undefined],
		]);
		expect(stranger.handshakes).toEqual({full: 2, resumed: 0});
	});

	test('a session that was opened with the certificate is not resumed without it', async () => {
		let close = true;
		const stranger = await fixture.recordingServer({
			handler: (_request, response) => {
				if (close) response.setHeader('Connection', 'close');
				response.end('stranger');
				return true;
			},
		});
		const bank = await fixture.server({
			handler: pages({'/away': redirect(stranger.url('/secret'))}),
		});
		const client = fixture.client(options);
		await client.get(stranger.url('/asked'));
		await client.get(bank.url('/away'));
		close = false;
		await client.get(stranger.url('/asked'));

		const [first, second, third] = stranger.connections;
		expect(first?.clientCertificate?.subject).toBe('alice');
		expect(second).toMatchObject({resumed: false, authorized: false});
		expect(second?.clientCertificate).toBeUndefined();
		expect(third?.clientCertificate?.subject).toBe('alice');
	});

	test('a redirect to another name for the same server goes to another origin', async () => {
		const stranger = await fixture.recordingServer();
		const byAddress = stranger.url('/x').replace('localhost', '127.0.0.1');
		const bank = await fixture.server({handler: pages({'/away': redirect(byAddress)})});
		const client = fixture.client({...options, mtls: {origins: [stranger.origin]}});
		await client.get(bank.url('/away'));
		expect(shown(stranger)).toEqual([undefined]);
	});

	test('a host that beforeRedirect chooses gets no certificate', async () => {
		const stranger = await fixture.recordingServer();
		const bank = await fixture.server({handler: pages({'/away': redirect('/echo')})});
		const {data} = await fixture.client(options).get(bank.url('/away'), {
			beforeRedirect(next) {
				next.port = stranger.port;
			},
		});
		expect(data).toBe('stranger');
		expect(shown(stranger)).toEqual([undefined]);
	});
});
