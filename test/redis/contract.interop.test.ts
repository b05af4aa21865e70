/*
 * What tough-cookie's own store does, asked of it and of ours.
 */
import {Cookie, CookieJar, MemoryCookieStore, type Store} from 'tough-cookie';
import {describe, expect, type TestContext, test} from 'vitest';
import {RedisCookieStore} from '../../src/redis/index.ts';
import {connectRedis, startRedis} from '../support/servers/redis.ts';

const stores: readonly [string, (ctx: TestContext) => Promise<Store>][] = [
	['MemoryCookieStore', async () => new MemoryCookieStore()],
	['RedisCookieStore', (ctx) => inRedis(ctx)],
	['RedisCookieStore with a key', (ctx) => inRedis(ctx, Buffer.alloc(32, 7))],
];

async function inRedis(ctx: TestContext, key?: Buffer): Promise<Store> {
	const client = await connectRedis(await startRedis(ctx));
	return new RedisCookieStore(client, {prefix: 'session', ...(key && {key})});
}

const now = new Date();

function cookie(domain: string, path: string, key: string, value = 'v'): Cookie {
	return new Cookie({domain, path, key, value, creation: now, lastAccessed: now});
}

function named(cookies: readonly Cookie[]): string[] {
	return cookies.map(({domain, path, key}) => `${key}@${domain}${path}`).sort();
}

async function filled(
	make: (ctx: TestContext) => Promise<Store>,
	ctx: TestContext,
	cookies: readonly Cookie[],
): Promise<Store> {
	const store = await make(ctx);
	for (const one of cookies) await store.putCookie(one);
	return store;
}

const some = () => [
	cookie('a.example', '/', 'x'),
	cookie('a.example', '/app', 'x'),
	cookie('a.example', '/app', 'y'),
	cookie('www.a.example', '/', 'x'),
	cookie('b.www.a.example', '/', 'x'),
	cookie('ba.example', '/', 'x'),
	cookie('b.example', '/', 'x'),
];

