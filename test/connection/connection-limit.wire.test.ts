import {getEventListeners} from 'node:events';
import type {ServerResponse} from 'node:http';
import https from 'node:https';
import type {Readable} from 'node:stream';
import axios, {type AxiosResponse} from 'axios';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	createAdapter,
	createClient,
	MtlsAgent,
	type MtlsClient,
	MtlsConfigError,
	withMtls,
} from '../../src/index.ts';
import type {MtlsServer, RequestHandler} from '../../src/testing/index.ts';
import {countingRelays} from '../support/counting-relay.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {respondWith, startH2Server} from '../support/h2-server.ts';
import {iterations} from '../support/iterations.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** Far more than connections. */
const many = iterations({usual: 100, short: 20, long: 300});
const cancelled = iterations({usual: 300, short: 40, long: 1_000});

const settled = {timeout: 10_000, interval: 5};

/** Answers nothing until it is told to. */
function holding() {
	const held: {url: string; response: ServerResponse}[] = [];
	const arrived: string[] = [];
	let arrive = () => {};
	const handler: RequestHandler = (_, response, {url}) => {
		held.push({url, response});
		arrived.push(url);
		arrive();
		return true;
	};
	return {
		handler,
		arrived,
		held,
		/** Answers the request that has waited for longest, once `count` wait. */
		async answerFirst(count: number) {
			while (held.length < count) {
				await new Promise<void>((resolve) => {
					arrive = resolve;
				});
			}
			expect(held).toHaveLength(count);
			held.shift()?.response.end('answered');
		},
	};
}

