import {describe, expect, test} from 'vitest';
import {MtlsConfigError, type MtlsOptions} from '../../src/index.ts';
import {readMtlsOptions} from '../../src/tls/tls-options.ts';

/** As JavaScript gives them. */
const check = (options: unknown) => () => readMtlsOptions(options);

function expectRefused(options: unknown, code: string, option: string, found: string): void {
	expect(check(options)).toThrow(MtlsConfigError);
	expect(check(options)).toThrow(
		expect.objectContaining({code, option, message: expect.stringContaining(found)}),
	);
}

test.each<[string, object]>([
	['nothing', {}],
	['what is undefined', {verify: undefined, minVersion: undefined, requireClientAuth: undefined}],
	['each verify', {verify: 'strict'}],
	['each verify', {verify: 'report'}],
	['both flags', {requireClientAuth: false, allowExpired: true}],
	['a SPIFFE ID', {spiffeId: 'spiffe://example.org'}],
	['a passphrase', {passphrase: 'secret'}],
	['a function for it', {passphrase: () => 'secret'}],
	['one version', {minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3'}],
	['an old version that is asked for', {minVersion: 'TLSv1', maxVersion: 'TLSv1.1'}],
	['the floor as the ceiling', {maxVersion: 'TLSv1.2'}],
	['origins', {origins: ['https://bank.example']}],
	['a loader', {identity: () => ({})}],
	['an object that loads', {identity: {load() {}}}],
	['each way to reload', {reload: true}],
	['each way to reload', {reload: false}],
	['each way to reload', {reload: {}}],
	['the shortest interval', {reload: {everyMs: 1}}],
	['the longest interval', {reload: {everyMs: 2 ** 31 - 1}}],
])('the TLS option %s is passed on: %j', (_, options) => {
	expect(check(options)).not.toThrow();
});

describe('the first mistake is told by its path', () => {
	test.each([undefined, null, 'client.pem', 1, [], [{}]])(
		'the value %j for `mtls` is refused as no object',
		(options) => {
			expectRefused(options, 'ERR_MTLS_BAD_OPTION', 'mtls', 'expected an object');
		},
	);

	test.each([
		['CA', 'did you mean `ca`?'],
		['pin', 'did you mean `pins`?'],
		['rejectUnauthorized', 'verification cannot be switched off'],
		['toString', 'known are cert, key,'],
		['constructor', 'known are cert, key,'],
		['__proto__x', 'known are cert, key,'],
	])('the name %s is refused as an unknown option', (name, help) => {
		expectRefused({[name]: true}, 'ERR_MTLS_UNKNOWN_OPTION', `mtls.${name}`, help);
	});

	test.each<[keyof MtlsOptions, unknown, string]>([
		['verify', 'off', "found 'off'"],
		['verify', 'repot', "found 'repot'"],
		['verify', false, 'found boolean'],
		['verify', null, 'found null'],
		['verify', 'Report', "found 'Report'"],
		['requireClientAuth', 'true', "found 'true'"],
		['requireClientAuth', 1, 'found number'],
		['requireClientAuth', null, 'found null'],
		['allowExpired', 0, 'found number'],
		['spiffeId', '', 'found an empty string'],
		['spiffeId', ['spiffe://example.org'], 'found an array'],
		['servername', ' ', 'found an empty string'],
		['servername', false, 'found boolean'],
		['ciphers', '', 'found an empty string'],
		['passphrase', Buffer.from('x'), 'found object'],
		['passphrase', null, 'found null'],
		['minVersion', 'TLSv1.4', "found 'TLSv1.4'"],
		['minVersion', 'SSLv3', "found 'SSLv3'"],
		['minVersion', '1.2', "expected TLSv1.2 or TLSv1.3, found '1.2'"],
		['maxVersion', 'tls1.3', "found 'tls1.3'"],
		['maxVersion', 1.3, 'found number'],
		['identity', 'vault', 'found a string'],
		['identity', {}, 'found object'],
		['reload', 'yes', "found 'yes'"],
		['reload', 5, 'found number'],
		['reload', null, 'found null'],
		['reload', {every: 5}, 'found object'],
		['reload', {everyMs: 0}, 'found object'],
		['reload', {everyMs: 2 ** 31}, 'found object'],
		['reload', {everyMs: '5'}, 'found object'],
		['maxVersion', 'hunter2', 'found a string'],
		['origins', 'https://bank.example', 'found a string'],
		['origins', [new URL('https://bank.example')], 'found an array'],
	])('the first mistake is reported by its path: %s is %j', (option, value, found) => {
		expectRefused({[option]: value}, 'ERR_MTLS_BAD_OPTION', `mtls.${option}`, found);
	});

	test('a range without a version names the option that is in the way', () => {
		const bad = 'ERR_MTLS_BAD_OPTION';
		expectRefused({maxVersion: 'TLSv1.1'}, bad, 'mtls.maxVersion', 'TLSv1.2 or more');
		expectRefused(
			{minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2'},
			bad,
			'mtls.minVersion',
			'no more than maxVersion (TLSv1.2)',
		);
	});

	test('a value in the wrong place is not printed: it may be a passphrase', () => {
		for (const option of ['verify', 'minVersion', 'requireClientAuth', 'origins', 'allowExpired']) {
			expect(check({[option]: 'hunter2'})).toThrow(
				expect.objectContaining({message: expect.not.stringContaining('hunter2')}),
			);
		}
	});
});
