// In a process of its own: it replaces modules.
import axios, {AxiosError} from 'axios';
import {CookieJar} from 'tough-cookie';
import {describe, expect, test, vi} from 'vitest';
import {recognizeCopies, sharedByCopies} from '../src/copies.ts';
import * as mtls from '../src/index.ts';
import * as redis from '../src/redis/index.ts';
import {tempFile} from './support/temp-file.ts';

vi.resetModules();
const copy: typeof mtls & typeof redis = {
	...(await import('../src/index.ts')),
	...(await import('../src/redis/index.ts')),
};

const failure: mtls.MtlsFailure = {
	kind: 'expired',
	phase: 'verify',
	side: 'server',
	certain: true,
	host: 'localhost',
	port: 443,
	servername: 'localhost',
	url: 'https://localhost/',
	chain: [],
	identity: null,
	reasons: [],
	hint: '',
};
const commands = {
	hGetAll: async () => ({}),
	hGet: async () => null,
	hDel: async () => 0,
	del: async () => 0,
	get: async () => null,
	eval: async () => null,
};

const made = {
	MtlsError: new mtls.MtlsError('it failed', {failure, code: 'CERT_HAS_EXPIRED'}),
	MtlsConfigError: new mtls.MtlsConfigError('ERR_MTLS_NOT_PEM', 'mtls.ca', 'expected PEM'),
	CookieFileError: new mtls.CookieFileError('ERR_MTLS_JAR_LOCKED', 'cookies.txt', 'it is locked'),
	RedisJarError: new redis.RedisJarError('ERR_MTLS_REDIS_TIMEOUT', 'no response'),
	RedisCookieStore: new redis.RedisCookieStore(commands, {prefix: 'session'}),
	MtlsAgent: new mtls.MtlsAgent(),
};
const names = Object.keys(made) as (keyof typeof made)[];

describe.each(names)('%s', (name) => {
	const own = {...mtls, ...redis}[name];
	const other = copy[name];

	test(`an instance of ${name} is one for a second copy of the package`, () => {
		expect(other).not.toBe(own);
		expect(made[name]).toBeInstanceOf(own);
		expect(made[name]).toBeInstanceOf(other);
	});

	test(`no other value is an instance of ${name}`, () => {
		const others = names.filter((another) => another !== name).map((another) => made[another]);
		const lookalike = {name, code: 'ERR_MTLS_NOT_PEM', option: 'mtls.ca'};
		for (const value of [...others, lookalike, new Error(name), new AxiosError(name)]) {
			expect(value).not.toBeInstanceOf(own);
		}
		for (const value of [undefined, null, name, 1, Symbol.for(`axios-mtls.${name}`)]) {
			expect(value).not.toBeInstanceOf(own);
		}
	});
});

test('isMtlsError() recognises the errors of a second copy', () => {
	expect(copy.isMtlsError(made.MtlsError)).toBe(true);
	expect(copy.isMtlsError(made.MtlsConfigError)).toBe(false);
});

test('a subclass has its own instances only, which are instances of its parent', () => {
	class Refused extends copy.MtlsError {}
	const refused = new Refused('it failed', {failure, code: 'CERT_HAS_EXPIRED'});

	expect(refused).toBeInstanceOf(Refused);
	expect(refused).toBeInstanceOf(mtls.MtlsError);
	expect(made.MtlsError).not.toBeInstanceOf(Refused);
});

test('the brand of a class is neither listed nor printed', () => {
	class Thing {}
	recognizeCopies(Thing, 'Thing');

	expect(Reflect.ownKeys(new Thing())).toEqual([]);
	expect(Object.keys(Thing.prototype)).toEqual([]);
	expect(Object.keys(Thing)).toEqual([]);
});

test('the second copy gets what the first one has made', () => {
	const [first, second] = [new Map(), new Map()];

	expect(sharedByCopies('test', () => first)).toBe(first);
	expect(sharedByCopies('test', () => second)).toBe(first);
	expect(sharedByCopies('another test', () => second)).toBe(second);
});

test('a file jar is saved by a client of a second copy when it closes', async () => {
	const jar = mtls.fileJar(tempFile('cookies.json'), {debounceMs: 60_000});
	const client = copy.createClient({jar, logger: false});
	await jar.setCookie('a=1', 'https://localhost/');

	await client.mtls.close();

	const cookies = await mtls.fileJar(jar.path).getCookieString('https://localhost/');
	expect(cookies).toBe('a=1');
	expect(jar).toBeInstanceOf(CookieJar);
});

test('a failure is logged once by two copies', async () => {
	const logger = {warn: vi.fn(), error: vi.fn()};
	const instance = axios.create({adapter: () => Promise.reject(new AxiosError('it failed'))});
	mtls.logFailures(instance, logger);
	copy.logFailures(instance, logger);

	await expect(instance.get('https://localhost/')).rejects.toThrow('it failed');

	expect(logger.error).toHaveBeenCalledTimes(1);
	expect(logger.warn).not.toHaveBeenCalled();
});
