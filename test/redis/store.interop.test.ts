/*
 * What a store in Redis does beyond tough-cookie's own: one command each, ends on the server,
 * encryption, and an app that has tough-cookie alone.
 */
import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {Cookie, CookieJar} from 'tough-cookie';
import {afterEach, expect, type TestContext, test, vi} from 'vitest';
import {type RedisCommands, RedisCookieStore, type RedisJarError} from '../../src/redis/index.ts';
import {proveBeside} from '../compatibility/prove.ts';
import {createFixture, failureOf} from '../support/fixture.ts';
import {printedForms} from '../support/printed-forms.ts';
import {connectRedis, startRedis} from '../support/servers/redis.ts';

const url = 'https://a.example/';

async function makeFleet(ctx: TestContext, ...extra: readonly string[]) {
	const redis = await startRedis(ctx, ...extra);
	const client = await connectRedis(redis);
	return {redis, client, commands: redis.relay.commands};
}

function cookie(key: string, properties = {}): Cookie {
	const now = new Date();
	const place = {domain: 'a.example', path: '/'};
	return new Cookie({...place, key, value: 'v', creation: now, lastAccessed: now, ...properties});
}

const keys = async (store: RedisCookieStore) =>
	(await store.findCookies('a.example', '/', true)).map(({key}) => key).sort();

afterEach(() => vi.useRealTimers());

/** The clock of this process; the server's goes on. */
function passing(ms: number): void {
	vi.useFakeTimers({toFake: ['Date'], now: Date.now() + ms});
}

test('each question and each change is one command', async (ctx) => {
	const {client, commands} = await makeFleet(ctx);
	const store = new RedisCookieStore(client, {prefix: 'session'});
	const asked = async (work: Promise<unknown>) => {
		commands.length = 0;
		await work;
		return [...commands];
	};

	expect(await asked(store.putCookie(cookie('x')))).toEqual(['EVAL']);
	expect(await asked(store.updateCookie(cookie('x'), cookie('x')))).toEqual(['EVAL']);
	expect(await asked(store.findCookie('a.example', '/', 'x'))).toEqual(['HGET']);
	expect(await asked(store.findCookies('www.a.example', '/', true))).toEqual(['HGETALL']);
	expect(await asked(store.getAllCookies())).toEqual(['HGETALL']);
	expect(await asked(store.removeCookie('a.example', '/', 'x'))).toEqual(['HDEL']);
	expect(await asked(store.removeCookies('a.example', '/'))).toEqual(['EVAL']);
	expect(await asked(store.removeAllCookies())).toEqual(['DEL']);

	const jar = new CookieJar(store);
	expect(await asked(jar.setCookie('x=1', url))).toEqual(['HGET', 'EVAL']);
	expect(await asked(jar.getCookieString(url))).toEqual(['HGETALL']);
});

test('sessions of two prefixes share nothing, two stores of one prefix share all', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const alice = new RedisCookieStore(client, {prefix: 'session:alice'});
	const bob = new RedisCookieStore(client, {prefix: 'session:bob'});
	await Promise.all([alice.putCookie(cookie('a')), bob.putCookie(cookie('b'))]);

	expect(await keys(new RedisCookieStore(client, {prefix: 'session:alice'}))).toEqual(['a']);
	await alice.removeAllCookies();
	expect(await keys(bob)).toEqual(['b']);
});

test('the key lives as long as its last cookie', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const store = new RedisCookieStore(client, {prefix: 'session', ttlSeconds: 100});
	const left = async () => Math.ceil((await client.pTTL('session')) / 10_000) * 10;

	await store.putCookie(cookie('session'));
	expect(await left()).toBe(100);
	await store.putCookie(cookie('long', {maxAge: 1_000}));
	expect(await left()).toBe(1_000);
	await store.putCookie(cookie('short', {maxAge: 10}));
	expect(await left()).toBe(1_000);
	await store.putCookie(cookie('dated', {expires: new Date(Date.now() + 2_000_000)}));
	expect(await left()).toBe(2_000);
	for (const key of ['session', 'long', 'short', 'dated']) {
		await store.removeCookie('a.example', '/', key);
	}
	expect(await client.exists('session')).toBe(0);
});

test('a session cookie is kept a day where nothing else is said', async (ctx) => {
	const {client} = await makeFleet(ctx);
	await new RedisCookieStore(client, {prefix: 'session'}).putCookie(cookie('x'));

	expect(Math.ceil((await client.pTTL('session')) / 60_000)).toBe(24 * 60);
});

