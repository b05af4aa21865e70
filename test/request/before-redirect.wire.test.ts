/*
 * Seen: an app strips a prefix, `options.path = options.path.replace(/^\/gw/, '')`, and a server sends
 * `Location: /gw@evil:port/steal`: evil received Authorization and Cookie. Why: the next URL was put
 * together as text, in which a path can be a host. Now it is made of its fields, and what is secret is
 * judged again for where the request goes after the callback.
 */
import type {AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';

type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const credentials = {
	Authorization: 'Bearer t',
	Cookie: 'own=1',
	Host: 'virtual.test',
	'X-Api-Key': 'k',
	'X-Own': '1',
};
const sensitiveHeaders = ['x-api-key'];
const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;

const stripPrefix: BeforeRedirect = (options) => {
	options.path = options.path.replace(/^\/gw/, '');
};

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['@', (port: number) => `/gw@localhost:${port}/steal`],
		['a password and @', (port: number) => `/gw:pw@localhost:${port}/steal`],
		['a port', (port: number) => `/gw:${port}/steal`],
		['a dot', () => '/gw.localhost/steal'],
		['a name', (port: number) => `/gwlocalhost:${port}/steal`],
		['a URL', (port: number) => `/gwhttps://localhost:${port}/steal`],
		['a query', (port: number) => `/gw?@localhost:${port}/steal`],
		['a star', () => '/gw*'],
	])(
		'a path that beforeRedirect leaves beginning with %s goes nowhere',
		async (_title, location) => {
			const stranger = await fixture.recordingServer();
			const bank = await fixture.server({handler: pages({'/': redirect(location(stranger.port))})});
			const client = fixture.client({...options, headers: credentials, jar: true});
			const error = await failureOf(client.get(bank.url(), {beforeRedirect: stripPrefix}));
			expect(error).toMatchObject({
				code: 'ERR_FR_REDIRECTION_FAILURE',
				message:
					"Redirected request failed: beforeRedirect left a path that does not begin with '/'",
			});
			expect(stranger.connections).toEqual([]);
			expect(bank.requests.map(({url}) => url)).toEqual(['/']);
		},
	);

	test.each([
		['two slashes', (port: number) => `/gw//localhost:${port}/steal`],
		['a backslash', (port: number) => `/gw/\\localhost:${port}/steal`],
		['a slash and @', (port: number) => `/gw/@localhost:${port}/steal`],
	])(
		'a path that beforeRedirect leaves beginning with %s stays on its server',
		async (_title, location) => {
			const stranger = await fixture.recordingServer();
			const bank = await fixture.server({
				handler: (request, response) => {
					if (request.url === '/') redirect(location(stranger.port))(request, response);
					else response.end('bank');
					return true;
				},
			});
			const client = fixture.client({...options, headers: credentials, jar: true});
			const {data} = await client.get(bank.url(), {beforeRedirect: stripPrefix});
			expect(data).toBe('bank');
			expect(bank.requests[1]?.url).toMatch(/^\/[/@]/);
			expect(bank.requests[1]?.headers).toMatchObject({
				authorization: 'Bearer t',
				cookie: 'own=1',
				'x-api-key': 'k',
			});
			expect(stranger.connections).toEqual([]);
		},
	);

	test('a prefix that is the whole path leaves the root', async () => {
		const bank = await fixture.server({
			handler: (request, response) => {
				if (request.url === '/login') redirect('/gw')(request, response);
				else response.end('home');
				return true;
			},
		});
		await fixture.client(options).get(bank.url('/login'), {beforeRedirect: stripPrefix});
		expect(bank.requests.map(({url}) => url)).toEqual(['/login', '/']);
	});

	test('characters that a URL escapes are sent as beforeRedirect has left them', async () => {
		const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
		const beforeRedirect: BeforeRedirect = (next) => {
			next.path = '/echo?q=\'{x}\'|"y"';
		};
		await fixture.client(options).get(bank.url(), {beforeRedirect});
		expect(bank.requests[1]?.url).toBe('/echo?q=\'{x}\'|"y"');
	});

	test('a host that beforeRedirect chooses gets nothing secret that was left as it was', async () => {
		const stranger = await fixture.recordingServer();
		const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
		const client = fixture.client({
			...options,
			headers: credentials,
			auth: {username: 'u', password: 'p'},
			jar: true,
		});
		client.mtls.jar?.setCookieSync('session=1', bank.url());
		const response = await client.get(bank.url(), {
			sensitiveHeaders,
			beforeRedirect(next) {
				next.hostname = '127.0.0.1';
				next.port = stranger.port;
			},
		});
		expect(response.data).toBe('stranger');
		expect(response.tls?.identity).toBeNull();
		expect(stranger.connections.map(({clientCertificate}) => clientCertificate)).toEqual([
			undefined,
		]);
		expect(Object.keys(stranger.requests[0]?.headers ?? {}).sort()).toEqual([
			'accept',
			'accept-encoding',
			'connection',
			'host',
			'user-agent',
			'x-own',
		]);
		expect(stranger.requests[0]?.headers.host).toBe(`127.0.0.1:${stranger.port}`);
	});

	test('a host that beforeRedirect chooses gets what the callback has set itself', async () => {
		const friend = await fixture.recordingServer();
		const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
		await fixture.client({...options, headers: credentials}).get(bank.url(), {
			sensitiveHeaders,
			beforeRedirect(next) {
				next.port = friend.port;
				// The same value, and still the word of the app.
				next.headers.Authorization = 'Bearer t';
				next.headers.cookie = 'other=2';
			},
		});
		const {headers} = friend.requests[0] ?? {};
		expect(headers).toMatchObject({authorization: 'Bearer t', cookie: 'other=2', 'x-own': '1'});
		expect(headers).not.toHaveProperty('x-api-key');
	});

	test('a login that beforeRedirect sets goes to the host that it chooses', async () => {
		const friend = await fixture.recordingServer();
		const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
		await fixture.client({...options, auth: {username: 'u', password: 'p'}}).get(bank.url(), {
			beforeRedirect(next) {
				next.port = friend.port;
				next.auth = 'friend:pw';
			},
		});
		expect(bank.requests[0]?.headers.authorization).toBe(basic('u:p'));
		expect(friend.requests[0]?.headers.authorization).toBe(basic('friend:pw'));
	});

	test('a path that beforeRedirect chooses gets all that its server gets', async () => {
		const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
		const {data, tls} = await fixture
			.client({...options, headers: credentials, jar: true})
			.get(bank.url(), {
				sensitiveHeaders,
				beforeRedirect(next) {
					next.path = '/echo';
				},
			});
		expect(data.headers).toMatchObject({
			authorization: 'Bearer t',
			cookie: 'own=1',
			host: 'virtual.test',
			'x-api-key': 'k',
		});
		expect(tls?.identity?.subject).toBe('CN=alice');
	});

	test('a redirect to another origin that beforeRedirect brings back keeps the certificate', async () => {
		const stranger = await fixture.recordingServer();
		const bank = await fixture.server({handler: pages({'/': redirect(stranger.url('/echo'))})});
		const {data, tls} = await fixture.client({...options, headers: credentials}).get(bank.url(), {
			beforeRedirect(next) {
				next.port = bank.port;
			},
		});
		expect(tls?.identity?.subject).toBe('CN=alice');
		// They were for another origin: what was dropped stays so.
		expect(data.headers).not.toHaveProperty('authorization');
		expect(stranger.connections).toEqual([]);
	});

	test('the credentials and headers of the app are gone after a redirect over another origin', async () => {
		const home = {url: ''};
		const stranger = await fixture.recordingServer({
			handler: (request, response) => {
				redirect(home.url)(request, response);
				return true;
			},
		});
		const bank = await fixture.server({handler: pages({'/': redirect(stranger.url())})});
		home.url = bank.url('/echo');
		const {data} = await fixture
			.client({...options, auth: {username: 'u', password: 'p'}, headers: credentials})
			.get(bank.url());
		expect(bank.requests[0]?.headers.authorization).toBe(basic('u:p'));
		expect(data.headers).not.toHaveProperty('authorization');
		expect(data.headers).not.toHaveProperty('cookie');
	});
});

