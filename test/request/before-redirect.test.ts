import {AxiosHeaders, type AxiosResponse} from 'axios';
import {describe, expect, test, vi} from 'vitest';
import {callBeforeRedirect} from '../../src/request/before-redirect.ts';
import {configOf, hopOf} from '../support/make-hop.ts';

const response: AxiosResponse = {
	status: 302,
	statusText: 'Found',
	headers: new AxiosHeaders({location: '/next', 'x-reply': '1'}),
	data: '',
	config: configOf(),
};

type Options = Record<string, unknown>;
type Callback = (options: Options & {headers: Record<string, string>}) => void;

function ask(callback: Callback, url = 'https://b.test:8443/next?q=1') {
	const previous = hopOf({url: 'https://a.test/first', method: 'post', headers: {'X-Own': '1'}});
	const auth = {username: 'u', password: 'p:q'};
	const hop = hopOf({url, headers: {Accept: 'text/plain'}, auth});
	return callBeforeRedirect(callback as never, hop, {
		previous,
		response,
		policy: {sensitiveHeaders: []},
	});
}

test('the callback sees the next request, the answer and the request before', () => {
	const callback = vi.fn();
	ask(callback);
	expect(callback.mock.calls).toEqual([
		[
			{
				protocol: 'https:',
				host: 'b.test:8443',
				hostname: 'b.test',
				port: 8443,
				pathname: '/next',
				search: '?q=1',
				hash: '',
				path: '/next?q=1',
				href: 'https://b.test:8443/next?q=1',
				method: 'GET',
				headers: {Accept: 'text/plain'},
				auth: 'u:p:q',
			},
			{statusCode: 302, headers: {location: '/next', 'x-reply': '1'}},
			{
				url: 'https://a.test/first',
				method: 'POST',
				headers: {Host: 'a.test', 'X-Own': '1'},
			},
		],
	]);
});

test('a redirect that beforeRedirect leaves alone is sent as it was', () => {
	const hop = ask(() => {});
	expect(hop.url.href).toBe('https://b.test:8443/next?q=1');
	expect(hop.method).toBe('GET');
	expect({...hop.headers.toJSON()}).toEqual({Accept: 'text/plain'});
	expect(hop.auth).toEqual({username: 'u', password: 'p:q'});
});

describe('what it changes is sent', () => {
	test.each([
		['hostname', 'c.test', 'https://c.test:8443/next?q=1'],
		['port', 99, 'https://b.test:99/next?q=1'],
		['port', '', 'https://b.test/next?q=1'],
		['path', '/other', 'https://b.test:8443/other'],
		['protocol', 'http:', 'http://b.test:8443/next?q=1'],
		['hostname', '::1', 'https://[::1]:8443/next?q=1'],
		// Descriptions, as in follow-redirects: nothing is sent to them.
		['href', 'https://c.test/', 'https://b.test:8443/next?q=1'],
		['host', 'c.test', 'https://b.test:8443/next?q=1'],
	])('a redirect whose %s beforeRedirect sets to %j goes to %s', (field, value, expected) => {
		const hop = ask((options) => {
			options[field] = value;
		});
		expect(hop.url.href).toBe(expected);
	});

	test('headers that beforeRedirect sets and deletes are sent so', () => {
		const {headers} = ask((options) => {
			options.headers['X-New'] = '1';
			delete options.headers.Accept;
		});
		expect({...headers.toJSON()}).toEqual({'X-New': '1'});
	});

	test.each([
		['me:secret:2', {username: 'me', password: 'secret:2'}],
		[undefined, undefined],
	])('credentials that beforeRedirect sets as auth = %j are sent', (auth, expected) => {
		const hop = ask((options) => {
			options.auth = auth;
		});
		expect(hop.auth).toEqual(expected);
	});

	test('a method that beforeRedirect sets is sent', () => {
		const hop = ask((options) => {
			options.method = 'head';
		});
		expect(hop.method).toBe('HEAD');
	});
});

test('an IPv6 address is given to beforeRedirect without brackets and sent with them', () => {
	let hostname: unknown;
	const hop = ask((options) => {
		hostname = options.hostname;
	}, 'https://[::1]:8443/');
	expect(hostname).toBe('::1');
	expect(hop.url.href).toBe('https://[::1]:8443/');
});

test.each([
	['protocol', 'ftp:', 'Unsupported protocol ftp:'],
	['hostname', 'a b', 'Invalid URL'],
])('a redirect whose %s beforeRedirect sets to %j is an error', (field, value, message) => {
	const change = () =>
		ask((options) => {
			options[field] = value;
		});
	expect(change).toThrow(message);
});

test('an error that beforeRedirect throws fails the request', () => {
	const reason = new Error('not there');
	expect(() =>
		ask(() => {
			throw reason;
		}),
	).toThrow(reason);
});