test('a field ends with its cookie: by the server where it can, else when it is read', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const store = new RedisCookieStore(client, {prefix: 'session', ttlSeconds: 100});
	await store.putCookie(cookie('long', {maxAge: 1_000}));
	await store.putCookie(cookie('short', {maxAge: 10}));
	await store.putCookie(cookie('session'));

	// Redis 7.4, Valkey 9. Debian's of today is older.
	const known = await client.sendCommand(['COMMAND', 'INFO', 'HPTTL']);
	if (Array.isArray(known) && known[0]) {
		const fields = ['long', 'short', 'session'].map((key) => `["a.example","/","${key}"]`);
		const left = await client.hpTTL('session', fields);
		expect(left?.map((ms) => Math.ceil(ms / 10_000) * 10)).toEqual([1_000, 10, 100]);
	}
	passing(9_000);
	expect(await keys(store)).toEqual(['long', 'session', 'short']);
	passing(2_000);
	expect(await keys(store)).toEqual(['long', 'session']);
	// One connection, so what was sent to remove it has been done.
	expect(await client.hLen('session')).toBe(2);
	passing(100_000);
	expect(await store.findCookie('a.example', '/', 'session')).toBeUndefined();
	expect(await client.hKeys('session')).toEqual(['["a.example","/","long"]']);
});

test('being read does not make a cookie live longer', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const jar = new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
	await jar.setCookie('x=1; Max-Age=10', url);
	for (let seconds = 0; seconds < 9; seconds += 3) {
		passing(3_000);
		expect(await jar.getCookieString(url)).toBe('x=1');
	}
	passing(2_000);
	expect(await jar.getCookieString(url)).toBe('');
});

test('a cookie that is put when it is over goes at once', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const jar = new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
	await jar.setCookie('x=1', url);
	await jar.setCookie('x=; Expires=Thu, 01 Jan 1970 00:00:00 GMT', url);

	expect(await client.exists('session')).toBe(0);
});

// Seen in a draft: one process read a cookie that was over and sent for its removal, while another
// logged in and set it anew. The removal came last, and the new session was gone.
test('a cookie that another process sets anew is not removed with the one that is over', async (ctx) => {
	const {client, redis} = await makeFleet(ctx);
	const other = new RedisCookieStore(await connectRedis(redis), {prefix: 'session'});
	const late: RedisCommands = {
		...bound(client),
		async hGetAll(key) {
			const entries = await client.hGetAll(key);
			await other.putCookie(cookie('x', {value: 'new'}));
			return entries;
		},
	};
	const store = new RedisCookieStore(late, {prefix: 'session'});
	await store.putCookie(cookie('x', {maxAge: 10}));
	passing(11_000);

	expect(await keys(store)).toEqual([]);
	expect((await other.findCookie('a.example', '/', 'x'))?.value).toBe('new');
});

function bound(client: RedisCommands): RedisCommands {
	return {
		hGetAll: (key) => client.hGetAll(key),
		hGet: (key, field) => client.hGet(key, field),
		hDel: (key, field) => client.hDel(key, field),
		del: (key) => client.del(key),
		get: (key) => client.get(key),
		eval: (script, options) => client.eval(script, options),
	};
}

test('two processes that set cookies at once lose none', async (ctx) => {
	const {redis} = await makeFleet(ctx);
	const jars = await Promise.all(
		Array.from({length: 4}, async () => {
			const client = await connectRedis(redis);
			return new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
		}),
	);
	await Promise.all(
		jars.flatMap((jar, index) =>
			Array.from({length: 50}, (_, n) => jar.setCookie(`c${index}-${n}=${n}`, url)),
		),
	);

	expect(await jars[0]?.getCookies(url)).toHaveLength(200);
});