const numbers = (count: number) => Array.from({length: count}, (_, n) => n);

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['directly', false],
		['through tunnels', true],
	])(
		`${many} requests at once %s make maxSockets: 5 connections and arrive in order`,
		async (_way, tunnelled) => {
			const {handler, arrived, answerFirst} = holding();
			const [server, proxy] = await Promise.all([fixture.server({handler}), fixture.proxy()]);
			const client = fixture.client({
				...options,
				maxSockets: 5,
				...(tunnelled && {proxy: {host: '127.0.0.1', port: proxy.port}}),
			});
			const answers = numbers(many).map((n) => client.get(server.url(`/${n}`)));
			await vi.waitFor(() => expect(arrived).toHaveLength(5), settled);
			expect(client.mtls.stats().sockets).toEqual({active: 5, idle: 0, queued: many - 5});
			expect(String(client.mtls)).toContain(`sockets 5 active, 0 idle, ${many - 5} queued`);
			for (const left of numbers(many).reverse()) await answerFirst(Math.min(5, left + 1));
			expect((await Promise.all(answers)).map(({data}) => data)).toEqual(
				numbers(many).map(() => 'answered'),
			);
			// Those of the first five are made at once.
			expect(arrived.slice(0, 5).sort()).toEqual(numbers(5).map((n) => `/${n}`));
			expect(arrived.slice(5)).toEqual(
				numbers(many)
					.slice(5)
					.map((n) => `/${n}`),
			);
			expect(server.connections).toHaveLength(5);
			if (tunnelled) expect(proxy.tunnels).toHaveLength(5);
		},
	);

	test.each([
		['directly', false],
		['by a proxy that is asked itself', true],
	])(`${many} requests of plain http %s make 5 connections`, async (_way, proxied) => {
		const server = await startPlainHttp();
		const client = fixture.client({
			...options,
			maxSockets: 5,
			...(proxied && {proxy: {host: '127.0.0.1', port: server.port}}),
		});
		const url = proxied ? 'http://a.test' : server.origin;
		const answers = await Promise.all(numbers(many).map((n) => client.get(`${url}/${n}`)));
		expect(answers.map(({data}) => data)).toEqual(numbers(many).map(() => 'plain'));
		expect(server.sockets).toHaveLength(5);
		expect(server.requests[0]?.headers.host).toBe(new URL(url).host);
	});

	test('4, 5 and 6 requests at once make 4, 5 and 5 connections', async () => {
		for (const [count, made] of [
			[4, 4],
			[5, 5],
			[6, 5],
		] as const) {
			const {handler, answerFirst, held} = holding();
			const server = await fixture.server({handler});
			const client = fixture.client({...options, maxSockets: 5});
			const answers = numbers(count).map(() => client.get(server.url()));
			await vi.waitFor(() => expect(held).toHaveLength(made), settled);
			expect(client.mtls.stats().sockets).toEqual({active: made, idle: 0, queued: count - made});
			for (const left of numbers(count).reverse()) await answerFirst(Math.min(5, left + 1));
			await Promise.all(answers);
			expect(server.connections).toHaveLength(made);
		}
	});

	test('3 identities have never more than maxTotalSockets: 8 connections together', async () => {
		const servers = await Promise.all(numbers(3).map(() => fixture.server()));
		const relays = countingRelays();
		const ports = await Promise.all(servers.map(({port}) => relays.to(port)));
		const names = ['alice', 'bob', 'carol'];
		const people = await Promise.all(names.map((commonName) => fixture.pki.client({commonName})));
		const client = createClient({
			...options,
			mtls: people.map(({cert, key}, n) => ({
				...{cert, key, ca: fixture.pki.ca},
				origins: [`https://localhost:${ports[n]}`],
			})),
			...{maxTotalSockets: 8, logger: false, proxy: false},
		});
		onTestFinished(() => client.mtls.close({deadlineMs: 0}));
		const answers = await Promise.all(
			numbers(many).map((n) => client.get(`https://localhost:${ports[n % 3]}/whoami`)),
		);
		expect(answers.map(({data}) => data.client)).toEqual(numbers(many).map((n) => names[n % 3]));
		expect(relays.most).toBe(8);
		expect(client.mtls.stats().sockets).toMatchObject({queued: 0});
	});

	test('an idle connection makes room for a request to another origin', async () => {
		const [one, other] = await Promise.all([fixture.server(), fixture.server()]);
		const client = fixture.client({...options, maxTotalSockets: 1});
		for (const server of [one, other, one, other]) await client.get(server.url('/whoami'));
		expect([one.connections.length, other.connections.length]).toEqual([2, 2]);
		await Promise.all([...one.connections, other.connections[0]].map((gone) => gone?.closed));
	});

	test('a request is redirected to its own origin, and to another and back, on one connection', async () => {
		const other = await fixture.server({clientAuth: 'request'});
		const server: MtlsServer = await fixture.server({
			handler: pages({
				'/self': redirect('/whoami'),
				'/away': (request, response) => redirect(`${other.origin}/echo`)(request, response),
			}),
		});
		const client = fixture.client({...options, maxTotalSockets: 1});
		expect((await client.get(server.url('/self'))).data.client).toBe('alice');
		expect((await client.get(server.url('/away'))).data.method).toBe('GET');
		const {data} = await client.get<Readable>(server.url('/self'), {responseType: 'stream'});
		expect(JSON.parse((await data.toArray()).join('')).client).toBe('alice');
		const many = numbers(20).map(() => client.get(server.url('/self')));
		for (const {status} of await Promise.all(many)) expect(status).toBe(200);
	});

	test('a request that met a stale connection is sent on a new one before the requests that wait', async () => {
		const served = new WeakSet<object>();
		const arrived: string[] = [];
		const server = await fixture.server({
			handler: (request, response, {url}) => {
				if (url === '/stale' && served.has(request.socket)) return request.socket.destroy();
				served.add(request.socket);
				arrived.push(url);
				response.end();
				return true;
			},
		});
		const client = fixture.client({...options, maxSockets: 1});
		await client.get(server.url('/first'));
		const urls = ['/stale', '/second', '/third', '/fourth'];
		await Promise.all(urls.map((url) => client.get(server.url(url))));
		// One may be served while the news of the stale one is on its way.
		expect(arrived.indexOf('/stale')).toBeLessThanOrEqual(2);
		expect(arrived).toHaveLength(5);
	});

	test('a login is not kept from a connection by the requests that wait for it', async () => {
		const server = await fixture.server();
		const client = fixture.client({
			...{...options, maxSockets: 1, jar: true, baseURL: server.origin},
			session: {
				login: (api) => api.post('/login', {user: 'alice', password: 'wonderland'}),
				isExpired: ({status}) => status === 401,
			},
		});
		const answers = await Promise.all(numbers(20).map(() => client.get('/accounts')));
		expect(answers.map(({status}) => status)).toEqual(numbers(20).map(() => 200));
		expect(server.connections).toHaveLength(1);
	});

	test('connections of an identity that was replaced count until their requests are answered', async () => {
		const {handler, held, answerFirst} = holding();
		const server = await fixture.server({handler});
		const bob = await fixture.pki.client({commonName: 'bob'});
		const people = [fixture.alice, bob];
		const client = fixture.client({
			...options,
			maxSockets: 2,
			mtls: {
				...{cert: undefined, key: undefined},
				identity: () => {
					const {cert, key} = people.shift() ?? bob;
					return {cert, key};
				},
			} as object,
		});
		const before = numbers(2).map(() => client.get(server.url('/')));
		await vi.waitFor(() => expect(held).toHaveLength(2), settled);
		await client.mtls.reload();
		const after = numbers(2).map(() => client.get(server.url('/')));
		await new Promise(setImmediate);
		expect(client.mtls.stats().sockets).toEqual({active: 2, idle: 0, queued: 2});
		for (const waiting of [2, 2, 2, 1]) await answerFirst(waiting);
		await Promise.all([...before, ...after]);
		const subjects = server.connections.map((one) => one.clientCertificate?.subject);
		expect(subjects.slice(0, 2)).toEqual(['alice', 'alice']);
		expect(new Set(subjects.slice(2))).toEqual(new Set(['bob']));
	});

	test('connectMs ends the wait for a free connection, and says so', async () => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const client = fixture.client({...options, maxSockets: 1});
		const first = client.get(server.url());
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		const timeouts = {connectMs: 20};
		const error = await failureOf(client.get(server.url(), {timeouts}));
		expect(error).toMatchObject({
			code: 'ERR_MTLS_CONNECT_TIMEOUT',
			message: `no free connection to localhost:${server.port} within 20 ms`,
			cause: {name: 'TimeoutError', limitMs: 20},
		});
		held[0]?.response.end();
		expect((await first).status).toBe(200);
		expect(held).toHaveLength(1);
	});

	test.each([
		[{timeout: 20}, {code: 'ECONNABORTED'}],
		[{timeout: 20, transitional: {clarifyTimeoutError: true}}, {code: 'ETIMEDOUT'}],
		[
			{timeout: 20, timeoutErrorMessage: 'too slow'},
			{code: 'ECONNABORTED', message: 'too slow'},
		],
	])('the option %o ends the wait for a free connection, and says so', async (config, expected) => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const client = fixture.client({...options, maxSockets: 1});
		const first = client.get(server.url());
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		expect(await failureOf(client.get(server.url(), config))).toMatchObject({
			name: 'AxiosError',
			message: `timeout of 20ms exceeded waiting for a free connection to localhost:${server.port}`,
			...expected,
		});
		held[0]?.response.end();
		await first;
		expect(held).toHaveLength(1);
	});

	test(`${cancelled} requests that are cancelled while they wait leave no listener, timer, socket or turn`, async () => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const client = fixture.client({...options, maxSockets: 1});
		const first = client.get(server.url());
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		const before = process.getActiveResourcesInfo();
		const controller = new AbortController();
		const source = axios.CancelToken.source();
		const timeouts = {connectMs: 60_000};
		const waiting = numbers(cancelled).map((n) =>
			client.get(server.url(), {
				timeout: 60_000,
				timeouts,
				...(n % 2 ? {signal: controller.signal} : {cancelToken: source.token}),
			}),
		);
		const ends = Promise.allSettled(waiting);
		await vi.waitFor(() => expect(client.mtls.stats().sockets.queued).toBe(cancelled), settled);
		controller.abort();
		source.cancel();
		for (const end of await ends) {
			expect(end).toMatchObject({status: 'rejected', reason: {code: 'ERR_CANCELED'}});
		}
		expect(client.mtls.stats().sockets).toEqual({active: 1, idle: 0, queued: 0});
		expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
		await new Promise(setImmediate);
		const timers = (resources: readonly string[]) =>
			resources.filter((name) => /Timeout|TLS|TCP/.test(name)).length;
		expect(timers(process.getActiveResourcesInfo())).toBeLessThanOrEqual(timers(before));
		held[0]?.response.end();
		await first;
		const last = client.get(server.url());
		await vi.waitFor(() => expect(held).toHaveLength(2), settled);
		held[1]?.response.end();
		await last;
		expect(server.connections).toHaveLength(1);
	});

	test('a streamed answer holds its connection until it is read or destroyed', async () => {
		// More than the buffers on the way take.
		const large = Buffer.alloc(16 * 1024 * 1024);
		const server = await fixture.server({
			handler: pages({'/large': (_, response) => response.end(large)}),
		});
		const client = fixture.client({...options, maxSockets: 1});
		const ends = [(body: Readable) => body.resume(), (body: Readable) => body.destroy()];
		for (const end of ends) {
			const {data} = await client.get<Readable>(server.url('/large'), {responseType: 'stream'});
			const next = client.get(server.url('/whoami'));
			await vi.waitFor(
				() => expect(client.mtls.stats().sockets).toEqual({active: 1, idle: 0, queued: 1}),
				settled,
			);
			end(data);
			expect((await next).status).toBe(200);
		}
	});

	test('close() serves the requests that wait, and ends them at its deadline', async () => {
		const {handler, held, answerFirst} = holding();
		const server = await fixture.server({handler});
		const [patient, hasty] = numbers(2).map(() => fixture.client({...options, maxSockets: 1})) as [
			MtlsClient,
			MtlsClient,
		];
		const served = numbers(2).map(() => patient.get(server.url()));
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		const closing = patient.mtls.close();
		for (const _ of served) await answerFirst(1);
		await Promise.all([...served, closing]);

		const ended = numbers(3).map(() => failureOf(hasty.get(server.url())));
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		await hasty.mtls.close({deadlineMs: 0});
		for (const error of await Promise.all(ended)) {
			expect(error).toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED'});
		}
		expect(hasty.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
		expect(held).toHaveLength(1);
	});
});

