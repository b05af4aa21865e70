import {inspect} from 'node:util';
import axios, {AxiosError, isAxiosError} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {
	createClient,
	isMtlsError,
	MtlsConfigError,
	MtlsError,
	type MtlsFailure,
	withMtls,
} from '../src/index.ts';
import {hideSecrets} from '../src/logging/redact.ts';
import {type Credential, createTestPki} from '../src/testing/index.ts';
import {configRefusal} from './support/config-refusal.ts';

let client: Credential;
beforeAll(async () => {
	client = await (await createTestPki()).client();
});

const failure: MtlsFailure = {
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

describe('MtlsError', () => {
	const cause = new Error('of Node');
	const error = new MtlsError('it failed', {failure, code: 'CERT_HAS_EXPIRED', cause});

	test('an MtlsError is an AxiosError with the code of Node, the cause and the facts', () => {
		expect(error).toBeInstanceOf(AxiosError);
		expect(isAxiosError(error)).toBe(true);
		expect(axios.isCancel(error)).toBe(false);
		expect(error).toMatchObject({
			name: 'MtlsError',
			code: 'CERT_HAS_EXPIRED',
			message: 'it failed',
		});
		expect(error.failure).toBe(failure);
		expect(error.cause).toBe(cause);
	});

	test('the summary is the message without the hint, also after an app has reworded it', () => {
		const hinted = {...failure, hint: 'renew it'};
		const reworded = new MtlsError('it failed', {failure: hinted, code: 'CERT_HAS_EXPIRED'});
		expect(reworded.message).toBe('it failed. What to do: renew it');
		expect(reworded.summary).toBe('it failed');
		reworded.message = `bank: ${reworded.message}`;
		expect(reworded.summary).toBe('bank: it failed');
	});

	test.each([
		['undefined', undefined],
		['null', null],
		['a number', 42],
		['an object', {detail: 'no'}],
		['a symbol', Symbol('x')],
		['an object without a prototype', Object.create(null)],
	])(
		'an error whose message an app has replaced by %s is printed, and keeps its summary',
		(_, message) => {
			for (const make of [
				() => new MtlsError('it failed', {failure, code: 'CERT_HAS_EXPIRED'}),
				() => new AxiosError('it failed', 'ERR_BAD_REQUEST'),
			]) {
				const replaced = Object.assign(hideSecrets(make()), {message});
				expect(JSON.parse(JSON.stringify(replaced)).name).toBe(replaced.name);
				expect(inspect(replaced)).toMatch(/^(Mtls|Axios)Error: /);
				expect(inspect({a: {b: {c: replaced}}})).toMatch(/(Mtls|Axios)Error: /);
				if (replaced instanceof MtlsError) {
					expect(replaced.summary).toBe('it failed');
					expect(inspect(replaced)).toContain('it failed');
				}
			}
			const unlike = Object.assign(new AxiosError('it failed'), {message: {detail: 'no'}});
			expect(inspect(hideSecrets(unlike))).toContain("detail: 'no'");
		},
	);

	test('an error whose fields were broken is printed by its stack', () => {
		const broken = hideSecrets(new MtlsError('it failed', {failure, code: 'CERT_HAS_EXPIRED'}));
		expect(broken.stack).toMatch(/^(Mtls)?Error: it failed/);
		Object.assign(broken, {failure: {}});
		expect(inspect(broken)).toBe(broken.stack);
		Object.assign(broken, {failure: undefined});
		expect(broken.summary).toBe('it failed');
	});

	test('the cause of an MtlsError is not enumerable', () => {
		expect(Object.keys(error)).not.toContain('cause');
	});

	test.each([
		['undefined', undefined],
		['null', null],
		['text', 'MtlsError'],
		['an error', new Error('x')],
		['an AxiosError', new AxiosError('x')],
		['an object of that name', {name: 'MtlsError', failure}],
		['a mistake in the options', new MtlsConfigError('ERR_MTLS_NOT_PEM', 'mtls.ca', 'x')],
	])('isMtlsError() is false for %s', (_, value) => {
		expect(isMtlsError(value)).toBe(false);
	});
});

describe('MtlsConfigError', () => {
	test('an MtlsConfigError names the option first, and is no AxiosError', () => {
		const cause = new Error('of OpenSSL');
		const error = new MtlsConfigError('ERR_MTLS_NOT_PEM', 'mtls.ca', 'expected PEM', cause);
		expect(error).toMatchObject({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_NOT_PEM',
			option: 'mtls.ca',
			message: 'mtls.ca: expected PEM',
		});
		expect(error.cause).toBe(cause);
		expect(isAxiosError(error)).toBe(false);
		expect(error).not.toBeInstanceOf(AxiosError);
	});
});

describe('mistakes in the options', () => {
	const secret = 'MARK-not-to-be-told';
	const unknown = 'ERR_MTLS_UNKNOWN_OPTION';
	const bad = 'ERR_MTLS_BAD_OPTION';

	test.each<[string, unknown, string, string, RegExp]>([
		[
			'an unknown option',
			{certificate: secret},
			'mtls.certificate',
			unknown,
			/known are cert, key/,
		],
		[
			'one of another case',
			{CA: secret},
			'mtls.CA',
			unknown,
			/: no such option: did you mean `ca`\?$/,
		],
		['an option of node:tls that is none', {secureContext: {}}, 'mtls.secureContext', unknown, /./],
		['rejectUnauthorized', {rejectUnauthorized: true}, 'mtls.rejectUnauthorized', unknown, /./],
		['no object', secret, 'mtls', bad, /expected an object, found a string$/],
		['null', null, 'mtls', bad, /expected an object, found null$/],
		['a list of none', [], 'mtls', bad, /an empty list/],
		['a passphrase that is a number', {passphrase: 7}, 'mtls.passphrase', bad, /found number$/],
		['a passphrase that is null', {passphrase: null}, 'mtls.passphrase', bad, /found null$/],
		['a servername that is a list', {servername: [secret]}, 'mtls.servername', bad, /an array$/],
		['an empty servername', {servername: ''}, 'mtls.servername', bad, /found an empty string$/],
		['ciphers that are a list', {ciphers: [secret]}, 'mtls.ciphers', bad, /found an array$/],
		['empty ciphers', {ciphers: ' '}, 'mtls.ciphers', bad, /found an empty string$/],
		[
			'ciphers that OpenSSL does not know',
			{ciphers: 'NONE'},
			'mtls.ciphers',
			bad,
			/NO_CIPHER_MATCH/,
		],
		['a version in other words', {minVersion: 'TLS1.2'}, 'mtls.minVersion', bad, /found 'TLS1.2'$/],
		['a version that is none', {maxVersion: secret}, 'mtls.maxVersion', bad, /found a string$/],
		['a version that is a number', {maxVersion: 1.3}, 'mtls.maxVersion', bad, /found number$/],
		['SSL 3', {minVersion: 'SSLv3'}, 'mtls.minVersion', bad, /found 'SSLv3'$/],
		[
			'a floor above the ceiling',
			{minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2'},
			'mtls.minVersion',
			bad,
			/expected no more than maxVersion \(TLSv1\.2\), found 'TLSv1\.3'$/,
		],
		[
			'a ceiling below the floor that holds without one',
			{maxVersion: 'TLSv1.1'},
			'mtls.maxVersion',
			bad,
			/expected TLSv1\.2 or more, .*, found 'TLSv1\.1'$/,
		],
		['origins that are text', {origins: secret}, 'mtls.origins', bad, /found a string$/],
		['origins that are no text', {origins: [7]}, 'mtls.origins', bad, /a list of strings/],
		['an origin that is none', {origins: ['bank']}, 'mtls.origins', bad, /found 'bank'$/],
		['an origin of http', {origins: ['http://a.test']}, 'mtls.origins', bad, /expected an origin/],
		['an origin with a path', {origins: ['https://a.test/b']}, 'mtls.origins', bad, /an origin/],
		['allowExpired in words', {allowExpired: 'yes'}, 'mtls.allowExpired', bad, /true or false/],
		['cert that is true', {cert: true}, 'mtls.cert', bad, /found boolean$/],
		[
			'key that is null',
			{key: null, cert: ''},
			'mtls.cert',
			'ERR_MTLS_NOT_PEM',
			/an empty string$/,
		],
	])('a mistake in the options is refused: %s', (_, mtls, option, code, message) => {
		const origins = typeof mtls === 'object' && mtls !== null && 'origins' in mtls;
		const error = origins ? clientRefusal({mtls}) : configRefusal(mtls, [secret]);
		expect(error).toMatchObject({option, code});
		expect(error.message).toMatch(message);
		expect(error.message).not.toContain(secret);
	});

	test('minVersion and maxVersion may be equal', () => {
		for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
			const mtls = {minVersion: version, maxVersion: version};
			expect(createClient({mtls}).mtls.identity).toBeNull();
		}
	});

	test('a key that is null is refused though the certificate is good', () => {
		expect(configRefusal({cert: client.cert, key: null}, [client.key])).toMatchObject({
			option: 'mtls.key',
			code: bad,
		});
	});

	test.each<[string, unknown, string, string]>([
		['a logger that cannot tell', {logger: {}}, 'logger', bad],
		['a text for a yes or no', {allowInsecureRedirects: 'false'}, 'allowInsecureRedirects', bad],
		['no logger, said as null', {logger: null}, 'logger', bad],
		[
			'an agent of the app beside mtls',
			{mtls: {}, httpsAgent: {}},
			'httpsAgent',
			'ERR_MTLS_AGENT_CONFLICT',
		],
	])('createClient refuses %s', (_, config, option, code) => {
		expect(clientRefusal(config)).toMatchObject({option, code});
	});

	test('an unknown option of withMtls leaves the instance as it was', () => {
		const instance = axios.create();
		const {adapter} = instance.defaults;
		const options = {mtsl: {}};

		expect(() => withMtls(instance, options as object)).toThrow(
			expect.objectContaining({name: 'MtlsConfigError', option: 'mtsl', code: unknown}),
		);
		expect(instance.defaults.adapter).toBe(adapter);
		expect(instance).not.toHaveProperty('mtls');
	});

	function clientRefusal(config: unknown): MtlsConfigError {
		try {
			createClient(config as object);
		} catch (error) {
			if (error instanceof MtlsConfigError) return error;
			throw error;
		}
		throw new Error('it was accepted');
	}
});