test('the data in Redis show no value, and each manipulation is refused', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const key = randomBytes(32);
	const store = new RedisCookieStore(client, {prefix: 'session', key});
	const field = (name: string) => `["a.example","/","${name}"]`;
	await store.putCookie(cookie('x', {value: 'MARK-value'}));
	await store.putCookie(cookie('admin', {value: 'MARK-other'}));
	const {[field('x')]: encrypted = '', [field('admin')]: admin = ''} =
		await client.hGetAll('session');

	expect(encrypted).toMatch(/^v1:[\w+/]+=*$/);
	expect(Buffer.from(encrypted.slice(3), 'base64').includes('MARK')).toBe(false);
	expect((await store.findCookie('a.example', '/', 'x'))?.value).toBe('MARK-value');

	const refusal = async (value: string, reader = store, prefix = 'session') => {
		await client.hSet(prefix, field('x'), value);
		const error = await reader.findCookie('a.example', '/', 'x').then(
			() => new Error('it was read'),
			(reason: RedisJarError) => reason,
		);
		expect(error).toMatchObject({name: 'RedisJarError', code: 'ERR_MTLS_COOKIE_UNREADABLE'});
		expect(printedForms(error)).not.toContain('MARK');
		return error.message;
	};
	const start = `cannot read ${field('x')} of 'session': `;
	const changed = `${start}the key fails: another one encrypted it, or it was changed`;
	const plain = new RedisCookieStore(client, {prefix: 'session'});
	const wrong = new RedisCookieStore(client, {prefix: 'session', key: randomBytes(32)});
	const bob = new RedisCookieStore(client, {prefix: 'bob', key});

	expect(await refusal(encrypted, wrong)).toBe(changed);
	expect(await refusal(admin)).toBe(changed);
	expect(await refusal(encrypted, bob, 'bob')).toBe(changed.replace('session', 'bob'));
	expect(await refusal(encrypted, plain)).toBe(`${start}it is encrypted, and no key was given`);
	expect(await refusal('{"key":"x","value":"MARK"}')).toBe(`${start}it is not encrypted`);
	expect(await refusal('MARK', plain)).toBe(`${start}it is not a cookie`);
	await client.hSet('session', field('x'), encrypted);
	expect((await store.findCookie('a.example', '/', 'x'))?.value).toBe('MARK-value');
});

test('a cookie of an encoded path is kept and sent under it as it is written', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const {server, client: makeClient} = await createFixture();
	const bank = await server({
		handler(request, response) {
			const cookies = ['named=1; Path=/my%20app', 'default=2', 'decoded=3; Path=/my app'];
			const isLogin = request.url?.endsWith('/login');
			response.writeHead(204, isLogin ? {'set-cookie': cookies} : {}).end();
			return true;
		},
	});
	const jar = new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
	const app = makeClient({jar});
	for (const path of ['/my%20app/login', '/my%20app/data']) await app.get(bank.url(path));

	expect(bank.requests.map(({headers}) => headers.cookie)).toEqual([
		undefined,
		'named=1; default=2',
	]);
	expect((await client.hKeys('session')).sort()).toEqual([
		'["localhost","/my app","decoded"]',
		'["localhost","/my%20app","default"]',
		'["localhost","/my%20app","named"]',
	]);
});

test('the oldest of 181 cookies of a domain is evicted, and a request asks once', async (ctx) => {
	const {client, commands} = await makeFleet(ctx);
	const {server, client: makeClient} = await createFixture();
	let next = 0;
	const bank = await server({
		handler(_, response) {
			response.writeHead(204, {'set-cookie': `c${next++}=1; Path=/`}).end();
			return true;
		},
	});
	const visit = async () => {
		// A process of its own: it has not seen what the others have set.
		const jar = new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
		commands.length = 0;
		await makeClient({jar}).get(bank.url('/'));
		return [...commands];
	};

	const asked = await visit();
	expect(asked).toEqual(['HGETALL', 'HGET', 'EVAL']);
	while (next < 180) expect(await visit()).toEqual(asked);
	expect(await visit()).toEqual([...asked, 'HGETALL', 'HDEL']);
	expect(await visit()).toEqual([...asked, 'HGETALL', 'HDEL']);

	const left = (await client.hKeys('session')).map((field) => JSON.parse(field)[2]);
	expect(left.sort()).toEqual(Array.from({length: 180}, (_, index) => `c${index + 2}`).sort());
}, 60_000);

test('an encryption key is replaced while the session goes on', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const [old, next] = [randomBytes(32), randomBytes(32)];
	const make = (...key: Buffer[]) => new RedisCookieStore(client, {prefix: 'session', key});
	await make(old).putCookie(cookie('before'));
	await make(next, old).putCookie(cookie('after'));

	expect(await keys(make(next, old))).toEqual(['after', 'before']);
	expect((await make(next).findCookie('a.example', '/', 'after'))?.value).toBe('v');
	await expect(keys(make(next))).rejects.toMatchObject({code: 'ERR_MTLS_COOKIE_UNREADABLE'});
});

test('a request whose cookies cannot be read is not sent, and says no value', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const {server, client: makeClient} = await createFixture();
	const bank = await server();
	const jarOf = (key: Buffer) =>
		new CookieJar(new RedisCookieStore(client, {prefix: 'session', key}));
	const jar = jarOf(randomBytes(32));
	await jar.setCookie('session=MARK-value; Secure', bank.origin);
	expect(await jar.getCookieString(bank.origin)).toBe('session=MARK-value');

	const wrong = makeClient({jar: jarOf(randomBytes(32))});
	const error = await failureOf(wrong.get(bank.url('/echo')));

	expect(error).toMatchObject({
		code: 'ERR_MTLS_JAR_FAILED',
		message: expect.stringMatching(
			/^the cookie jar could not be read: the `key` of its store .* `key: \[new, old\]`$/,
		),
		cause: {name: 'RedisJarError', reason: 'not-decrypted'},
	});
	expect(printedForms(error)).not.toContain('MARK');
	expect(bank.requests).toEqual([]);
	await makeClient({jar}).get(bank.url('/echo'));
	expect(bank.requests.map(({headers}) => headers.cookie)).toEqual(['session=MARK-value']);
});

