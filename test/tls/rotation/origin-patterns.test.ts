import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {parseOrigins} from '../../../src/tls/rotation/origin-patterns.ts';

const close = (origins: readonly string[], origin: string) =>
	parseOrigins(origins).specificity(origin);

describe('an origin is named', () => {
	test.each([
		['https://a.test', 'https://a.test'],
		['https://a.test/', 'https://a.test'],
		['https://A.test:443', 'https://a.test'],
		['https://a.test:8443', 'https://a.test:8443'],
		['https://[::1]:8443', 'https://[::1]:8443'],
		['https://*.bank.test', 'https://a.bank.test'],
		['https://*.bank.test', 'https://a.b.bank.test'],
		['https://*.bank.test:8443', 'https://a.bank.test:8443'],
	])('an origin is matched by %s: %s', (pattern, origin) => {
		expect(close([pattern], origin)).toBeGreaterThan(0);
	});

	test.each([
		['https://a.test', 'http://a.test'],
		['https://a.test', 'https://a.test:8443'],
		['https://a.test', 'https://b.a.test'],
		['https://*.bank.test', 'https://bank.test'],
		['https://*.bank.test', 'https://evilbank.test'],
		['https://*.bank.test', 'https://a.bank.test.evil.test'],
		['https://*.bank.test', 'https://a.bank.test:8443'],
		['https://*.bank.test:8443', 'https://a.bank.test'],
		['https://*.bank.test', 'http://a.bank.test'],
	])('an origin is not matched by %s: %s', (pattern, origin) => {
		expect(close([pattern], origin)).toBe(0);
	});
});

test('the dot at the end of a name makes it another origin', () => {
	expect(close(['https://a.test', 'https://*.test'], 'https://a.test.')).toBe(0);
});

test('word for word is closer than a wildcard, and a longer one closer than a shorter', () => {
	const origin = 'https://a.x.bank.test';
	const [exact, long, short] = [origin, 'https://*.x.bank.test', 'https://*.bank.test'].map(
		(pattern) => close([pattern], origin),
	);
	expect(exact).toBeGreaterThan(long ?? 0);
	expect(long).toBeGreaterThan(short ?? 0);
	expect(close(['https://*.bank.test', 'https://*.x.bank.test'], origin)).toBe(long);
});

test('two different patterns never match one origin equally well', () => {
	const label = fc.constantFrom('a', 'b', 'bank', 'test', 'x');
	const name = fc.array(label, {minLength: 1, maxLength: 4}).map((labels) => labels.join('.'));
	const port = fc.constantFrom('', ':8443');
	const host = fc.tuple(name, port).map((parts) => parts.join(''));
	const pattern = fc
		.oneof(
			host,
			host.map((text) => `*.${text}`),
		)
		.map((text) => `https://${text}`);
	fc.assert(
		fc.property(pattern, pattern, host, (one, two, suffix) => {
			fc.pre(one !== two);
			const origin = `https://${suffix}`;
			const specificity = close([one], origin);
			fc.pre(specificity > 0);
			expect(close([two], origin)).not.toBe(specificity);
		}),
	);
});

test.each([
	'http://a.test',
	'https://a.test/path',
	'https://a.test?query',
	'https://user@a.test',
	'https://:password@a.test',
	'https://a.test#fragment',
	'https://*',
	'https://*:8443',
	// Of which only the dot at the end of any name would be left.
	'https://*.',
	'https://a.*.test',
	'https://*.*.test',
	'https://*a.test',
])('the text %s is not an origin', (text) => {
	expect(() => parseOrigins([text])).toThrow(
		expect.objectContaining({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'mtls.origins',
			message: expect.stringContaining('expected an origin such as https://api.bank.example'),
		}),
	);
});

test.each([
	['bank', 'https://bank'],
	['*.bank.test', 'https://*.bank.test'],
	['api.bank.test:8443', 'https://api.bank.test:8443'],
])('the text %s is refused, and %s is named', (text, origin) => {
	expect(() => parseOrigins([text])).toThrow(
		expect.objectContaining({
			code: 'ERR_MTLS_BAD_OPTION',
			message: `mtls.origins: expected an origin such as ${origin}, found '${text}'`,
		}),
	);
});
