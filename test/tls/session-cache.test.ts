import {expect, test} from 'vitest';
import {type ResumableSession, SessionCache} from '../../src/tls/session-cache.ts';

const now = 1_000_000;

function kept(validUntil = Number.POSITIVE_INFINITY, bytes = 10_000): ResumableSession {
	return {
		session: Buffer.from('session'),
		// Of a certificate the cache reads its size alone.
		chain: [{bytes}, {bytes}] as unknown as ResumableSession['chain'],
		clientCertificateRequested: true,
		validUntil,
	};
}

test('a session is found again with what was learned when it was made', () => {
	const cache = new SessionCache();
	const session = kept();
	cache.set('a', session);
	expect(cache.get('a', now)).toBe(session);
	expect(cache.get('a', now)).toBe(session);
	expect(cache.get('b', now)).toBeUndefined();
});

test('the latest session of a target replaces the one before', () => {
	const cache = new SessionCache();
	const latest = kept();
	cache.set('a', kept());
	cache.set('a', latest);
	expect(cache.get('a', now)).toBe(latest);
});

test('a session that failed is forgotten', () => {
	const cache = new SessionCache();
	cache.set('a', kept());
	cache.delete('a');
	cache.delete('a');
	expect(cache.get('a', now)).toBeUndefined();
});

test('a session ends with the first certificate behind it, for good', () => {
	const cache = new SessionCache();
	const session = kept(now);
	cache.set('a', session);
	expect(cache.get('a', now - 1)).toBe(session);
	expect(cache.get('a', now)).toBeUndefined();
	// Whatever the clock says then.
	expect(cache.get('a', now - 1)).toBeUndefined();
});

test.each([999, 1000, 1001])(
	'the sessions of the 1000 targets used last are kept, of %i',
	(count) => {
		const cache = new SessionCache();
		for (let i = 0; i < count; i++) cache.set(`${i}`, kept());
		expect(cache.get('0', now) === undefined).toBe(count > 1000);
		expect(cache.get('1', now)).toBeDefined();
		expect(cache.get(`${count - 1}`, now)).toBeDefined();
	},
);

test('a session that is used or replaced is kept', () => {
	const cache = new SessionCache();
	for (let i = 0; i < 1000; i++) cache.set(`${i}`, kept());
	cache.get('0', now);
	cache.set('1', kept());
	cache.set('new', kept());
	cache.set('newer', kept());
	const found = ['0', '1', '2', '3', '4'].map((target) => cache.get(target, now) !== undefined);
	expect(found).toEqual([true, true, false, false, true]);
});

test('an end that is no date is none to wait for', () => {
	const cache = new SessionCache();
	cache.set('a', kept(Number.NaN));
	expect(cache.get('a', now)).toBeUndefined();
});

// A server decides how large its certificates are, and so what is kept with a session.
test.each([
	[31, 31],
	[32, 31],
	[33, 31],
])(
	'the cache keeps, of %i sessions with 2 MiB of certificates, the %i used last',
	(count, expected) => {
		const cache = new SessionCache();
		for (let i = 0; i < count; i++) cache.set(`${i}`, kept(undefined, 1024 * 1024));
		const found = Array.from({length: count}, (_, i) => cache.get(`${i}`, now) !== undefined);
		expect(found).toEqual(found.map((_, i) => i >= count - expected));
	},
);

test('a session that would push out all the others is not kept', () => {
	const cache = new SessionCache();
	cache.set('a', kept());
	cache.set('vast', kept(undefined, 4 * 1024 * 1024));
	expect(cache.get('vast', now)).toBeUndefined();
	expect(cache.get('a', now)).toBeDefined();
});

const refusedForMs = 5 * 60_000;

test('a target that refuses its session is offered none for five minutes', () => {
	const cache = new SessionCache();
	cache.set('a', kept());
	cache.set('b', kept());
	cache.refuse('a', now);
	expect(cache.get('a', now)).toBeUndefined();
	expect(cache.get('b', now)).toBeDefined();

	// That of the full handshake which follows.
	const latest = kept();
	cache.set('a', latest);
	expect(cache.get('a', now + refusedForMs - 1)).toBeUndefined();
	expect(cache.get('a', now + refusedForMs)).toBe(latest);
	expect(cache.get('a', now + refusedForMs + 1)).toBe(latest);
});

test('a session that was refused is forgotten', () => {
	const cache = new SessionCache();
	cache.set('a', kept());
	cache.refuse('a', now);
	expect(cache.get('a', now + refusedForMs)).toBeUndefined();
});

test.each([999, 1000, 1001])(
	'the cache remembers, of %i targets that refuse resumption, the 1000 latest',
	(count) => {
		const cache = new SessionCache();
		for (let i = 0; i < count; i++) cache.refuse(`${i}`, now);
		for (const target of ['0', '1', `${count - 1}`]) cache.set(target, kept());
		expect(cache.get('0', now) === undefined).toBe(count <= 1000);
		expect(cache.get('1', now)).toBeUndefined();
		expect(cache.get(`${count - 1}`, now)).toBeUndefined();
	},
);
