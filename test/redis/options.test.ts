import {describe, expect, test} from 'vitest';
import type {MtlsConfigError} from '../../src/errors.ts';
import {type RedisCommands, RedisCookieStore} from '../../src/redis/index.ts';
import {printedForms} from '../support/printed-forms.ts';

const never = () => new Promise<never>(() => {});
const client: RedisCommands = {
	hGetAll: never,
	hGet: never,
	hDel: never,
	del: never,
	get: never,
	eval: never,
};

function make(options: object, redis: unknown = client): RedisCookieStore {
	return new RedisCookieStore(redis as RedisCommands, {prefix: 'session', ...options});
}

/** The mistake of which the options are accused. */
function mistake(options: object, redis?: unknown): MtlsConfigError {
	try {
		make(options, redis);
	} catch (error) {
		expect(error).toMatchObject({name: 'MtlsConfigError'});
		return error as MtlsConfigError;
	}
	throw new Error('the options were taken');
}

test.each([
	{},
	{key: Buffer.alloc(32)},
	{key: new Uint8Array(32)},
	{key: [Buffer.alloc(32), Buffer.alloc(32)]},
	{key: undefined, ttlSeconds: undefined, timeoutMs: undefined},
	{ttlSeconds: 0.001},
	{ttlSeconds: 34_560_000},
	{timeoutMs: 1},
	{timeoutMs: 2_147_483_647},
])('the options %j are accepted', (options) => {
	expect(make(options).synchronous).toBe(false);
});

describe('a mistake is told with the option to repair', () => {
	// Seen: with a session named `alice:lease` in the same Redis nobody could log in to `alice` any more.
	test.each([':lease', 'alice:lease', 'alice:logins'])('the prefix %s is refused', (prefix) => {
		expect(mistake({prefix})).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'redis.prefix',
			message:
				"redis.prefix: expected a string that does not end in ':lease' or ':logins', found one that does",
		});
	});

	test.each([
		[{prefix: ''}, 'prefix', 'expected a string that is not empty, found an empty string'],
		[{prefix: undefined}, 'prefix', 'expected a string that is not empty, found undefined'],
		[{key: 'MARK'}, 'key', 'expected 32 bytes, found string'],
		[{key: null}, 'key', 'expected 32 bytes, found null'],
		[{key: Buffer.alloc(31)}, 'key', 'expected 32 bytes, found 31'],
		[{key: Buffer.alloc(33)}, 'key', 'expected 32 bytes, found 33'],
		[{key: [Buffer.alloc(32), 'MARK']}, 'key[1]', 'expected 32 bytes, found string'],
		[{key: [Buffer.alloc(16)]}, 'key[0]', 'expected 32 bytes, found 16'],
		[{key: []}, 'key', 'expected 32 bytes, found an empty list'],
		[{ttlSeconds: '60'}, 'ttlSeconds', 'expected a number above 0, 34560000 at most, found string'],
		[{ttlSeconds: 0}, 'ttlSeconds', 'expected a number above 0, 34560000 at most, found 0'],
		[
			{ttlSeconds: 34_560_001},
			'ttlSeconds',
			'expected a number above 0, 34560000 at most, found 34560001',
		],
		[
			{ttlSeconds: Number.NaN},
			'ttlSeconds',
			'expected a number above 0, 34560000 at most, found NaN',
		],
		[{timeoutMs: -1}, 'timeoutMs', 'expected a number above 0, 2147483647 at most, found -1'],
		[
			{timeoutMs: 2_147_483_648},
			'timeoutMs',
			'expected a number above 0, 2147483647 at most, found 2147483648',
		],
	])('the store options %j are refused with the option to repair', (options, option, reason) => {
		expect(mistake(options)).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option: `redis.${option}`,
			message: `redis.${option}: ${reason}`,
		});
	});

	test('an unknown store option is refused', () => {
		expect(mistake({encrypt: true})).toMatchObject({
			code: 'ERR_MTLS_UNKNOWN_OPTION',
			option: 'redis.encrypt',
			message: 'redis.encrypt: no such option; known are prefix, key, ttlSeconds, timeoutMs',
		});
	});

	test.each([
		[null, 'expected a client of node-redis, found null'],
		['redis://localhost', 'expected a client of node-redis, found string'],
		[{...client, eval: undefined}, 'expected a client of node-redis with eval(), found undefined'],
		[{hgetall: never}, 'expected a client of node-redis with hGetAll(), found undefined'],
	])('a client that is not a Redis client is refused: %j', (redis, reason) => {
		expect(mistake({}, redis)).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'redis.client',
			message: `redis.client: ${reason}`,
		});
	});

	test('missing store options are refused', () => {
		expect(() => Reflect.construct(RedisCookieStore, [client])).toThrow(
			'redis.options: expected an object, found undefined',
		);
	});
});

test('neither the store nor a mistake shows a key', () => {
	const bytes = Buffer.from('MARK-of-32-bytes-in-a-key-of-ours'.slice(0, 32));

	expect(printedForms(make({key: bytes}))).not.toContain('MARK');
	expect(printedForms(make({key: bytes}))).not.toContain('4d 41 52 4b');
	expect(printedForms(mistake({key: bytes.subarray(1)}))).not.toContain('ARK');
	expect(printedForms(mistake({key: bytes.toString()}))).not.toContain('MARK');
});
