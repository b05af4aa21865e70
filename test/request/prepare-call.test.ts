import {Axios, type AxiosRequestConfig} from 'axios';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {withoutCredentials} from '../../src/exchange/hop.ts';
import {firstHop} from '../../src/request/prepare-call.ts';
import {configOf, type HopConfig, hopOf} from '../support/make-hop.ts';

test.each([
	[{url: 'https://a.test'}, 'https://a.test/'],
	[{url: '/x', baseURL: 'https://a.test/v1/'}, 'https://a.test/v1/x'],
	[{url: 'x?q=1', baseURL: 'https://a.test/v1'}, 'https://a.test/v1/x?q=1'],
	[{url: 'https://b.test/', baseURL: 'https://a.test'}, 'https://b.test/'],
	[{url: 'https://a.test/?q=1', params: {r: 'ä b'}}, 'https://a.test/?q=1&r=%C3%A4+b'],
	[{url: 'https://a.test/x#part', params: {q: 1}}, 'https://a.test/x?q=1'],
	[{url: 'https://a.test/x#part'}, 'https://a.test/x'],
	[{url: 'http://a.test:80/'}, 'http://a.test/'],
	[{url: '/x', socketPath: '/run/app.sock'}, 'http://localhost/x'],
])('the config %j requests %s', (config, expected) => {
	const hop = hopOf(config);
	expect(hop.url.href).toBe(expected);
	expect(hop).toMatchObject({index: 0, method: 'GET', presentCertificate: true});
});

test.each([
	'data:text/plain,hello',
	'ftp://a.test/',
	'file:///etc/hosts',
	'/no-host',
	'https://',
	'',
])('the config %j is left to axios', (url) => {
	expect(firstHop(configOf({url}))).toBeUndefined();
});

test.each([
	['post', 'POST'],
	['GET', 'GET'],
	['Query', 'QUERY'],
])('the method %s goes out as %s', (method, expected) => {
	expect(hopOf({method}).method).toBe(expected);
});

describe('credentials', () => {
	test.each([
		['https://u:p@a.test/', {username: 'u', password: 'p'}],
		['https://my%40mail.test:a%3Ab@a.test/', {username: 'my@mail.test', password: 'a:b'}],
		['https://100%:p@a.test/', {username: '100%', password: 'p'}],
		['https://u@a.test/', {username: 'u', password: ''}],
		['https://a.test/', undefined],
	])('credentials of %s are taken out of the URL', (url, auth) => {
		const hop = hopOf({url});
		expect(hop.auth).toEqual(auth);
		expect(hop.url.href).toBe('https://a.test/');
	});

	test('credentials of the config win over those of the URL', () => {
		const auth = {username: 'me', password: 'mine'};
		expect(hopOf({url: 'https://u:p@a.test/', auth}).auth).toEqual(auth);
	});
});

test('a URL without credentials is a copy', () => {
	const url = new URL('https://u:p@a.test/x?q#f');
	expect(withoutCredentials(url).href).toBe('https://a.test/x?q');
	expect(url.href).toBe('https://u:p@a.test/x?q#f');
});

describe('a URL that was asked for before', () => {
	// Seen: what is remembered of a URL was found by `baseURL` and `url` with a blank between them, so that
	// another request, which divides the same text elsewhere, went to the host of the first.
	test.each<[string, HopConfig, HopConfig, string]>([
		[
			'with the same text in its baseURL',
			{baseURL: 'https://bank.test @evil.test', url: '/x'},
			{baseURL: 'https://bank.test', url: '@evil.test /x'},
			'https://bank.test/@evil.test%20/x',
		],
		[
			'with no url',
			{baseURL: 'https://a.test', url: undefined} as unknown as HopConfig,
			{baseURL: 'https://a.test', url: 'undefined'},
			'https://a.test/undefined',
		],
		[
			'with an empty baseURL',
			{baseURL: '', url: 'https://a.test/2'},
			{baseURL: 'https://b.test', url: 'https://a.test/2'},
			'https://a.test/2',
		],
		[
			'with another word about absolute URLs',
			{baseURL: 'https://a.test', url: 'https://b.test/'},
			{baseURL: 'https://a.test', url: 'https://b.test/', allowAbsoluteUrls: false},
			'https://a.test/https://b.test/',
		],
	])('the URL %s, parsed before, is not taken for another', (_, before, now, expected) => {
		hopOf(before);
		expect(hopOf(now).url.href).toBe(expected);
	});

	test('a URL leads where axios leads, however it is divided into baseURL and url', () => {
		const uris = new Axios({});
		const part = fc.string({unit: fc.constantFrom(...'a1 /@.:0'), maxLength: 8});
		const sent = fc.record({rest: part, url: part});
		fc.assert(
			fc.property(sent, ({rest, url}) => {
				const config = {baseURL: `https://a.test${rest}`, url};
				const full = URL.parse(uris.getUri(config as AxiosRequestConfig));
				const hop = full === null ? undefined : withoutCredentials(full).href;
				expect(firstHop(configOf(config))?.url.href).toBe(hop);
			}),
			{numRuns: 2_000, seed: 7},
		);
	});

	test.each([4_095, 4_096, 4_097, 200_000])('a URL of %i characters is remembered', (length) => {
		const url = `https://a.test/${'x'.repeat(length - 'https://a.test/'.length)}`;
		for (const _ of [1, 2]) expect(hopOf({url}).url.href).toBe(url);
	});
});