test('the connections of both exchanges and of HTTP/2 count together', async () => {
	const server = await startH2Server(fixture.pki, {allowHTTP1: true});
	const relays = countingRelays();
	const origin = `https://localhost:${await relays.to(server.port)}`;
	const client = fixture.client({maxSockets: 2});
	const kinds = [...exchanges.map(([, options]) => options), {httpVersion: 2}];
	const requests = numbers(60).map((n) => client.get(origin, kinds[n % 3] as object));
	for (const {status} of await Promise.all(requests)) expect(status).toBe(200);
	expect(relays.most).toBe(2);
});

describe('HTTP/2 with maxSockets', () => {
	const http2 = {httpVersion: 2} as const;

	test.each([5, 1])(
		`${many} requests, of which the server refuses many streams once, have never more sessions than %i`,
		async (maxSockets) => {
			const refused = new Set<string>();
			const page = (request: Parameters<typeof respondWith>[0]) => {
				const id = String(request.headers['x-id']);
				if (Number(id) % 2 || refused.has(id)) {
					respondWith(request);
					return;
				}
				refused.add(id);
				// REFUSED_STREAM, RFC 9113 §7.
				request.stream.close(7);
			};
			const server = await startH2Server(fixture.pki, {pages: {'/': page}});
			const relays = countingRelays();
			const origin = `https://localhost:${await relays.to(server.port)}`;
			const client = fixture.client({...http2, maxSockets});
			const answers: AxiosResponse[] = await Promise.all(
				numbers(many).map((n) => client.get(origin, {headers: {'X-Id': String(n)}})),
			);
			expect(answers.map(({data}) => data.headers['x-id'])).toEqual(numbers(many).map(String));
			expect(refused.size).toBe(many / 2);
			expect(relays.most).toBeLessThanOrEqual(maxSockets);
			expect(server.sessions.length).toBeGreaterThan(1);
		},
	);

	test('requests of different deadlines share the one session that there may be', async () => {
		const {promise, resolve} = Promise.withResolvers<void>();
		const server = await startH2Server(fixture.pki, {
			pages: {'/held': (request) => void promise.then(() => respondWith(request))},
		});
		const client = fixture.client({...http2, maxSockets: 1});
		const held = client.get(server.url('/held'));
		const others = [5_000, 6_000].map((connectMs) =>
			client.get(server.url(), {timeouts: {connectMs}}),
		);
		for (const {status} of await Promise.all(others)) expect(status).toBe(200);
		resolve();
		await held;
		expect(server.sessions).toHaveLength(1);
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 1, queued: 0});
	});

	test('a session that is never idle makes way for requests that need another', async () => {
		const server = await startH2Server(fixture.pki);
		const client = fixture.client({...http2, maxSockets: 1});
		let answered = false;
		const loop = async () => {
			while (!answered) await client.get(server.url());
		};
		await client.get(server.url());
		const loops = numbers(3).map(loop);
		const other = client.get(server.url(), {http2Options: {settings: {headerTableSize: 0}}});
		void other.then(() => {
			answered = true;
		});
		expect((await other).status).toBe(200);
		await Promise.all(loops);
	});

	test('deadlines end the wait for a session, and say so', async () => {
		const server = await startH2Server(fixture.pki, {allowHTTP1: true});
		const {handler, held} = holding();
		const busy = await fixture.server({handler});
		const client = fixture.client({maxTotalSockets: 1});
		const first = client.get(busy.url());
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		const place = `localhost:${server.port}`;
		expect(
			await failureOf(client.get(server.url(), {...http2, timeouts: {connectMs: 20}})),
		).toMatchObject({
			code: 'ERR_MTLS_CONNECT_TIMEOUT',
			message: `no free connection to ${place} within 20 ms`,
		});
		expect(await failureOf(client.get(server.url(), {...http2, timeout: 20}))).toMatchObject({
			code: 'ECONNABORTED',
			message: `timeout of 20ms exceeded waiting for a free connection to ${place}`,
		});
		expect(client.mtls.stats().sockets).toEqual({active: 1, idle: 0, queued: 0});
		held[0]?.response.end();
		await first;
		expect((await client.get(server.url(), http2)).status).toBe(200);
	});
});

