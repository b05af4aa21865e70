import {PassThrough, Readable} from 'node:stream';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {replayLimitBytes} from '../../src/exchange/outgoing/request-body.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

describe.each(exchanges)('over %s', (_, options) => {
	test.each([304, 305])('a %i with a Location is an answer', async (status) => {
		const server = await fixture.server({
			handler: pages({
				'/': (_request, response) => response.writeHead(status, {location: '/echo'}).end(),
			}),
		});
		const client = fixture.client({...options, validateStatus: () => true});
		const response = await client.get(server.url());
		expect(response.status).toBe(status);
		expect(response.request.res.responseUrl).toBe(server.url());
		expect(server.requests).toHaveLength(1);
	});

	test('a redirect with maxRedirects 0 is a response, checked by validateStatus', async () => {
		const server = await fixture.server({handler: pages({'/': redirect('/echo')})});
		const client = fixture.client({...options, maxRedirects: 0});
		const response = await client.get(server.url(), {validateStatus: (status) => status === 302});
		expect(response).toMatchObject({status: 302, headers: {location: '/echo'}});

		const error = await failureOf(client.get(server.url()));
		expect(error).toMatchObject({code: 'ERR_BAD_RESPONSE', response: {status: 302}});
		expect(server.requests).toHaveLength(2);
	});

	test('all hops of one origin share one connection', async () => {
		const server = await fixture.server({
			handler: pages({
				'/1': redirect('/2', 301),
				'/2': redirect('/3', 303),
				'/3': redirect('/echo'),
			}),
		});
		const {data, tls} = await fixture.client(options).post(server.url('/1'), {a: 1});
		expect(data).toMatchObject({method: 'GET', url: '/echo'});
		expect(tls).toMatchObject({authorized: true, identity: {subject: 'CN=alice'}});
		expect(server.connections).toHaveLength(1);
		expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
			'POST /1',
			'GET /2',
			'GET /3',
			'GET /echo',
		]);
	});

	test('user and password in a Location are not used', async () => {
		const server = await fixture.server({clientAuth: 'request'});
		const location = server.url('/echo').replace('//', '//mallory:s3cret@');
		const from = await fixture.server({handler: pages({'/': redirect(location)})});
		const response = await fixture.client(options).get(from.url());
		expect(response.data.headers.authorization).toBeUndefined();
		expect(response.request.res.responseUrl).toBe(server.url('/echo'));
	});

	test('the Host header goes with a redirect on the same origin, and to no other', async () => {
		const other = await fixture.server({clientAuth: 'request'});
		const server = await fixture.server({
			handler: pages({'/here': redirect('/echo'), '/away': redirect(other.url('/echo'))}),
		});
		const client = fixture.client({...options, headers: {Host: 'virtual.test'}});
		expect((await client.get(server.url('/here'))).data.headers.host).toBe('virtual.test');
		expect((await client.get(server.url('/away'))).data.headers.host).toBe(
			`localhost:${other.port}`,
		);
		// A header is not an identity: the name that was asked for and verified is the URL's.
		expect(server.connections.map(({servername}) => servername)).toEqual(['localhost']);
	});

	describe('from https to http', () => {
		test('a redirect from https to http is refused before anything reaches the plain server', async () => {
			const plain = await startPlainHttp();
			const server = await fixture.server({
				handler: pages({'/': redirect(`${plain.origin}/x?token=s3cret`)}),
			});
			const error = await mtlsFailureOf(fixture.client({...options, jar: true}).get(server.url()));
			expect(error).toMatchObject({
				code: 'ERR_MTLS_INSECURE_REDIRECT',
				failure: {
					kind: 'insecure-redirect',
					side: 'server',
					phase: 'response',
					certain: true,
					host: 'localhost',
					port: server.port,
					url: `${plain.origin}/x?token=[redacted]`,
				},
			});
			expect(JSON.stringify(error)).not.toContain('s3cret');
			expect(server.requests).toHaveLength(1);
			expect(plain.sockets).toEqual([]);
		});

		test.each([
			['for the client', {allowInsecureRedirects: true}, {}],
			['for the request', {}, {allowInsecureRedirects: true}],
		])(
			'a redirect from https to http is followed where it is allowed %s, without credentials',
			async (_where, ofClient, own) => {
				const plain = await startPlainHttp();
				const server = await fixture.server({handler: pages({'/': redirect(plain.origin)})});
				const client = fixture.client({...options, ...ofClient, jar: true});
				client.mtls.jar?.setCookieSync('session=1; Secure; Domain=localhost', server.url());
				const response = await client.get(server.url(), {
					...own,
					headers: {Authorization: 'Bearer t', Cookie: 'own=1'},
				});
				expect(response).toMatchObject({
					data: 'plain',
					request: {res: {responseUrl: `${plain.origin}/`}},
				});
				expect(response.tls).toBeUndefined();
				expect(server.requests[0]?.headers).toMatchObject({
					authorization: 'Bearer t',
					cookie: 'session=1; own=1',
				});
				expect(plain.requests[0]?.headers).not.toHaveProperty('authorization');
				expect(plain.requests[0]?.headers).not.toHaveProperty('cookie');
			},
		);

		test('a redirect from https to http is refused where the request forbids what the client allows', async () => {
			const plain = await startPlainHttp();
			const server = await fixture.server({handler: pages({'/': redirect(plain.origin)})});
			const client = fixture.client({...options, allowInsecureRedirects: true});
			const error = await mtlsFailureOf(client.get(server.url(), {allowInsecureRedirects: false}));
			expect(error.failure.kind).toBe('insecure-redirect');
			expect(plain.sockets).toEqual([]);
		});

		test('the log names the request that was made, not the one to http that never was', async () => {
			const plain = await startPlainHttp();
			const server = await fixture.server({handler: pages({'/': redirect(`${plain.origin}/x`)})});
			const logger = {error: vi.fn(), warn: vi.fn()};
			await mtlsFailureOf(fixture.client({...options, logger}).get(server.url('/')));
			const [[fields, message] = []] = logger.error.mock.calls;
			expect(message).toMatch(`GET ${server.url('/')} failed: a redirect from https to http`);
			expect(fields).toMatchObject({kind: 'insecure-redirect', url: `${plain.origin}/x`});
		});

		test('allowInsecureRedirects that is not a boolean is refused before anything is sent', async () => {
			const server = await fixture.server();
			const wrong = {allowInsecureRedirects: 'false'} as object;
			await expect(fixture.client(options).get(server.url(), wrong)).rejects.toMatchObject({
				name: 'MtlsConfigError',
				option: 'allowInsecureRedirects',
			});
			expect(server.requests).toEqual([]);
		});

		test('a redirect from https to http by beforeRedirect is refused too', async () => {
			const plain = await startPlainHttp();
			const server = await fixture.server({handler: pages({'/': redirect('/echo')})});
			const error = await mtlsFailureOf(
				fixture.client(options).get(server.url(), {
					beforeRedirect(next) {
						next.protocol = 'http:';
						next.port = plain.port;
					},
				}),
			);
			expect(error.failure).toMatchObject({
				kind: 'insecure-redirect',
				url: `${plain.origin}/echo`,
			});
			expect(plain.sockets).toEqual([]);
		});
	});
});