test('a cookie that cannot be read is reported with its reason, and each repair works', async (ctx) => {
	const {client} = await makeFleet(ctx);
	const {server, client: makeClient} = await createFixture();
	const bank = await server();
	const key = randomBytes(32);
	const jarOf = (options: {key?: Buffer; prefix?: string}) =>
		new CookieJar(new RedisCookieStore(client, {prefix: 'session', ...options}));
	const get = (jar: CookieJar) => makeClient({jar}).get(bank.url('/echo'));
	const set = (jar: CookieJar) => jar.setCookie('session=MARK-value; Secure', bank.origin);
	const expectRefused = async (jar: CookieJar, reason: string, message: string) => {
		const error = await failureOf(get(jar));
		expect(error).toMatchObject({
			code: 'ERR_MTLS_JAR_FAILED',
			message: expect.stringContaining(message),
			cause: {name: 'RedisJarError', code: 'ERR_MTLS_COOKIE_UNREADABLE', reason},
		});
		expect(printedForms(error)).not.toContain('MARK');
		expect(bank.requests).toEqual([]);
	};

	await set(jarOf({key}));
	await expectRefused(
		jarOf({}),
		'no-key',
		'encrypted, and the store has no `key`. What to do: give the store the `key`',
	);
	await jarOf({key}).removeAllCookies();

	await set(jarOf({}));
	await expectRefused(
		jarOf({key}),
		'not-encrypted',
		'written without one, or by somebody else. What to do: begin a new session, under another `prefix`',
	);
	await client.hSet('session', '["localhost","/","session"]', 'MARK');
	await expectRefused(
		jarOf({}),
		'not-a-cookie',
		'for a cookie is not one. What to do: let nothing',
	);

	const repaired = [jarOf({key, prefix: 'encrypted'}), jarOf({key})];
	await repaired[1]?.removeAllCookies();
	for (const jar of repaired) {
		await set(jar);
		await get(jar);
	}
	const sent = bank.requests.map(({headers}) => headers.cookie);
	expect(sent).toEqual(['session=MARK-value', 'session=MARK-value']);
});

// Redis quotes the arguments of a command that it does not know.
test('a server that refuses the command is reported without the cookie', async (ctx) => {
	const {client, commands} = await makeFleet(ctx, '--rename-command', 'EVAL', '');
	const store = new RedisCookieStore(client, {prefix: 'session'});

	const error = await store.putCookie(cookie('x', {value: 'MARK-value'})).catch((reason) => reason);

	expect(error).toMatchObject({message: expect.stringContaining("unknown command 'EVAL'")});
	expect(printedForms(error)).not.toContain('MARK');
	expect(commands).toEqual(['EVAL']);
});

test('an app that has tough-cookie alone keeps its session there, and axios is never loaded', async (ctx) => {
	const {redis} = await makeFleet(ctx);
	const app = `
		import {registerHooks} from 'node:module';
		const loaded = new Set();
		registerHooks({resolve(specifier, context, next) {
			loaded.add(specifier);
			return next(specifier, context);
		}});
		const {createClient} = await import('redis');
		const {CookieJar} = await import('tough-cookie');
		const {RedisCookieStore} = await import('./src/redis/index.ts');
		const client = await createClient({socket: {host: '127.0.0.1', port: ${redis.relay.port}}}).connect();
		const jar = new CookieJar(new RedisCookieStore(client, {prefix: 'session'}));
		const before = await jar.getCookieString('${url}');
		await jar.setCookie('visits=' + (Number(before.split('=')[1] ?? 0) + 1), '${url}');
		console.log(await jar.getCookieString('${url}'), loaded.has('tough-cookie'), loaded.has('axios'));
		await client.close();
	`;
	const run = async () =>
		(await promisify(execFile)(process.execPath, ['--input-type=module', '-e', app])).stdout;

	expect(await run()).toBe('visits=1 true false\n');
	expect(await run()).toBe('visits=2 true false\n');
});

test('docs/compatibility.md has the version of redis that these tests ran with', () => {
	proveBeside('redis', process.env.BESIDE ?? fileURLToPath(new URL('../../', import.meta.url)));
});