describe('an MtlsAgent with maxSockets', () => {
	function agentOf(bounds: object): MtlsAgent {
		const {cert, key} = fixture.alice;
		const agent = new MtlsAgent(
			{cert, key, ca: fixture.pki.ca},
			{proxy: false, logger: false, ...bounds},
		);
		onTestFinished(() => agent.destroy());
		return agent;
	}
	function ask(agent: MtlsAgent, {port}: MtlsServer, path: string, options = {}) {
		const request = https.get({host: 'localhost', port, path, agent, ...options});
		const answer = new Promise<string>((resolve, reject) => {
			request.once('response', async (response) => resolve((await response.toArray()).join('')));
			request.once('error', reject);
		});
		return {request, answer};
	}

	test(`an MtlsAgent with maxSockets makes 5 connections for ${many} requests of https.get, in order`, async () => {
		const {handler, arrived, answerFirst} = holding();
		const server = await fixture.server({handler});
		const agent = agentOf({maxSockets: 5});
		const answers = numbers(many).map((n) => ask(agent, server, `/${n}`).answer);
		for (const left of numbers(many).reverse()) await answerFirst(Math.min(5, left + 1));
		expect(await Promise.all(answers)).toEqual(numbers(many).map(() => 'answered'));
		expect(arrived.slice(5)).toEqual(
			numbers(many)
				.slice(5)
				.map((n) => `/${n}`),
		);
		expect(server.connections).toHaveLength(5);
	});

	test('an MtlsAgent ends a request that is given up while it waits, and nothing of it is left', async () => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const agent = agentOf({maxTotalSockets: 1});
		const first = ask(agent, server, '/');
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		const before = process.getActiveResourcesInfo().length;
		const controller = new AbortController();
		const {signal} = controller;
		const ways = [
			ask(agent, server, '/'),
			ask(agent, server, '/', {signal}),
			ask(agent, server, '/', {signal: AbortSignal.abort()}),
		];
		const closed = ways.map(
			({request}) => new Promise<void>((resolve) => request.once('close', () => resolve())),
		);
		const ends = Promise.allSettled(ways.map(({answer}) => answer));
		ways[0]?.request.destroy(new Error('enough'));
		controller.abort();
		expect(await ends).toMatchObject([
			{status: 'rejected', reason: {message: 'enough'}},
			{status: 'rejected', reason: {name: 'AbortError'}},
			{status: 'rejected', reason: {name: 'AbortError'}},
		]);
		await Promise.all(closed);
		for (const {request} of ways) expect(Object.hasOwn(request, 'destroy')).toBe(false);
		expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
		held[0]?.response.end('answered');
		expect(await first.answer).toBe('answered');
		expect(held).toHaveLength(1);
	});

	test('an MtlsAgent that is destroyed ends the requests that wait, and can be used again', async () => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const agent = agentOf({maxSockets: 1});
		const ends = Promise.allSettled(numbers(3).map(() => ask(agent, server, '/').answer));
		await vi.waitFor(() => expect(held).toHaveLength(1), settled);
		agent.destroy();
		const [, ...waiting] = await ends;
		for (const end of waiting) {
			expect(end).toMatchObject({reason: {message: 'the agent was destroyed'}});
		}
		const again = ask(agent, server, '/');
		await vi.waitFor(() => expect(held).toHaveLength(2), settled);
		held[1]?.response.end('answered');
		expect(await again.answer).toBe('answered');
	});

	test('an MtlsAgent counts a connection that is asked for without a request', async () => {
		const server = await fixture.server();
		const agent = agentOf({maxSockets: 1});
		const connect = () =>
			new Promise<import('node:stream').Duplex>((resolve, reject) => {
				agent.createConnection({host: 'localhost', port: server.port}, (error, socket) =>
					error ? reject(error) : resolve(socket),
				);
			});
		const first = await connect();
		const second = connect();
		await new Promise(setImmediate);
		expect(server.connections).toHaveLength(1);
		first.destroy();
		(await second).destroy();
	});
});

