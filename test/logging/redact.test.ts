import {inspect} from 'node:util';
import {AxiosError, AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
	hideSecrets,
	redactConfig,
	redactHeaders,
	redactInvalidUrl,
	redactJsonMessage,
} from '../../src/logging/redact.ts';
import {redactUrl} from '../../src/util/redact-url.ts';
import {printedForms} from '../support/printed-forms.ts';

describe('a URL', () => {
	test.each([
		['https://bank.example/', 'https://bank.example/'],
		['https://bank.example:8443/a/b;c', 'https://bank.example:8443/a/b;c'],
		['https://bank.example/@scope/name', 'https://bank.example/@scope/name'],
		['/accounts', '/accounts'],
		['accounts/7', 'accounts/7'],
		['', ''],
	])('a URL without a secret stays as it is: %s', (url, told) => {
		expect(redactUrl(url)).toBe(told);
	});

	test.each([
		['/a?token=S&b=S', '/a?token=[redacted]&b=[redacted]'],
		['/a?b=S=S', '/a?b=[redacted]'],
		['/a?S', '/a?[redacted]'],
		['/a?&b=S&', '/a?&b=[redacted]&'],
		['/a?b=?S', '/a?b=[redacted]'],
		['/a?', '/a?'],
		['https://bank.example/#access_token=S', 'https://bank.example/'],
		['https://bank.example/?a=S#S', 'https://bank.example/?a=[redacted]'],
		['/a#S?S', '/a'],
	])('a redacted URL shows no value of a query and no fragment: %s', (url, told) => {
		expect(redactUrl(url)).toBe(told);
	});

	// The spellings are those in which the WHATWG URL parser finds credentials.
	test.each([
		['https://user:S@bank.example/a', 'https://bank.example/a'],
		['https://S@bank.example/a', 'https://bank.example/a'],
		['https://:S@bank.example/a', 'https://bank.example/a'],
		['https://user:S@S@bank.example/', 'https://bank.example/'],
		['https://user:S%40S@bank.example/?q=S', 'https://bank.example/?q=[redacted]'],
		['HTTPS://user:S@bank.example/', 'https://bank.example/'],
		['  https://user:S@bank.example/', 'https://bank.example/'],
		['ht\ntps://user:S@bank.example/', 'https://bank.example/'],
		['https:\\\\user:S@bank.example\\a', 'https://bank.example/a'],
		['https:user:S@bank.example', 'https://bank.example/'],
		['//user:S@bank.example/a', '//bank.example/a'],
		['http://user:S@[::1]:80/', 'http://[::1]/'],
		['ftp://user:S@bank.example/', 'ftp://bank.example/'],
	])('a redacted URL shows no credentials: %j', (url, told) => {
		expect(redactUrl(url)).toBe(told);
	});

	test.each([
		['https://user:S/S@bank.example/', 'https:[redacted]'],
		['https://user:S#S@bank.example/', 'https:[redacted]'],
		['https://user:S@bank.example:99999/', 'https:[redacted]'],
		['//user:S@:1', '[redacted]'],
		['data:text/plain,S', 'data:[redacted]'],
	])('an invalid URL is not shown where it may hold credentials: %s', (url, told) => {
		expect(redactUrl(url)).toBe(told);
	});
});

describe('headers', () => {
	test('redacted headers keep their names, and the values of a few', () => {
		const headers = new AxiosHeaders({
			Accept: 'application/json',
			'Content-Type': 'text/plain',
			'USER-AGENT': 'app/1',
			Authorization: 'Bearer S',
			Cookie: 'a=S',
			'X-Api-Key': 'S',
			'X-List': ['S', 'S'],
			'X-None': null,
		});
		expect(redactHeaders(headers)).toEqual({
			Accept: 'application/json',
			'Content-Type': 'text/plain',
			'USER-AGENT': 'app/1',
			Authorization: '[redacted]',
			Cookie: '[redacted]',
			'X-Api-Key': '[redacted]',
			'X-List': '[redacted]',
		});
	});
});

const secret = 'MARK-7f3a';

function config(): InternalAxiosRequestConfig {
	const config = {
		method: 'post',
		url: `/login?token=${secret}`,
		baseURL: `https://alice:${secret}@bank.example`,
		timeout: 5000,
		headers: new AxiosHeaders({Authorization: `Bearer ${secret}`, Accept: '*/*'}),
		data: {password: secret},
		params: {token: secret},
		auth: {username: 'alice', password: secret},
		proxy: {host: 'proxy.test', port: 1, auth: {username: 'alice', password: secret}},
		httpsAgent: {options: {key: secret, passphrase: secret}},
		env: {secret},
		// What a later axios, or an app, puts there.
		somethingNew: secret,
	};
	return config as InternalAxiosRequestConfig;
}

test('a redacted config keeps the fields that explain a failure, and nothing else', () => {
	expect(redactConfig(config())).toEqual({
		method: 'post',
		url: '/login?token=[redacted]',
		baseURL: 'https://bank.example/',
		timeout: 5000,
		headers: {Authorization: '[redacted]', Accept: '*/*'},
	});
});

