import {expect, test} from 'vitest';
import {knownOptions} from '../../src/exchange/axios/needs-axios.ts';
import {createClient, MtlsConfigError} from '../../src/index.ts';
import {assertNoneMisspelt} from '../../src/util/check-options.ts';

const own = [
	'mtls',
	'maxIdentities',
	'maxSockets',
	'maxTotalSockets',
	'jar',
	'cookies',
	'allowInsecureRedirects',
	'timeouts',
	'session',
	'logger',
];

const otherNames = new Map([
	['cookiejar', 'jar'],
	['ssl', 'mtls'],
]);
const check = (name: string, value: unknown = true) =>
	assertNoneMisspelt({[name]: value}, own, otherNames);

function expectMeant(name: string, option: string): void {
	expect(() => check(name)).toThrow(MtlsConfigError);
	expect(() => check(name)).toThrow(
		expect.objectContaining({
			code: 'ERR_MTLS_UNKNOWN_OPTION',
			option: name,
			message: `${name}: no such option: did you mean \`${option}\`?`,
		}),
	);
}

/** Another name with each letter left out, doubled and swapped with the next one. */
function misspellings(name: string): string[] {
	return [...name].flatMap((letter, index) => {
		const [before, after] = [name.slice(0, index), name.slice(index + 1)];
		return [before + after, before + letter + letter + after].concat(
			after === '' ? [] : before + after.charAt(0) + letter + after.slice(1),
		);
	});
}

test.each(own)('each misspelling of %s by one letter is refused, and itself is kept', (option) => {
	expect(() => check(option)).not.toThrow();
	const names = misspellings(option).filter((name) => name !== option && name !== 'timeout');
	expect(names.length).toBeGreaterThan(2 * option.length - 1);
	for (const name of names) expectMeant(name, option);
	expectMeant(option.toUpperCase(), option);
});

test.each([
	['maxSokcet', 'maxSockets'],
	['max_sockets', 'maxSockets'],
	['max-total-sockets', 'maxTotalSockets'],
	['allowUnsecureRedirect', 'allowInsecureRedirects'],
	['cookiejar', 'jar'],
	['cookie_jar', 'jar'],
	['SSL', 'mtls'],
])('the name %s is refused as %s', expectMeant);

test('each option of axios is kept', () => {
	expect(knownOptions.size).toBeGreaterThan(45);
	for (const name of knownOptions) {
		expect(() => check(name), name).not.toThrow();
	}
});

// axios-retry, axios-cache-interceptor, retry-axios, axios-auth-refresh, axios-rate-limit, axios-logger,
// and what apps keep in the config.
test.each([
	'axios-retry',
	'id',
	'cache',
	'override',
	'raxConfig',
	'skipAuthRefresh',
	'maxRequests',
	'perMilliseconds',
	'maxRPS',
	'metadata',
	'meta',
	'_retry',
	'retry',
	'retries',
	'requestId',
	'version',
	'sessionId',
	'tags',
	'bar',
	'car',
	'html',
	'log',
	'maxAge',
	'allowRedirects',
])('the name %s of a plug-in or an app is kept', (name) => {
	expect(() => check(name)).not.toThrow();
	expect(() => createClient({[name]: 1})).not.toThrow();
});

test('a misspelt option without a value is kept, as any other without one', () => {
	expect(() => assertNoneMisspelt({mtl: undefined}, own, otherNames)).not.toThrow();
	expect(() => check('mtl', null)).toThrow(MtlsConfigError);
});
