import axios from 'axios';
import {CookieJar} from 'tough-cookie';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {createAdapter, createClient, MtlsConfigError, withMtls} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture, pages, redirect} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function recordingLogger() {
	const warn = vi.fn<(fields: object, message: string) => void>();
	return {error: vi.fn<(fields: object, message: string) => void>(), warn};
}

const setting = (...lines: string[]) =>
	pages({'/set': (_, response) => response.writeHead(204, {'set-cookie': lines}).end()});

const makers = [
	['of ours', () => true as const],
	['of the app', () => new CookieJar()],
] as const;

describe.each(exchanges)('over %s', (_, options) => {
	test.each(makers)(
		'a cookie that is refused, in a jar %s, is logged once by name and reason, and fails nothing',
		async (_title, jar) => {
			const server = await fixture.server({
				handler: setting(
					'good=s3cret-0',
					'wide=s3cret-1; Domain=com',
					'__Host-id=s3cret-2; Secure; Domain=localhost; Path=/',
					's3cret-3',
				),
			});
			const logger = recordingLogger();
			const client = fixture.client({...options, jar: jar(), logger});
			for (let count = 0; count < 3; count += 1) {
				expect((await client.get(server.url('/set'))).status).toBe(204);
			}
			const host = 'localhost';
			expect(logger.warn.mock.calls).toEqual([
				[
					{event: 'cookie_refused', name: 'wide', host, domain: 'com', reason: 'foreign-domain'},
					"the cookie 'wide' of localhost for the domain 'com' was refused: its domain is not that of the host",
				],
				[
					{event: 'cookie_refused', name: '__Host-id', host, domain: host, reason: 'prefix'},
					"the cookie '__Host-id' of localhost for the domain 'localhost' was refused: it is not what its prefix promises",
				],
				[
					{event: 'cookie_refused', name: '', host, reason: 'malformed'},
					"the cookie '' of localhost was refused: malformed Set-Cookie",
				],
			]);
			expect(JSON.stringify(logger.warn.mock.calls)).not.toContain('s3cret');
			expect(logger.error).not.toHaveBeenCalled();
			expect((await client.get(server.url('/echo'))).data.headers.cookie).toBe('good=s3cret-0');
		},
	);

	test.each(makers)(
		'no Secure cookie goes from a jar %s to http, on localhost or by a redirect, and none is kept of it',
		async (_title, jar) => {
			const plain = await startPlainHttp((request, response) => {
				response
					.writeHead(200, {
						'set-cookie': ['evil=1; Secure; Path=/', 'safe=evil; Path=/', 'fine=1; Path=/'],
					})
					.end(request.url);
			});
			const server = await fixture.server({
				handler: pages({
					'/set': (_request, response) =>
						response
							.writeHead(204, {'set-cookie': ['safe=1; Secure; Path=/', 'any=1; Path=/']})
							.end(),
					'/leave': redirect(`${plain.origin}/left`),
				}),
			});
			const logger = recordingLogger();
			const client = fixture.client({...options, jar: jar(), logger, allowInsecureRedirects: true});
			await client.get(server.url('/set'));
			expect((await client.get(server.url('/leave'))).data).toBe('/left');
			await client.get(`${plain.origin}/again`);

			expect(plain.requests.map(({headers}) => headers.cookie)).toEqual(['any=1', 'any=1; fine=1']);
			expect((await client.get(server.url('/echo'))).data.headers.cookie).toBe(
				'safe=1; any=1; fine=1',
			);
			expect(logger.warn.mock.calls.map(([fields]) => fields)).toEqual([
				{event: 'cookie_refused', name: 'evil', host: 'localhost', reason: 'secure-over-http'},
				{event: 'cookie_refused', name: 'safe', host: 'localhost', reason: 'hides-secure'},
			]);
		},
	);

	test('a SameSite cookie goes back to its site by way of another, which never sees it', async () => {
		const stranger = await fixture.recordingServer({
			handler(request, response) {
				const back = new URL(request.url ?? '/', 'https://stranger').searchParams.get('back');
				response.writeHead(302, {location: back ?? '/'}).end();
				return true;
			},
		});
		const server = await fixture.server({
			handler: pages({
				'/set': (_request, response) =>
					response
						.writeHead(204, {
							'set-cookie': ['strict=1; SameSite=Strict; Path=/', 'lax=1; SameSite=Lax; Path=/'],
						})
						.end(),
			}),
		});
		const client = fixture.client({
			...options,
			jar: true,
			mtls: {origins: [server.url().replace(/\/$/, '')]},
		});
		await client.get(server.url('/set'));
		const away = stranger
			.url(`/?back=${encodeURIComponent(server.url('/echo'))}`)
			.replace('localhost', '127.0.0.1');
		expect((await client.get(away)).data.headers.cookie).toBe('strict=1; lax=1');
		expect(stranger.requests.map(({headers}) => headers.cookie)).toEqual([undefined]);
	});

	test('blocked domains are neither kept nor sent, whoever made the jar', async () => {
		const server = await fixture.server({handler: setting('a=1')});
		const jar = new CookieJar();
		await jar.setCookie('before=1', server.url());
		const logger = recordingLogger();
		const client = fixture.client({
			...options,
			jar,
			logger,
			cookies: {blockedDomains: ['localhost']},
		});
		await client.get(server.url('/set'));
		expect((await client.get(server.url('/echo'))).data.headers.cookie).toBeUndefined();
		expect(logger.warn.mock.calls.map(([fields]) => fields)).toMatchObject([
			{name: 'a', reason: 'domain-blocked'},
		]);

		// Another client with the same jar, and the first one's child, go by their own.
		const free = client.create({cookies: {}});
		expect((await free.get(server.url('/echo'))).data.headers.cookie).toBe('before=1');
		expect((await client.create().get(server.url('/echo'))).data.headers.cookie).toBeUndefined();
	});

	test.each([
		[{COOKIE: 'a=mine'}, ['A=jar; b=jar; a=mine']],
		[{cookie: ['a=mine', 'b=mine']}, ['A=jar; a=mine; b=mine']],
		[{Cookie: 'a=mine;b=mine;'}, ['A=jar; a=mine;b=mine']],
		[{cOOkie: ' A = mine ; b'}, ['a=jar; A = mine ; b']],
		[{Cookie: 'A=1; a=2; b=3'}, ['A=1; a=2; b=3']],
	])("the app's %j goes on one line, and no name of it is said twice", async (headers, lines) => {
		const server = await fixture.server({
			handler: setting('a=jar; Path=/', 'A=jar; Path=/', 'b=jar; Path=/'),
		});
		const client = fixture.client({...options, jar: true});
		await client.get(server.url('/set'));
		await client.get(server.url('/echo'), {headers});
		const {rawHeaders = []} = server.requests.at(-1) ?? {};
		const said = rawHeaders.filter((_name, index) => /^cookie$/i.test(rawHeaders[index - 1] ?? ''));
		expect(said).toEqual(lines);
	});

	test('the hosts of an internal domain share what it names', async () => {
		const names = ['intranet', 'wiki.intranet', 'files.intranet'];
		const server = await fixture.server({
			credential: await fixture.pki.server({names}),
			handler: setting('a=1; Domain=intranet; Path=/', 'b=2; Path=/'),
		});
		const at = (host: string, path: string) => server.url(path).replace('localhost', host);
		const lookup = (
			_host: string,
			_options: object,
			answer: (e: null, address: string, family: 4) => void,
		) => answer(null, '127.0.0.1', 4);
		const client = fixture.client({
			...options,
			lookup: lookup as never,
			jar: true,
			cookies: {internalDomains: ['intranet']},
		});
		await client.get(at('wiki.intranet', '/set'));
		const cookieAt = async (host: string) =>
			(await client.get(at(host, '/echo'))).data.headers.cookie;
		expect(await cookieAt('wiki.intranet')).toBe('a=1; b=2');
		expect(await cookieAt('files.intranet')).toBe('a=1');
		expect(await cookieAt('intranet')).toBe('a=1');
	});
});