test.each([
	['hostname', 'evil.test/x'],
	['hostname', 'evil.test?x'],
	['hostname', 'evil.test#x'],
	['hostname', 'evil.test\\x'],
	['hostname', 'bank@evil.test'],
	['hostname', 'bank:99'],
	['hostname', 'ev\til.test'],
	['hostname', '\0'],
	['port', '99@evil.test'],
	['port', '80/x'],
	['port', 65_536],
	['port', 1.5],
	['port', -1],
])('a %s of %j fails the redirect', async (field, value) => {
	const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
	const error = await failureOf(
		fixture.client({headers: credentials}).get(bank.url(), {
			beforeRedirect(next) {
				next[field] = value;
			},
		}),
	);
	expect(error).toMatchObject({
		code: 'ERR_FR_REDIRECTION_FAILURE',
		message: 'Redirected request failed: Invalid URL',
	});
	expect(bank.requests).toHaveLength(1);
});

test('a field that beforeRedirect deletes is not filled in by a polluted prototype', async () => {
	const stranger = await fixture.recordingServer();
	const bank = await fixture.server({handler: pages({'/': redirect('/next')})});
	const polluted = Object.prototype as Record<string, unknown>;
	polluted.hostname = '127.0.0.1';
	try {
		const request = fixture.client().get(bank.url(), {
			beforeRedirect(next) {
				delete next.hostname;
				next.host = 'localhost';
				next.port = bank.port;
				next.path = '/echo';
			},
		});
		expect((await request).data.url).toBe('/echo');
	} finally {
		delete polluted.hostname;
	}
	expect(stranger.connections).toEqual([]);
});