describe('an error', () => {
	function failed(): AxiosError {
		const given = config();
		const response = {
			status: 401,
			statusText: 'Unauthorized',
			data: {echo: secret},
			headers: {'set-cookie': [secret]},
			config: given,
		};
		return new AxiosError('it failed', 'ERR_BAD_REQUEST', given, {headers: secret}, response);
	}

	test('the error under test is full of secrets before they are hidden', () => {
		expect(printedForms(failed())).toContain(secret);
	});

	test('a redacted error prints no secret', () => {
		const printed = printedForms(hideSecrets(failed()));
		expect(printed).not.toContain(secret);
		expect(printed).toContain('it failed');
		expect(printed).toContain('ERR_BAD_REQUEST');
		expect(printed).toContain('401');
		expect(printed).toContain('/login?token=[redacted]');
		expect(printed).toContain('redact.test.ts');
	});

	test('a redacted error prints no secret from inside other values either', () => {
		const error = hideSecrets(failed());
		const wrapped = new Error('wrapped', {cause: error});
		for (const value of [[error], new Map([['error', error]]), new AggregateError([error], 'x')]) {
			expect(inspect(value, {depth: 8, showHidden: true})).not.toContain(secret);
			expect(JSON.stringify(value)).not.toContain(secret);
		}
		expect(inspect(wrapped, {depth: 8, showHidden: true})).not.toContain(secret);
	});

	test('a redacted error keeps its fields for code to read, and for a retry', () => {
		const error = hideSecrets(failed());
		expect(error).toBeInstanceOf(AxiosError);
		expect(error.config?.headers.Authorization).toBe(`Bearer ${secret}`);
		expect(error.config?.auth?.password).toBe(secret);
		expect(error.config?.data).toEqual({password: secret});
		expect(error.response?.data).toEqual({echo: secret});
	});

	test.each([
		['frozen', Object.freeze],
		['sealed', Object.seal],
	])('an error that is %s stays the one that it is', (_, fix) => {
		const error = fix(failed());
		expect(hideSecrets(error)).toBe(error);
	});

	test('an error is redacted twice without harm', () => {
		const error = failed();
		expect(hideSecrets(hideSecrets(error))).toBe(error);
		expect(printedForms(error)).not.toContain(secret);
	});

	test('a redacted error serialises to what it prints', () => {
		const error = hideSecrets(failed());
		expect(JSON.parse(JSON.stringify(error))).toEqual({
			name: 'AxiosError',
			message: 'it failed',
			code: 'ERR_BAD_REQUEST',
			status: 401,
			config: redactConfig(config()),
			stack: error.stack,
		});
	});
});

function messageOf(body: string): string {
	try {
		JSON.parse(body);
	} catch (error) {
		return (error as Error).message;
	}
	return '';
}

describe('the message for a text that is no JSON', () => {
	test.each([
		['', 'Unexpected end of JSON input'],
		['{"a":', 'Unexpected end of JSON input'],
		['{a:1}', "Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
		['"\n', 'Bad control character in string literal in JSON at position 1 (line 1 column 2)'],
		['1 2', 'Unexpected non-whitespace character after JSON at position 2 (line 1 column 3)'],
	])('a JSON error message that quotes nothing stays as it is: %j', (body, message) => {
		expect(messageOf(body)).toBe(message);
		expect(redactJsonMessage(message)).toBe(message);
	});

	test.each([
		['<p>S</p>', `Unexpected token '<', "[redacted]" is not valid JSON`],
		['{"a": 1, "b": S and so much more that it is cut', /^Unexpected token 'S', \.\.\."\[red/],
		[
			'"S": "S" <',
			'Unexpected non-whitespace character after JSON at position 3 (line 1 column 4)',
		],
		['[""', "Expected ',' or ']' after array element in JSON at position 3 (line 1 column 4)"],
		['\n"', /^Unterminated string in JSON at position 2/],
		['undefined', `"[redacted]" is not valid JSON`],
	])('quotes nothing of %j', (body, message) => {
		expect(redactJsonMessage(messageOf(body))).toMatch(message);
	});

	test('a JSON error message quotes no more than one character of any text', () => {
		const part = fc.oneof(
			fc.string({unit: 'binary'}),
			fc.json(),
			fc.constantFrom('"', "'", ', "', '..."', 'is not valid JSON', '\n', '{', '['),
		);
		fc.assert(
			fc.property(fc.array(part), fc.array(part), (before, after) => {
				const body = [...before, 'hunter2', ...after].join('');
				expect(redactJsonMessage(messageOf(body))).not.toContain('hunter2');
			}),
		);
	});
});

test("Node's error of an invalid URL keeps its cause, and neither password nor query", () => {
	const error = caughtFrom(() => new URL('https://alice:S@bank.example:99999/a?b=S'));
	redactInvalidUrl(error);
	expect(error).toMatchObject({code: 'ERR_INVALID_URL', message: 'Invalid URL'});
	expect((error as {input?: string}).input).toBe('https:[redacted]');

	const relative = caughtFrom(() => new URL('//[bad/?a=S', 'https://alice:S@bank.example'));
	redactInvalidUrl(relative);
	expect(relative).toMatchObject({input: '//[bad/?a=[redacted]', base: 'https://bank.example/'});

	const other = Object.assign(new Error('x'), {input: 'S'});
	redactInvalidUrl(other);
	expect(other.input).toBe('S');
});

function caughtFrom(make: () => unknown): unknown {
	try {
		make();
	} catch (error) {
		return error;
	}
	throw new Error('it was accepted');
}
