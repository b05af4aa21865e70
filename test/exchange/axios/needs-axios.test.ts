import {readFileSync} from 'node:fs';
import http from 'node:http';
import {Readable} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	axiosOnly,
	http1NeedsAxios,
	knownOptions,
	needsAxios,
} from '../../../src/exchange/axios/needs-axios.ts';
import type {ExchangeInput} from '../../../src/exchange/exchange.ts';
import {joinHeaders} from '../../../src/exchange/node-messages.ts';
import {configOf, type HopConfig, hopOf} from '../../support/make-hop.ts';

type Config = ExchangeInput['config'];

/** Whether the connections of the client carry such a request over HTTP/1.1. */
function carried(config: HopConfig, {path}: {path?: string} = {}): boolean {
	const hop = hopOf(config);
	return !http1NeedsAxios({hop: path === undefined ? hop : {...hop, path}});
}

/** The keys of axios's own type, of the version that is installed. */
function axiosKeys(): string[] {
	const types = readFileSync(
		fileURLToPath(new URL('index.d.ts', import.meta.resolve('axios/package.json'))),
		'utf8',
	);
	const body = /^export interface AxiosRequestConfig<.*?^}/ms.exec(types)?.[0] ?? '';
	return Array.from(body.matchAll(/^ {2}(\w+)\??:/gm), ([, name = '']) => name);
}

/** The values of each option that need axios's adapter, and those that do not. */
const values: Readonly<
	Record<string, {axios: readonly unknown[]; client: readonly unknown[]; with?: object}>
> = {
	transport: {axios: [{request() {}}], client: [undefined, null, false]},
	httpAgent: {axios: [{}], client: [undefined, null, false]},
	httpsAgent: {axios: [{}], client: [undefined, null, false]},
	maxRate: {axios: [1, [1, 2]], client: [undefined, null, 0]},
	onUploadProgress: {axios: [() => {}], client: [undefined, null]},
	onDownloadProgress: {axios: [() => {}], client: [undefined, null]},
	insecureHTTPParser: {axios: [true, 1], client: [undefined, null, false]},
	http2Options: {
		axios: [{ca: 'pem'}, {createConnection() {}}],
		client: [undefined, {}, {sessionTimeout: 5}, {ca: undefined}],
		with: {httpVersion: 2},
	},
	httpVersion: {axios: [3, 'two', 1.1, Number.NaN, null], client: [undefined, 1, 2, '1', '2']},
	timeout: {axios: ['soon', {}], client: [undefined, null, '', 0, Number.NaN, 80, '80', '80ms']},
	socketPath: {axios: [{}, 5], client: [undefined, null, '', '/run/a.sock']},
};

describe('the options of axios', () => {
	const keys = axiosKeys();

	test('the options of axios are found in its types', () => {
		expect(keys.length).toBeGreaterThan(45);
		expect(keys).toContain('url');
		expect(keys).toContain('sensitiveHeaders');
	});

	test.each(keys)('the axios option %s is known', (key) => {
		expect(knownOptions).toContain(key);
	});

	test('each option that needs axios is listed with its reason, and tried here', () => {
		expect(axiosOnly.map(({option}) => option).sort()).toEqual(Object.keys(values).sort());
		for (const {reason} of axiosOnly) expect(reason).toMatch(/^(the|axios) [^.]+$/);
	});

	test.each(
		Object.entries(values).flatMap(([key, {axios, with: besides}]) =>
			axios.map((value) => ({key, value, besides})),
		),
	)('the option $key with $value needs the adapter of axios', ({key, value, besides}) => {
		expect(needsAxios({...configOf(), ...besides, [key]: value})).toBe(true);
	});

	test.each(
		Object.entries(values).flatMap(([key, {client, with: besides}]) =>
			client.map((value) => ({key, value, besides})),
		),
	)('the option $key with $value goes over the connections of the client', (given) => {
		const {key, value, besides} = given;
		expect(keys).toContain(key);
		expect(needsAxios({...configOf(), ...besides, [key]: value})).toBe(false);
	});

	test.each(keys.filter((key) => !(key in values)))(
		'the option %s never needs the adapter of axios',
		(key) => {
			for (const value of [{odd: 'value'}, 'document', 2, () => {}]) {
				expect(needsAxios({...configOf(), [key]: value})).toBe(false);
			}
		},
	);

	test('a socket path needs axios where only some are allowed', () => {
		const config = {...configOf(), socketPath: '/run/a.sock', allowedSocketPaths: []};
		expect(needsAxios(config)).toBe(true);
	});
});

