import {expect, test} from 'vitest';
import type {CertificateFacts} from '../../src/index.ts';
import {type KeptSession, SessionCache} from '../../src/tls/session.ts';

const now = 1_000_000;

const facts: CertificateFacts = {
	subject: 'CN=a',
	issuer: 'CN=b',
	altNames: [],
	validFrom: '',
	validTo: '',
	fingerprint256: '',
	pin: '',
	caIssuers: [],
};

function kept(
	validUntil = Number.POSITIVE_INFINITY,
	chain: readonly CertificateFacts[] = [facts, facts],
): KeptSession {
	return {
		session: Buffer.from('session'),
		chain,
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

test.each([999, 1000, 1001])('of %i targets the 1000 used last are kept', (count) => {
	const cache = new SessionCache();
	for (let i = 0; i < count; i++) cache.set(`${i}`, kept());
	expect(cache.get('0', now) === undefined).toBe(count > 1000);
	expect(cache.get('1', now)).toBeDefined();
	expect(cache.get(`${count - 1}`, now)).toBeDefined();
});

test('to be used keeps a session, to be replaced as well', () => {
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

// A server decides how large its certificate is, and so its session.
test('sessions are counted in bytes: of 100 with 1 MB of facts the last 16 are kept', () => {
	const cache = new SessionCache();
	const large = {...facts, altNames: ['x'.repeat(499_000)]};
	for (let i = 0; i < 100; i++) cache.set(`${i}`, kept(undefined, [large]));
	const found = Array.from({length: 100}, (_, i) => cache.get(`${i}`, now) !== undefined);
	expect(found).toEqual([...Array(84).fill(false), ...Array(16).fill(true)]);
	// One that would push out all the others is not kept.
	cache.set('vast', kept(undefined, [{...large, caIssuers: ['x'.repeat(1_000_000)]}]));
	expect(cache.get('vast', now)).toBeUndefined();
	expect(cache.get('99', now)).toBeDefined();
});
