/*
 * A Redis server that goes, comes back, or says nothing.
 */
import {CookieJar} from 'tough-cookie';
import {expect, type TestContext, test} from 'vitest';
import {RedisCookieStore} from '../../src/redis/index.ts';
import {createFixture, failureOf} from '../support/fixture.ts';
import {startTcp} from '../support/plain-server.ts';
import {connectRedis, startRedis} from '../support/servers/redis.ts';

async function makeBank(ctx: TestContext, timeoutMs?: number) {
	const redis = await startRedis(ctx);
	const client = await connectRedis(redis);
	const store = new RedisCookieStore(client, {
		prefix: 'session',
		...(timeoutMs !== undefined && {timeoutMs}),
	});
	const fixture = await createFixture();
	const server = await fixture.server();
	const bank = fixture.client({baseURL: server.origin, jar: new CookieJar(store)});
	const login = () => bank.post('/login', {user: 'alice', password: 'wonderland'});
	return {
		redis,
		client,
		store,
		server,
		bank,
		login,
		/** Ends the Redis server, and waits until the client knows. */
		async stop() {
			const lost = said(client, 'reconnecting');
			await redis.stop();
			await lost;
		},
	};
}

// Not `once` of node:events, which fails at the client's first `error`: of those there are many here.
function said(client: Awaited<ReturnType<typeof connectRedis>>, event: string): Promise<unknown> {
	return new Promise((resolve) => client.once(event, resolve));
}

test('a session goes on after the server was restarted', async (ctx) => {
	const {redis, client, bank, login, server, stop} = await makeBank(ctx);
	await login();

	await stop();
	const asked = bank.get('/accounts');
	await redis.start();

	// It waited for the connection.
	expect((await asked).status).toBe(200);
	expect(client.isReady).toBe(true);
	expect((await bank.get('/accounts')).status).toBe(200);
	expect(server.requests.filter(({url}) => url === '/login')).toHaveLength(1);
});

test('while the server is away a request fails within its time, and is not sent', async (ctx) => {
	const {redis, bank, login, server, stop} = await makeBank(ctx, 1_500);
	await login();
	const sent = server.requests.length;
	await stop();

	const started = performance.now();
	const error = await failureOf(bank.get('/accounts', {timeout: 10_000}));

	expect(performance.now() - started).toBeLessThan(5_000);
	expect(error).toMatchObject({
		code: 'ERR_MTLS_JAR_FAILED',
		message: expect.stringMatching(
			/^the cookie jar could not be read: Redis did not answer in time\. .* `timeoutMs` of the store$/,
		),
		cause: {name: 'RedisJarError', message: 'no answer within 1500 ms'},
	});
	expect(server.requests).toHaveLength(sent);
	await redis.start();
	expect((await bank.get('/accounts')).status).toBe(200);
});

// Seen with the queue of node-redis: a cookie that was set while Redis was away was written when it
// came back, long after its request had failed, over the cookie that another process had set.
test('a write that timed out is not made when the server is back', async (ctx) => {
	const {redis, client, store, stop} = await makeBank(ctx, 100);
	const jar = new CookieJar(store);
	await jar.setCookie('x=before', 'https://a.example/');
	const old = await store.findCookie('a.example', '/', 'x');
	await stop();
	if (!old) throw new Error('the cookie was not kept');

	await expect(store.putCookie(old)).rejects.toMatchObject({code: 'ERR_MTLS_REDIS_TIMEOUT'});

	redis.relay.commands.length = 0;
	const ready = said(client, 'ready');
	await redis.start();
	await ready;
	expect(await jar.getCookieString('https://a.example/')).toBe('x=before');
	expect(redis.relay.commands).toEqual(['HGETALL']);
});

test('a server that says nothing is given up after the time of the store', async (ctx) => {
	const {redis, client, bank, server} = await makeBank(ctx, 300);
	const silent = await startTcp();
	const lost = said(client, 'reconnecting');
	await redis.relay.lead(silent.port);
	await lost;

	const error = await failureOf(bank.get('/accounts'));

	expect(error).toMatchObject({
		code: 'ERR_MTLS_JAR_FAILED',
		cause: {code: 'ERR_MTLS_REDIS_TIMEOUT'},
	});
	expect(server.requests).toEqual([]);
});

test('a client that was closed fails at once', async (ctx) => {
	const {client, bank} = await makeBank(ctx);
	await client.close();

	expect(await failureOf(bank.get('/accounts'))).toMatchObject({
		code: 'ERR_MTLS_JAR_FAILED',
		cause: {message: 'The client is closed'},
	});
});