describe('a key that is no option of axios', () => {
	const anything = [0, '', null, false, true, {}, () => {}];
	test.each(anything)('the value %j under a key of the app needs nothing special', (value) => {
		expect(needsAxios({...configOf(), metadata: value} as Config)).toBe(false);
	});

	test.each(anything)('the value %j under it needs axios with a newer axios', (value) => {
		expect(needsAxios({...configOf(), ofTheFuture: value} as Config, true)).toBe(true);
	});

	test('an undefined one needs nothing special with a newer axios', () => {
		const config = {...configOf(), ofTheFuture: undefined} as Config;
		expect(needsAxios(config, true)).toBe(false);
	});

	test('the key of a plugin that is not an identifier needs nothing special with a newer axios', () => {
		const config = {...configOf(), 'axios-retry': {}, '@scope/plugin': true} as Config;
		expect(needsAxios(config, true)).toBe(false);
	});

	test.each([
		'jar',
		'session',
		'timeouts',
		'localAddress',
		'allowInsecureRedirects',
		'skipAuthRefresh',
		'hasOwnProperty',
	])(
		'the option %s of this library or of a plugin needs nothing special with a newer axios',
		(key) => {
			expect(needsAxios({...configOf(), [key]: {}} as Config, true)).toBe(false);
		},
	);

	test.each(['toString', 'valueOf', 'constructor'])(
		'an option called %s is looked at as any other with a newer axios',
		(key) => {
			const config = {...configOf(), [key]: Object.prototype.hasOwnProperty} as Config;
			expect(needsAxios(config, true)).toBe(true);
		},
	);
});

test('a request goes to axios while somebody has replaced `http.request`', () => {
	const spy = vi.spyOn(http, 'request');
	expect(carried({})).toBe(false);
	spy.mockRestore();
	expect(carried({})).toBe(true);
});

test('a request is carried while an instrumentation wraps `http.request`, unless it wraps a mock', () => {
	const {request} = http;
	const wrap = (original: unknown) =>
		Object.assign(() => {}, {__wrapped: true, __original: original}) as unknown as typeof request;
	onTestFinished(() => {
		http.request = request;
	});
	for (const [replacement, isCarried] of [
		[wrap(request), true],
		[wrap(wrap(request)), true],
		[wrap(() => {}), false],
		[Object.assign(() => {}, {__wrapped: true}), false],
		[Object.assign(() => {}, {__original: request}), false],
	] as const) {
		http.request = replacement as typeof request;
		expect(carried({})).toBe(isCarried);
	}
});

describe('the request', () => {
	const bodies = [undefined, 'text', Buffer.from('x'), Readable.from([]), new Blob(['x']), 42];
	const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'MKCOL'];
	test.each(methods)('the request %s with any body is carried', (method) => {
		for (const data of bodies) expect(carried({method, data})).toBe(true);
	});

	test.each(['CONNECT', 'G T', 'GET\r\n', '\u00dc'])(
		'the request %j is left to axios',
		(method) => {
			expect(carried({method})).toBe(false);
		},
	);

	test.each([
		[{'X-Own': '1'}, true],
		[{Cookie: 'a=1'}, true],
		[{Authorization: 'Bearer t'}, true],
		[{'Proxy-Authorization': 'Basic x'}, true],
		[{Host: 'virtual.test'}, true],
		[{Host: ['a.test', 'b.test']}, false],
		[{connection: 'close'}, true],
		[{Connection: 'Keep-Alive'}, true],
		[{Connection: 'close, X-Own'}, false],
		[{'KEEP-ALIVE': 'x'}, false],
		[{'Transfer-Encoding': 'chunked'}, false],
		[{TE: 'trailers'}, true],
		[{Trailer: 'x'}, false],
		[{Upgrade: 'h2c'}, false],
		[{Expect: '100-continue'}, false],
		[{'Proxy-Connection': 'x'}, true],
		[{'X-List': ['a', 'b']}, true],
		[{Cookie: ['a=1', 'b=2']}, true],
		[{'Content-Length': '0'}, false],
	] as [Record<string, string | string[]>, boolean][])(
		'a request with the headers %j is carried: %s',
		(headers, expected) => {
			expect(carried({headers})).toBe(expected);
		},
	);

	test.each([
		['4', true],
		['5', false],
		['4.0', false],
	])('a request with Content-Length %s for four bytes is carried: %s', (length, expected) => {
		const headers = {'Content-Length': length};
		expect(carried({method: 'POST', data: 'body', headers})).toBe(expected);
		expect(carried({method: 'POST', data: '\u00e4\u00e4', headers})).toBe(expected);
	});

	test("a request whose body is to have no Content-Length is left to axios's adapter", () => {
		const hop = hopOf({method: 'POST', data: 'body'});
		hop.headers.set('Content-Length', false);
		expect(http1NeedsAxios({hop})).toBe(true);
		expect(http1NeedsAxios({hop: {...hop, body: undefined}})).toBe(false);
	});

	test.each([
		['/', true],
		["/it's?q=[a]|{b}^`", true],
		['/\u00ff', true],
		['/a b', false],
		['/\u4f60', false],
		['/a\r\nb', false],
		['x', false],
		['', false],
	])('a request to the path %j is carried: %s', (path, expected) => {
		expect(carried({}, {path})).toBe(expected);
	});
});

test('headers are joined though the prototype of all objects has a function', () => {
	const how = {value: () => {}, configurable: true, enumerable: true, writable: true};
	Object.defineProperty(Object.prototype, 'foo', how);
	try {
		expect(joinHeaders({etag: 'a ', 'set-cookie': 'b'})).toEqual({etag: 'a', 'set-cookie': ['b']});
	} finally {
		Reflect.deleteProperty(Object.prototype, 'foo');
	}
});
