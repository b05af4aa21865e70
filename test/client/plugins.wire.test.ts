/* The plugins that axios apps already use, beside ours. */
import https from 'node:https';
import axios, {type AxiosInstance, type AxiosResponse} from 'axios';
import {createAuthRefresh} from 'axios-auth-refresh';
import MockAdapter from 'axios-mock-adapter';
import axiosRetry from 'axios-retry';
import {HttpResponse, http as mocked} from 'msw';
import {setupServer} from 'msw/node';
import nock from 'nock';
import {afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import {createAdapter, createClient, withMtls} from '../../src/index.ts';
import type {RequestHandler} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
	// nock stands in the way from its import on.
	nock.restore();
});

/** Fails the first `times` requests in its own way, then leaves them to the server. */
function failing(times: number, fail: (response: Parameters<RequestHandler>[1]) => void) {
	let left = times;
	return async (...[, response, recorded]: Parameters<RequestHandler>) => {
		if (left === 0) return false;
		left -= 1;
		await recorded.ended;
		fail(response);
		return true;
	};
}

const unavailable = (response: Parameters<RequestHandler>[1]) => {
	response.writeHead(503, {'set-cookie': 'seen=503; Path=/'}).end('later');
};

describe.each(exchanges)('axios-retry, over %s', (_, options) => {
	test('axios-retry sends the same body again, with each cookie of the jar once', async () => {
		const server = await fixture.server({handler: failing(2, unavailable)});
		const client = fixture.client({...options, jar: true});
		axiosRetry(client, {retries: 3});
		client.mtls.jar?.setCookieSync('own=1; Path=/', server.url());
		const {data} = await client.put(server.url('/echo'), {kept: true});

		expect(data.body).toBe('{"kept":true}');
		expect(data.headers['content-length']).toBe('13');
		expect(server.requests.map(({headers}) => headers.cookie)).toEqual([
			'own=1',
			'own=1; seen=503',
			'own=1; seen=503',
		]);
		expect(server.connections).toHaveLength(1);
	});

	test('axios-retry sends a request again whose connection broke off', async () => {
		const server = await fixture.server({handler: failing(1, (response) => response.destroy())});
		const client = fixture.client(options);
		await client.get(server.url('/whoami'), {validateStatus: null}).catch(() => {});
		axiosRetry(client, {retries: 1});
		expect((await client.get(server.url('/whoami'))).status).toBe(200);
	});

	test('axios-retry rejects with the last error when all attempts have failed', async () => {
		const server = await fixture.server({handler: failing(9, unavailable)});
		const client = fixture.client(options);
		axiosRetry(client, {retries: 2});
		const error = await failureOf(client.get(server.url()));
		expect(error).toMatchObject({status: 503, code: 'ERR_BAD_RESPONSE'});
		expect(server.requests).toHaveLength(3);
	});

	test('axios-retry does not retry a server that is not trusted', async () => {
		const credential = await fixture.pki.server({expired: true});
		const server = await fixture.server({credential});
		const client = fixture.client(options);
		axiosRetry(client, {retries: 3});
		const error = await mtlsFailureOf(client.post(server.url(), 'body'));
		expect(error).toMatchObject({code: 'CERT_HAS_EXPIRED', failure: {kind: 'expired'}});
		expect(server.connections).toHaveLength(1);
	});
});

test('a client with axios-retry still sends a plain request over its own connections', async () => {
	const server = await fixture.server({handler: failing(1, unavailable)});
	const client = fixture.client();
	axiosRetry(client);
	const {request} = await client.get(server.url('/whoami'));
	expect(request.constructor.name).toBe('SentRequest');
});

// These two carry axios's types for CommonJS, which TypeScript holds for others than those for ESM.
type Refreshing = Parameters<typeof createAuthRefresh>[0];
type Mockable = ConstructorParameters<typeof MockAdapter>[0];

function mocking(client: AxiosInstance, onNoMatch?: 'passthrough'): MockAdapter {
	return new MockAdapter(client as unknown as Mockable, onNoMatch && {onNoMatch});
}

function refreshing(
	client: AxiosInstance,
	refresh: (failed: {response: AxiosResponse}) => Promise<unknown>,
): void {
	createAuthRefresh(client as unknown as Refreshing, refresh);
}

describe.each(exchanges)('axios-auth-refresh, over %s', (_, options) => {
	test('axios-auth-refresh logs in, and the request is sent once more with the cookie of the session', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, jar: true, baseURL: server.origin});
		refreshing(client, () => client.post('/login', {user: 'alice', password: 'wonderland'}));
		expect((await client.get('/accounts')).status).toBe(200);
		expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
			'GET /accounts',
			'POST /login',
			'GET /accounts',
			'GET /accounts',
		]);
	});

	test('a token that was refreshed is the one that is sent', async () => {
		const server = await fixture.server({
			handler: (request, response) => {
				if (request.headers.authorization === 'Bearer fresh') return false;
				response.writeHead(401).end('stale');
				return true;
			},
		});
		const client = fixture.client({...options, headers: {Authorization: 'Bearer stale'}});
		refreshing(client, async ({response}) => {
			response.config.headers.Authorization = 'Bearer fresh';
		});
		const {data} = await client.post(server.url('/echo'), 'body');
		expect(data.body).toBe('body');
		expect(data.headers.authorization).toBe('Bearer fresh');
	});
});