test('a logger that throws does not fail the request', async () => {
	const server = await fixture.server({handler: setting('a=1; Domain=com')});
	const logger = recordingLogger();
	logger.warn.mockImplementation(() => {
		throw new Error('disk full');
	});
	expect((await fixture.client({jar: true, logger}).get(server.url('/set'))).status).toBe(204);
	expect(logger.warn).toHaveBeenCalledOnce();
});

test('the name of a refused cookie writes no line of its own, and not a long one', async () => {
	const server = await fixture.server({
		handler: setting(`\u00e9\u0085${'x'.repeat(200)}=s3cret; Domain=com`),
	});
	const logger = recordingLogger();
	await fixture.client({jar: true, logger}).get(server.url('/set'));
	expect(logger.warn.mock.calls).toMatchObject([
		[{name: `??${'x'.repeat(98)}`}, expect.any(String)],
	]);
});

test('cookie options that cannot be used are refused when the client is made', () => {
	const cookies = {blockedDomains: ['https://ads.example/']};
	for (const make of [
		() => createClient({cookies}),
		() => createAdapter({cookies}),
		() => withMtls(axios.create(), {cookies}),
		() => fixture.client().create({cookies}),
	]) {
		expect(make).toThrow(MtlsConfigError);
		expect(make).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'cookies.blockedDomains'}),
		);
	}
});

test('the adapter alone applies the cookie policy, and logs to the console', async () => {
	const plain = await startPlainHttp((_, response) =>
		response.writeHead(204, {'set-cookie': ['a=1; Secure', 'b=2']}).end(),
	);
	const warn = vi.spyOn(console, 'warn').mockReturnValue();
	onTestFinished(() => warn.mockRestore());
	const jar = new CookieJar();
	await axios.create({adapter: createAdapter({jar}), proxy: false}).get(plain.origin);
	expect(jar.getCookieStringSync(plain.origin)).toBe('b=2');
	expect(warn).toHaveBeenCalledExactlyOnceWith(
		"axios-mtls: the cookie 'a' of localhost was refused: it is Secure and came without TLS",
	);
});
