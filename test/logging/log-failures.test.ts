import {AxiosError, AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {describe, expect, test} from 'vitest';
import type {CertificateFacts} from '../../src/facts.ts';
import {MtlsConfigError, MtlsError, type MtlsFailure} from '../../src/index.ts';
import {failureFields, failureLevel, failureMessage} from '../../src/logging/log-failures.ts';

function config(values: object): InternalAxiosRequestConfig {
	return {headers: new AxiosHeaders(), ...values} as InternalAxiosRequestConfig;
}

function answered(status: number): AxiosError {
	const asked = config({method: 'post', url: '/login', baseURL: 'https://bank.example/api/'});
	const response = {status, statusText: '', data: '', headers: {}, config: asked};
	return new AxiosError(
		`Request failed with status code ${status}`,
		'ERR_BAD_REQUEST',
		asked,
		{},
		response,
	);
}

const peer: CertificateFacts = {
	subject: 'CN=bank.example',
	issuer: 'CN=Bank CA',
	altNames: ['DNS:bank.example'],
	validFrom: '2024-01-01T00:00:00.000Z',
	validTo: '2024-02-01T00:00:00.000Z',
	fingerprint256: 'AA:BB',
	pin: 'sha256//AAAA',
	caIssuers: [],
};
const failure: MtlsFailure = {
	kind: 'expired',
	phase: 'verify',
	side: 'server',
	certain: true,
	host: 'bank.example',
	port: 443,
	servername: 'bank.example',
	url: 'https://bank.example/second?q=[redacted]',
	protocol: 'TLSv1.3',
	clientCertificateRequested: true,
	peer,
	chain: [peer, peer],
	identity: {...peer, subject: 'CN=client'},
	reasons: ['one', 'two'],
	hint: 'do this',
};
const mtlsError = new MtlsError('it expired', {
	failure,
	code: 'CERT_HAS_EXPIRED',
	config: config({method: 'get', url: 'https://bank.example/first'}),
});

describe('the level', () => {
	test('the level is a warning for a failed response, and an error for a failed connection', () => {
		expect(failureLevel(answered(401))).toBe('warn');
		expect(failureLevel(answered(503))).toBe('warn');
		expect(failureLevel(new AxiosError('refused', 'ECONNREFUSED'))).toBe('error');
		expect(failureLevel(mtlsError)).toBe('error');
	});
});

describe('an answer that was not wanted', () => {
	test('a failed response is logged with method, URL, code and status', () => {
		expect(failureFields(answered(401))).toEqual({
			event: 'request_failed',
			method: 'POST',
			url: 'https://bank.example/api/login',
			code: 'ERR_BAD_REQUEST',
			status: 401,
		});
		expect(failureMessage(answered(401))).toBe(
			'POST https://bank.example/api/login failed: Request failed with status code 401',
		);
	});
});

describe('a connection that failed', () => {
	test('a failed connection is logged with its facts, with the hop that failed and without the chain', () => {
		const {pin, caIssuers, ...told} = peer;
		const {chain, peer: _, identity, ...facts} = failure;
		expect(failureFields(mtlsError)).toEqual({
			...facts,
			event: 'connection_failed',
			method: 'GET',
			code: 'CERT_HAS_EXPIRED',
			peer: told,
			identity: {...told, subject: 'CN=client'},
		});
		expect(failureMessage(mtlsError)).toBe(
			'GET https://bank.example/second?q=[redacted] failed: it expired. What to do: do this',
		);
	});

	test('the logged fields of a failed connection are plain data', () => {
		const fields = failureFields(mtlsError);
		expect(JSON.parse(JSON.stringify(fields))).toEqual(fields);
	});

	test('a failed connection without client certificate is logged with null for it', () => {
		const error = new MtlsError('x', {failure: {...failure, identity: null}, code: 'X'});
		expect(failureFields(error)).toMatchObject({identity: null});
	});
});

describe('the URL', () => {
	test.each([
		[{url: '/a', baseURL: 'https://b.test'}, 'https://b.test/a'],
		[{url: 'a', baseURL: 'https://b.test/'}, 'https://b.test/a'],
		[{url: '', baseURL: 'https://b.test/c'}, 'https://b.test/c'],
		[{url: 'https://c.test/', baseURL: 'https://b.test'}, 'https://c.test/'],
		[{url: '//c.test/', baseURL: 'https://b.test'}, '//c.test/'],
		[{url: '/a?t=S', baseURL: 'https://u:S@b.test'}, 'https://b.test/a?t=[redacted]'],
		[{url: 'https://u:S@c.test/'}, 'https://c.test/'],
		[{url: '/a', params: {token: 'S'}}, '/a'],
	])('the URL of %j is logged as %s', (values, url) => {
		const error = new AxiosError('x', 'X', config({method: 'get', ...values}));
		expect(failureFields(error).url).toBe(url);
		expect(failureMessage(error)).toBe(`GET ${url} failed: x`);
	});
});

describe('what failed before it was a request', () => {
	test.each([
		['a mistake', new MtlsConfigError('ERR_MTLS_AGENT_CONFLICT', 'httpsAgent', 'not both')],
		[
			'an error of an interceptor of the app',
			new AxiosError('not both', 'ERR_MTLS_AGENT_CONFLICT'),
		],
	])('a failure of %s is logged without method and URL', (_, error) => {
		expect(failureFields(error as AxiosError)).toEqual({
			event: 'request_failed',
			code: 'ERR_MTLS_AGENT_CONFLICT',
		});
		expect(failureMessage(error as AxiosError)).toBe(`request failed: ${error.message}`);
	});
});

describe('the names of a certificate', () => {
	const fieldsWith = (altNames: string[]) =>
		failureFields(
			new MtlsError('it expired', {
				failure: {...failure, peer: {...peer, altNames}},
				code: 'CERT_HAS_EXPIRED',
				config: config({}),
			}),
		).peer as {altNames: string[]};
	const names = (count: number) => Array.from({length: count}, (_, i) => `DNS:${i}.test`);

	// Seen: anyone on the way, with a certificate of 2,000 names, had 90 kB logged for each failure.
	test.each([
		[19, 19],
		[20, 20],
		[21, 21],
		[2_000, 21],
	])('a certificate with %i names is logged with %i entries', (count, entries) => {
		const {altNames} = fieldsWith(names(count));
		expect(altNames).toHaveLength(entries);
		expect(altNames.slice(0, 19)).toEqual(names(19));
		expect(altNames.at(-1)).toBe(count > 20 ? `and ${count - 20} more` : `DNS:${count - 1}.test`);
	});

	test.each([255, 256, 257])(
		'a name of %i characters is logged with 256 of them at most',
		(length) => {
			const {altNames} = fieldsWith(['x'.repeat(length)]);
			expect(altNames[0]).toHaveLength(Math.min(length, 256));
		},
	);
});
