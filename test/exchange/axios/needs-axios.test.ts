import {readFileSync} from 'node:fs';
import http from 'node:http';
import {Readable} from 'node:stream';
import {fileURLToPath} from 'node:url';
import {AxiosHeaders} from 'axios';
import {describe, expect, test, vi} from 'vitest';
import {undiciSupportsConfig, undiciSupportsHop} from '../../../src/exchange/axios/needs-axios.ts';
import type {ExchangeInput} from '../../../src/exchange/exchange.ts';
import {joinHeaders} from '../../../src/exchange/node-messages.ts';
import {configOf, type HopConfig, hopOf} from '../../support/make-hop.ts';

type Asked = Pick<ExchangeInput, 'config' | 'hop'>;

function undiciSupports({config, hop}: Asked): boolean {
	return undiciSupportsConfig(config) && undiciSupportsHop({hop, proxy: undefined});
}

function inputOf(input: Partial<Asked> = {}): Asked {
	return {hop: hopOf(), config: configOf(), ...input};
}

function taken(config: HopConfig, {path}: {path?: string} = {}): boolean {
	const hop = hopOf(config);
	return undiciSupports(
		inputOf({hop: path === undefined ? hop : {...hop, path}, config: configOf(config)}),
	);
}

/** A config that holds `value` under a name of any kind. */
function holding(name: string, value: unknown): boolean {
	return undiciSupports(inputOf({config: {...configOf(), [name]: value}}));
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

/** Looked at one by one: who deals with an option when the undici exchange takes the request. */
const dealtWith: Readonly<Record<string, string>> = {
	url: 'the adapter',
	baseURL: 'the adapter',
	allowAbsoluteUrls: 'the adapter',
	method: 'the adapter, and the scope itself',
	params: 'the adapter',
	paramsSerializer: 'the adapter',
	auth: 'the adapter',
	maxRedirects: 'the adapter',
	beforeRedirect: 'the adapter',
	sensitiveHeaders: 'the adapter',
	validateStatus: 'the adapter',
	cancelToken: 'the adapter, and the undici exchange',
	signal: 'the adapter, and the undici exchange',
	timeout: 'the adapter, and the scope itself',
	proxy: 'the adapter, and the scope itself',
	data: 'the scope itself',
	headers: 'the scope itself',
	timeoutErrorMessage: 'the undici exchange',
	maxContentLength: 'the undici exchange',
	maxBodyLength: 'the undici exchange',
	decompress: 'the undici exchange',
	responseEncoding: 'the undici exchange',
	transitional: 'the undici exchange, and axios around its adapter',
	adapter: 'axios around its adapter',
	transformRequest: 'axios around its adapter',
	transformResponse: 'axios around its adapter',
	formSerializer: 'axios around its adapter',
	parseReviver: 'axios around its adapter',
	redact: 'axios around its adapter',
	env: 'nobody in Node: for fetch and data: URLs',
	withCredentials: 'nobody in Node',
	withXSRFToken: 'the adapter',
	xsrfCookieName: 'the adapter',
	xsrfHeaderName: 'the adapter',
	fetchOptions: 'nobody: for fetch',
	formDataHeaderPolicy: 'nobody: for forms, which go to axios',
	allowedSocketPaths: 'nobody: for socketPath, which goes to axios',
	http2Options: 'nobody: for httpVersion 2, which goes to axios',
};

/** Left to axios but for these values. */
const plainValues: Readonly<Record<string, readonly unknown[]>> = {
	responseType: [undefined, null, '', 'json', 'text', 'arraybuffer'],
	httpVersion: [undefined, 1],
	httpAgent: [undefined, null],
	httpsAgent: [undefined, null],
	socketPath: [undefined, null, ''],
	transport: [undefined, null],
	lookup: [undefined, null],
	family: [undefined, null],
	maxRate: [undefined, null],
	onUploadProgress: [undefined, null],
	onDownloadProgress: [undefined, null],
	insecureHTTPParser: [undefined, null, false],
};

describe('the options of axios', () => {
	const keys = axiosKeys();

	test('the options of axios are found in its types', () => {
		expect(keys.length).toBeGreaterThan(45);
		expect(keys).toContain('url');
		expect(keys).toContain('sensitiveHeaders');
	});

	test.each(keys.filter((key) => !(key in dealtWith)))(
		"the axios option %s with an unexpected value is left to axios's adapter",
		(key) => {
			expect(holding(key, {odd: 'value'})).toBe(false);
			expect(holding(key, 'document')).toBe(false);
			expect(holding(key, 3)).toBe(false);
		},
	);

	const odd = {
		timeout: 5,
		method: 'get',
		headers: new AxiosHeaders(),
		data: undefined,
		proxy: false,
	} as const;
	test.each(keys.filter((key) => key in dealtWith))('the axios option %s is dealt with', (key) => {
		expect(holding(key, key in odd ? odd[key as keyof typeof odd] : 'any')).toBe(true);
	});

	test.each(
		Object.entries(plainValues).flatMap(([key, values]) =>
			values.map((value) => [key, value] as const),
		),
	)('the option %s with %j needs nothing special', (key, value) => {
		expect(keys).toContain(key);
		expect(holding(key, value)).toBe(true);
	});
});

describe('an option that nobody has looked at', () => {
	test.each([0, '', null, false, true, {}, () => {}])(
		"an unknown option with the value %j is left to axios's adapter",
		(value) => {
			expect(holding('ofTheFuture', value)).toBe(false);
		},
	);

	test('an unknown option that is undefined needs nothing special', () => {
		expect(holding('ofTheFuture', undefined)).toBe(true);
	});

	test("an unknown option that the config inherits is left to axios's adapter", () => {
		const config = Object.assign(Object.create({ofTheFuture: 1}), configOf());
		expect(undiciSupports(inputOf({config}))).toBe(false);
	});
});

test.each([{}, true, 'text', () => {}])(
	"the value %j under a plugin's name that is not an identifier needs nothing special",
	(value) => {
		expect(holding('my-plugin', value)).toBe(true);
		expect(holding('@scope/plugin', value)).toBe(true);
	},
);

describe('the options of ours and of plugins', () => {
	test.each(['jar', 'session', 'allowInsecureRedirects', 'axios-retry', 'skipAuthRefresh'])(
		'the option %s of this library or of a plugin is dealt with',
		(key) => {
			expect(holding(key, false)).toBe(true);
		},
	);
});

test('a request goes to axios while somebody has replaced `http.request`', () => {
	const spy = vi.spyOn(http, 'request');
	expect(taken({})).toBe(false);
	spy.mockRestore();
	expect(taken({})).toBe(true);
});

describe('the request', () => {
	const stream = Readable.from([]);
	test.each([
		['GET', undefined, true],
		['DELETE', undefined, true],
		['OPTIONS', undefined, true],
		['POST', undefined, true],
		['POST', 'text', true],
		['PUT', Buffer.from('x'), true],
		['PATCH', new ArrayBuffer(1), true],
		['POST', '', true],
		['HEAD', undefined, false],
		['TRACE', undefined, false],
		['CONNECT', undefined, false],
		['GET', 'text', false],
		['DELETE', 'text', false],
		['POST', stream, false],
		['POST', new FormData(), false],
		['POST', new Blob(['x']), false],
		['POST', 42, false],
		['POST', {}, false],
	])('the request %s with the body %o is supported: %s', (method, data, expected) => {
		expect(taken({method, data})).toBe(expected);
	});

	test.each([
		[{'X-Own': '1'}, true],
		[{Cookie: 'a=1'}, true],
		[{Authorization: 'Bearer t'}, true],
		[{Host: 'virtual.test'}, false],
		[{connection: 'close'}, false],
		[{'KEEP-ALIVE': 'x'}, false],
		[{'Transfer-Encoding': 'chunked'}, false],
		[{TE: 'trailers'}, false],
		[{Trailer: 'x'}, false],
		[{Upgrade: 'h2c'}, false],
		[{Expect: '100-continue'}, false],
		[{'Proxy-Connection': 'x'}, false],
		[{'X-List': ['a', 'b']}, false],
		[{'Content-Length': '0'}, false],
	] as [Record<string, string>, boolean][])(
		'a request with the headers %j is supported: %s',
		(headers, expected) => {
			expect(taken({headers})).toBe(expected);
		},
	);

	test.each([
		['4', true],
		['5', false],
		['4.0', false],
	])('a request with Content-Length %s for four bytes is supported: %s', (length, expected) => {
		const headers = {'Content-Length': length};
		expect(taken({method: 'POST', data: 'body', headers})).toBe(expected);
		expect(taken({method: 'POST', data: '\u00e4\u00e4', headers})).toBe(expected);
	});

	test("a request whose body is to have no Content-Length is left to axios's adapter", () => {
		const hop = hopOf({method: 'POST', data: 'body'});
		hop.headers.set('Content-Length', false);
		expect(undiciSupports(inputOf({hop}))).toBe(false);
		expect(undiciSupports(inputOf({hop: {...hop, body: undefined}}))).toBe(true);
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
	])('a request to the path %j is supported: %s', (path, expected) => {
		expect(taken({}, {path})).toBe(expected);
	});

	test.each([
		[80, true],
		['80', true],
		['80ms', true],
		[0, true],
		['soon', false],
		[Number.NaN, true],
	])('a request with the timeout %j is supported: %s', (timeout, expected) => {
		expect(taken({timeout: timeout as number})).toBe(expected);
	});
});

// axios copies `hasOwnProperty` into its configs, and shows it where an interceptor has added a
// property that cannot be written.
test.each([
	['hasOwnProperty', true],
	['toString', false],
	['valueOf', false],
	['constructor', false],
])('an option called %s is looked at as any other', (name, taken) => {
	const config = {...configOf(), [name]: Object.prototype.hasOwnProperty};
	expect(undiciSupports({config, hop: hopOf()})).toBe(taken);
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