describe('axios-mock-adapter', () => {
	const kinds: readonly [string, () => AxiosInstance][] = [
		['createClient', () => fixture.client()],
		['withMtls', () => withMtls(axios.create(), {mtls: {ca: fixture.pki.ca}, logger: false})],
		['createAdapter', () => axios.create({adapter: createAdapter({mtls: {ca: fixture.pki.ca}})})],
	];

	test.each(kinds)(
		'axios-mock-adapter takes the place of %s until it is restored',
		async (_, make) => {
			const server = await fixture.server({clientAuth: 'request'});
			const client = make();
			const mock = mocking(client);
			mock.onGet(server.url('/whoami')).reply(201, 'from the mock', {'x-mock': '1'});
			expect(await client.get(server.url('/whoami'))).toMatchObject({
				status: 201,
				data: 'from the mock',
			});
			await expect(client.get(server.url('/other'))).rejects.toThrow('status code 404');
			expect(server.connections).toEqual([]);

			mock.restore();
			expect((await client.get(server.url('/whoami'))).status).toBe(200);
			expect(server.connections).toHaveLength(1);
		},
	);

	test('axios-mock-adapter passes a request through to the mTLS adapter, certificate and cookies included', async () => {
		const server = await fixture.server();
		const client = fixture.client({jar: true});
		client.mtls.jar?.setCookieSync('own=1; Path=/', server.url());
		mocking(client, 'passthrough').onGet('/mocked').reply(200);
		const {data, tls} = await client.get(server.url('/echo'));
		expect(data.headers.cookie).toBe('own=1');
		expect(tls?.identity?.subject).toBe('CN=alice');
	});
});

/** A client of each make; none of them trusts or knows anybody of that name. */
const clients: readonly [string, () => AxiosInstance][] = [
	['createAdapter()', () => axios.create({adapter: createAdapter()})],
	['createClient()', () => createClient({logger: false})],
	['createClient() with jar', () => createClient({jar: true, logger: false})],
	[
		"createAdapter(), through axios's exchange",
		() => axios.create({adapter: createAdapter(), onDownloadProgress() {}}),
	],
];
const origins = ['http://mocked.invalid', 'https://mocked.invalid'] as const;
const both = clients.flatMap(([name, make]) =>
	origins.map((origin) => [name, origin, make] as const),
);

describe('nock', () => {
	beforeEach(() => {
		nock.activate();
		nock.disableNetConnect();
	});
	afterEach(() => {
		nock.cleanAll();
		nock.enableNetConnect();
		nock.restore();
	});

	test.each(both)('nock answers the requests of %s to %s', async (_, origin, make) => {
		const scope = nock(origin)
			.post('/x?q=1', {a: 1})
			.matchHeader('X-Own', '1')
			.reply(201, {from: 'nock'}, {'x-mock': '1'});
		const client = make();
		const {status, data, headers} = await client.post(
			`${origin}/x`,
			{a: 1},
			{params: {q: 1}, headers: {'X-Own': '1'}},
		);
		expect({status, data, mock: headers['x-mock']}).toEqual({
			status: 201,
			data: {from: 'nock'},
			mock: '1',
		});
		expect(scope.isDone()).toBe(true);
	});

	test.each(both)('nock keeps %s from %s when nothing matches', async (_, origin, make) => {
		const error = await failureOf(make().get(`${origin}/unknown`));
		expect(error.code).toBe('ENETUNREACH');
	});
});

describe('msw', () => {
	const server = setupServer(
		mocked.post('*/x', async ({request}) =>
			HttpResponse.json(
				{from: 'msw', own: request.headers.get('x-own'), body: await request.json()},
				{status: 201, headers: {'x-mock': '1'}},
			),
		),
	);
	const listen = () => {
		server.listen({onUnhandledFrame: 'bypass'});
		onTestFinished(() => {
			if (server.readyState === 1) server.close();
		});
	};

	test.each(both)('msw answers the requests of %s to %s', async (_, origin, make) => {
		listen();
		const response = await make().post(`${origin}/x`, {a: 1}, {headers: {'X-Own': '1'}});
		expect(response.status).toBe(201);
		expect(response.data).toEqual({from: 'msw', own: '1', body: {a: 1}});
		expect(response.headers['x-mock']).toBe('1');
	});

	test('msw answers too where the app has replaced the global agent', async () => {
		const before = https.globalAgent;
		onTestFinished(() => {
			https.globalAgent = before;
		});
		https.globalAgent = new https.Agent({keepAlive: true, maxSockets: 1});
		listen();
		const client = axios.create({adapter: createAdapter()});
		expect((await client.post('https://mocked.invalid/x', {a: 1})).data.from).toBe('msw');
	});

	test('msw no longer answers once it is closed', async () => {
		const plain = await startPlainHttp();
		const client = axios.create({adapter: createAdapter()});
		listen();
		const during = await client.get(plain.origin);
		expect(during.request.constructor.name).toBe('ClientRequest');
		server.close();
		const after = await client.get(plain.origin);
		expect(after.request.constructor.name).toBe('SentRequest');
		expect(plain.requests).toHaveLength(2);
	});
});