describe('a streamed body', () => {
	// Seen: file descriptors that stayed open. Why: a server that redirects an upload to its login page
	// does not wait for the rest, and nobody read the stream to the end at which it closes.
	test.each([
		['is answered', '/echo'],
		['fails', '/upload'],
	])(
		'a streamed body is read to its end where a redirect makes a GET of its request that %s',
		async (_, location) => {
			const server = await fixture.server({
				handler(request, response) {
					if (request.url !== '/upload') return false;
					if (request.method === 'GET') response.destroy();
					else response.writeHead(303, {location}).end();
					return true;
				},
			});
			const chunks = Array.from({length: 100}, () => Buffer.alloc(64 * 1024));
			const source = Readable.from(chunks, {objectMode: false});
			const closed = new Promise((resolve) => source.once('close', resolve));
			await fixture
				.client()
				.post(server.url('/upload'), source)
				.catch(() => {});
			expect(server.requests.at(-1)?.method).toBe('GET');
			await closed;
			expect(source.readableEnded).toBe(true);
		},
	);

	test('a streamed body that is redirected before it was read arrives complete at the target', async () => {
		const source = new PassThrough();
		const server = await fixture.server({
			handler(request, response) {
				if (request.url === '/early') {
					redirect('/echo', 307)(request, response);
					return true;
				}
				// The rest is there only now, when the first attempt has been given up.
				source.end('two');
				return false;
			},
		});
		source.write('one ');
		const {data} = await fixture.client().post(server.url('/early'), source);
		expect(data).toMatchObject({method: 'POST', url: '/echo', body: 'one two'});
		// Half a body is never called whole.
		const [first] = server.requests;
		await first?.connection.closed;
		expect(await Promise.race([first?.ended, 'not whole'])).toBe('not whole');
		expect(first?.body.toString()).toBe('one ');
	});

	test.each([
		[replayLimitBytes - 1, true],
		[replayLimitBytes, true],
		[replayLimitBytes + 1, false],
	])('a streamed body of %i bytes can be sent again: %s', async (bytes, again) => {
		let received = 0;
		const server = await fixture.server({
			async handler(request, response, recorded) {
				await recorded.ended;
				if (request.url === '/old') redirect('/new', 308)(request, response);
				else {
					received = recorded.body.length;
					response.end('got it');
				}
				return true;
			},
		});
		const half = Buffer.alloc(bytes / 2);
		const data = Readable.from([half, Buffer.alloc(bytes - half.length)], {objectMode: false});
		const request = fixture
			.client()
			.post(server.url('/old'), data, {maxBodyLength: Number.POSITIVE_INFINITY});
		if (again) {
			expect((await request).data).toBe('got it');
			expect(received).toBe(bytes);
			return;
		}
		expect(await failureOf(request)).toMatchObject({
			name: 'AxiosError',
			code: 'ERR_BODY_NOT_REPLAYABLE',
			message: `a redirect asks for the streamed body again, and more than ${replayLimitBytes} bytes of it were sent`,
			config: {url: server.url('/old')},
		});
		expect(server.requests).toHaveLength(1);
	});

	test('a streamed body that cannot be replayed does not keep a 303 from turning into a GET', async () => {
		const server = await fixture.server({handler: pages({'/old': redirect('/echo', 303)})});
		const data = Readable.from([Buffer.alloc(replayLimitBytes + 1)], {objectMode: false});
		const response = await fixture.client().post(server.url('/old'), data, {
			maxBodyLength: Number.POSITIVE_INFINITY,
		});
		expect(response.data).toMatchObject({method: 'GET', body: ''});
	});

	test('a streamed body whose source is closed early cancels the request, as in axios', async () => {
		const server = await fixture.server();
		const source = new PassThrough();
		source.write('some');
		const request = fixture.client({jar: true}).post(server.url('/echo'), source);
		source.destroy();
		expect(await failureOf(request)).toMatchObject({
			code: 'ERR_CANCELED',
			message: 'Request stream has been aborted',
		});
	});

	test('a streamed body whose source fails while the jar is read fails the request with its error', async () => {
		const server = await fixture.server();
		const source = new PassThrough();
		const request = fixture.client({jar: true}).post(server.url('/echo'), source);
		source.destroy(new Error('no such file'));
		expect(await failureOf(request)).toMatchObject({message: 'no such file'});
	});
});