describe('the options', () => {
	const makers = [
		['createClient', (options: object) => createClient({logger: false, ...options})],
		['withMtls', (options: object) => withMtls(axios.create(), options)],
		['createAdapter', (options: object) => createAdapter(options)],
		['create', (options: object) => createClient({logger: false}).create({mtls: {}, ...options})],
		['MtlsAgent', (options: object) => new MtlsAgent({}, options)],
	] as const;

	test.each(
		makers.flatMap(([name, make]) =>
			(['maxSockets', 'maxTotalSockets'] as const).map((option) => [name, option, make] as const),
		),
	)('the option %s takes whole numbers of %s, and refuses all else', (_name, option, make) => {
		for (const bound of [1, 2, 1_000_000, Number.POSITIVE_INFINITY, undefined])
			make({[option]: bound});
		for (const bound of [0, -1, 1.5, Number.NaN, '5', null, true, [5], Number.NEGATIVE_INFINITY]) {
			let thrown: unknown;
			try {
				make({[option]: bound});
			} catch (error) {
				thrown = error;
			}
			expect(thrown).toBeInstanceOf(MtlsConfigError);
			expect(thrown).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option});
		}
	});

	test('an instance that shares the connections of its parent has no bound of its own', () => {
		for (const option of ['maxSockets', 'maxTotalSockets']) {
			expect(() => createClient({logger: false}).create({[option]: 1})).toThrow(
				expect.objectContaining({name: 'MtlsConfigError', option}),
			);
		}
	});

	test('an instance with connections of its own has the bounds of its parent, on a count of its own', async () => {
		const {handler, held} = holding();
		const server = await fixture.server({handler});
		const {cert, key} = fixture.alice;
		const parent = fixture.client({maxSockets: 1});
		const child = parent.create({mtls: {cert, key, ca: fixture.pki.ca}});
		const unbound = parent.create({
			mtls: {cert, key, ca: fixture.pki.ca},
			maxSockets: Number.POSITIVE_INFINITY,
		});
		onTestFinished(async () => {
			await Promise.all([child, unbound].map(({mtls}) => mtls.close({deadlineMs: 0})));
		});
		const clients = [parent, child, unbound];
		const answers = clients.flatMap((client) => [
			client.get(server.url()),
			client.get(server.url()),
		]);
		await vi.waitFor(() => expect(held).toHaveLength(4), settled);
		expect(clients.map(({mtls}) => mtls.stats().sockets.queued)).toEqual([1, 1, 0]);
		while (held.length < 6) {
			for (const {response} of held) if (!response.writableEnded) response.end();
			await new Promise(setImmediate);
		}
		for (const {response} of held) response.end();
		await Promise.all(answers);
		expect(server.connections).toHaveLength(4);
	});
});