describe.each(stores)('%s', (_, make) => {
	test('the store finds a cookie by domain, path and name, and no other', async (ctx) => {
		const store = await filled(make, ctx, some());

		const found = await store.findCookie('a.example', '/app', 'x');

		expect(found).toBeInstanceOf(Cookie);
		expect(found).toMatchObject({domain: 'a.example', path: '/app', key: 'x', value: 'v'});
		expect(await store.findCookie('a.example', '/ap', 'x')).toBeUndefined();
		expect(await store.findCookie('a.example', '/app', 'X')).toBeUndefined();
		expect(await store.findCookie('example', '/app', 'x')).toBeUndefined();
		expect(await store.findCookie('a.example', null, 'x')).toBeUndefined();
	});

	test('the store gives back every attribute', async (ctx) => {
		const whole = Cookie.parse(
			'k="v=1"; Max-Age=60; Expires=Wed, 01 Jan 2070 00:00:00 GMT; Domain=a.example; Path=/app; Secure; HttpOnly; SameSite=Lax; Priority=High',
		);
		if (!whole) throw new Error('tough-cookie does not parse it');
		whole.creation = now;
		whole.lastAccessed = now;
		whole.hostOnly = false;
		whole.pathIsDefault = false;
		const store = await filled(make, ctx, [whole]);

		const found = await store.findCookie('a.example', '/app', 'k');

		expect(found?.toJSON()).toEqual(whole.toJSON());
		expect(found?.creationIndex).toBe(whole.creationIndex);
	});

	test('the store finds the cookies that a request may send: by domain, and by path where there is one', async (ctx) => {
		const store = await filled(make, ctx, some());
		const find = async (domain: string | null, path: string | null) =>
			named(await store.findCookies(domain, path, true));

		const below = ['x@a.example/', 'x@a.example/app', 'y@a.example/app'];
		expect(await find('www.a.example', '/')).toEqual(['x@a.example/', 'x@www.a.example/']);
		expect(await find('a.example', '/app')).toEqual(below);
		expect(await find('a.example', '/app/')).toEqual(below);
		expect(await find('a.example', '/apple')).toEqual(['x@a.example/']);
		expect(await find('a.example', null)).toEqual(below);
		expect(await find('c.example', '/')).toEqual([]);
		expect(await find('', '/')).toEqual([]);
		expect(await find(null, '/')).toEqual([]);
	});

	test('the store finds cookies by an address and by a name without dots', async (ctx) => {
		const places = ['127.0.0.1', '[::1]', 'localhost'];
		const store = await filled(
			make,
			ctx,
			places.map((place) => cookie(place, '/', 'x')),
		);

		for (const place of places) {
			expect(named(await store.findCookies(place, '/', true))).toEqual([`x@${place}/`]);
		}
	});

	test('the store replaces a cookie that is put again or updated', async (ctx) => {
		const old = cookie('a.example', '/', 'x', 'old');
		const store = await filled(make, ctx, [old, cookie('a.example', '/', 'x', 'put')]);
		expect((await store.findCookie('a.example', '/', 'x'))?.value).toBe('put');

		await store.updateCookie(old, cookie('a.example', '/', 'x', 'updated'));

		expect(await store.getAllCookies()).toHaveLength(1);
		expect((await store.findCookie('a.example', '/', 'x'))?.value).toBe('updated');
	});

	test('the store removes one cookie, those of a path, those of a domain, and all', async (ctx) => {
		const store = await filled(make, ctx, some());
		const left = async () => named(await store.getAllCookies());

		await store.removeCookie('b.example', '/', 'none');
		expect(await left()).toHaveLength(7);
		await store.removeCookie('b.example', '/', 'x');
		expect(await left()).toHaveLength(6);
		await store.removeCookies('a.example', '/app');
		expect(await left()).toEqual([
			'x@a.example/',
			'x@b.www.a.example/',
			'x@ba.example/',
			'x@www.a.example/',
		]);
		await store.removeCookies('a.example', null);
		expect(await left()).toEqual(['x@b.www.a.example/', 'x@ba.example/', 'x@www.a.example/']);
		await store.removeAllCookies();
		expect(await left()).toEqual([]);
	});

	test('the store lists cookies of one moment in the order of their creation, whenever they were put', async (ctx) => {
		const made = Array.from({length: 20}, (_, index) => cookie('a.example', '/', `k${index}`));
		const store = await filled(make, ctx, [...made].reverse());

		const keys = (await store.getAllCookies()).map(({key}) => key);

		expect(keys).toEqual(made.map(({key}) => key));
	});

	test('the store keeps all of 500 cookies that are put at once', async (ctx) => {
		const store = await make(ctx);
		const made = Array.from({length: 500}, (_, index) => cookie('a.example', '/', `k${index}`));

		await Promise.all(made.map((one) => store.putCookie(one)));

		expect(named(await store.getAllCookies())).toEqual(named(made));
	});

	test('the store keeps names apart that look like one another, or like parts of the store', async (ctx) => {
		const odd = [
			['a.example', '/', '__proto__'],
			['a.example', '/', 'constructor'],
			['a.example', '/', '","'],
			['a.example', '/","', '"'],
			['a.example","/', '/', '"'],
			['a.example', '/\\', '"'],
			['a.example', '/', ''],
			['a.example', '/', 'ü\u0000\ud800'],
		].map(([domain = '', path = '', key = '']) =>
			cookie(domain, path, key, `${domain}${path}${key}`),
		);
		const store = await filled(make, ctx, odd);

		expect(await store.getAllCookies()).toHaveLength(odd.length);
		for (const {domain, path, key, value} of odd) {
			expect((await store.findCookie(domain, path, key))?.value).toBe(value);
		}
		await store.removeCookies('a.example', '/');
		expect(named(await store.getAllCookies())).toEqual(
			named(odd.filter(({domain, path}) => domain !== 'a.example' || path !== '/')),
		);
	});

	test('the store puts no cookie without domain, path or name', async (ctx) => {
		const store = await make(ctx);

		await store.putCookie(new Cookie({key: 'x', value: 'v', path: '/'}));
		await store.putCookie(new Cookie({key: 'x', value: 'v', domain: 'a.example'}));

		expect(await store.getAllCookies()).toEqual([]);
	});

	test('the store answers callbacks as it does promises', async (ctx) => {
		const store = await make(ctx);
		const [first, second] = [cookie('a.example', '/', 'x'), cookie('a.example', '/', 'x', 'w')];
		const done = (ask: (callback: (error: Error | null) => void) => void) =>
			new Promise<unknown[]>((resolve) => ask((...answer) => resolve(answer)));

		expect((await done((callback) => store.putCookie(first, callback)))[0]).toBeNull();
		expect((await done((callback) => store.updateCookie(first, second, callback)))[0]).toBeNull();
		expect(
			await done((callback) => store.findCookie('a.example', '/', 'x', callback)),
		).toMatchObject([null, {value: 'w'}]);
		expect(
			await done((callback) => store.findCookies('a.example', '/', true, callback)),
		).toMatchObject([null, [{value: 'w'}]]);
		expect(await done((callback) => store.getAllCookies(callback))).toMatchObject([
			null,
			[{value: 'w'}],
		]);
		expect(
			(await done((callback) => store.removeCookie('a.example', '/', 'x', callback)))[0],
		).toBeNull();
		expect(
			(await done((callback) => store.removeCookies('a.example', '/', callback)))[0],
		).toBeNull();
		expect((await done((callback) => store.removeAllCookies(callback)))[0]).toBeNull();
	});

	test('the store serves a jar: sets, orders, replaces, ends, exports and imports', async (ctx) => {
		const jar = new CookieJar(await make(ctx));
		const url = 'https://www.a.example/app/page';
		await jar.setCookie('wide=1; Path=/; Domain=a.example', url);
		await jar.setCookie('deep=1', url);
		await jar.setCookie('wide2=1; Path=/', url);
		await jar.setCookie('gone=1; Path=/; Max-Age=60', url);
		await jar.setCookie('elsewhere=1; Path=/other', url);
		const before = await jar.store.findCookie('a.example', '/', 'wide');
		await jar.setCookie('wide=2; Path=/; Domain=a.example', url);
		await jar.setCookie('gone=; Path=/; Max-Age=0', url);

		expect(await jar.getCookieString(url)).toBe('deep=1; wide=2; wide2=1');
		const after = await jar.store.findCookie('a.example', '/', 'wide');
		expect(after?.creation).toEqual(before?.creation);
		const copy = await CookieJar.deserialize((await jar.serialize()) ?? {});
		expect(await copy.getCookieString(url)).toBe('deep=1; wide=2; wide2=1');
		await jar.removeAllCookies();
		expect(await jar.getCookieString(url)).toBe('');
	});
});
