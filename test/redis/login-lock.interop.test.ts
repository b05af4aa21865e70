import {expect, type TestContext, test} from 'vitest';
import {sharedLoginLock} from '../../src/login/login-lock.ts';
import {RedisCookieStore} from '../../src/redis/index.ts';
import {connectRedis, startRedis} from '../support/servers/redis.ts';

/** The login locks of two processes, and what a third sees. */
async function makeLocks(ctx: TestContext) {
	const redis = await startRedis(ctx);
	const lock = async (prefix = 'session') =>
		new RedisCookieStore(await connectRedis(redis), {prefix})[sharedLoginLock];
	return {
		ours: await lock(),
		theirs: await lock(),
		another: await lock('another'),
		client: await connectRedis(redis),
		commands: redis.relay.commands,
	};
}

test('one process at a time may log in', async (ctx) => {
	const {ours, theirs, another} = await makeLocks(ctx);

	const lease = await ours.acquire(60_000);

	expect(lease).toBeDefined();
	expect(await theirs.acquire(60_000)).toBeUndefined();
	expect(await ours.acquire(60_000)).toBeUndefined();
	expect(await another.acquire(60_000)).toBeDefined();
	await lease?.release();
	expect(await theirs.acquire(60_000)).toBeDefined();
});

test('one of 50 processes that ask at once gets the lease', async (ctx) => {
	const {ours, theirs} = await makeLocks(ctx);

	const leases = await Promise.all(
		Array.from({length: 50}, (_, index) => (index % 2 ? ours : theirs).acquire(60_000)),
	);

	expect(leases.filter(Boolean)).toHaveLength(1);
});

test('a login is counted for all, and releases the lease in the same step', async (ctx) => {
	const {ours, theirs, another, commands} = await makeLocks(ctx);
	expect(await theirs.generation()).toBe(0);
	const lease = await ours.acquire(60_000);
	expect(await theirs.generation()).toBe(0);

	commands.length = 0;
	await lease?.complete();

	expect(commands).toEqual(['EVAL']);
	const first = await theirs.generation();
	expect(first).toBeGreaterThan(0);
	expect(await another.generation()).toBe(0);
	await (await theirs.acquire(60_000))?.complete();
	expect(await ours.generation()).toBe(first + 1);
});

test('a lease that is released without a login counts none', async (ctx) => {
	const {ours} = await makeLocks(ctx);

	await (await ours.acquire(60_000))?.release();

	expect(await ours.generation()).toBe(0);
});

test('the server ends a lease by itself, after the time that was asked for', async (ctx) => {
	const {ours, client} = await makeLocks(ctx);

	await ours.acquire(60_000);

	const left = await client.pTTL('session:lease');
	expect(left).toBeGreaterThan(50_000);
	expect(left).toBeLessThanOrEqual(60_000);
});

test('a process that comes back after its lease has ended does not affect the next one', async (ctx) => {
	const {ours, theirs, client} = await makeLocks(ctx);
	const ended = await ours.acquire(60_000);
	await client.del('session:lease');
	const next = await theirs.acquire(60_000);

	await ended?.release();
	expect(await ours.acquire(60_000)).toBeUndefined();
	// It did log in, and the cookies of it are in the jar.
	await ended?.complete();
	const first = await ours.generation();
	expect(first).toBeGreaterThan(0);
	expect(await ours.acquire(60_000)).toBeUndefined();
	await next?.complete();
	expect(await ours.generation()).toBe(first + 1);
	expect(await ours.acquire(60_000)).toBeDefined();
});

test('the count of logins outlives the cookies, but not for ever', async (ctx) => {
	const {ours, client} = await makeLocks(ctx);
	await (await ours.acquire(60_000))?.complete();

	await new RedisCookieStore(client, {prefix: 'session'}).removeAllCookies();

	expect(await ours.generation()).toBeGreaterThan(0);
	expect(Math.ceil((await client.pTTL('session:logins')) / 86_400_000)).toBe(400);
});

// Seen in a draft that counted from 1: after a restart without data the first process logged in
// again, and the others took its login for the one that they knew to be over.
test('a server that lost its data gives no number again', async (ctx) => {
	const {ours, client} = await makeLocks(ctx);
	const seen = new Set<number>();
	for (let round = 1; round <= 5; round++) {
		await (await ours.acquire(60_000))?.complete();
		seen.add(await ours.generation());
		await client.flushAll();
		expect(await ours.generation()).toBe(0);
		expect(seen.size).toBe(round);
	}
});
