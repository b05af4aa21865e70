import {AxiosError} from 'axios';
import {describe, expect, test} from 'vitest';
import {isRedirect} from '../../src/exchange/exchange.ts';
import {redirectPolicy} from '../../src/request/prepare-call.ts';
import {
	nextHop,
	presentationAt,
	type RedirectPolicy,
	type Step,
} from '../../src/request/redirect.ts';
import {configOf, type HopConfig, hopOf} from '../support/make-hop.ts';

interface Answer {
	status?: number;
	location?: string | undefined;
}

function step(
	config: HopConfig,
	{status = 302, location = '/next'}: Answer,
	{index = 0, ...policy}: Partial<RedirectPolicy> & {index?: number} = {},
): Step {
	const hop = hopOf(config);
	const defaults = {
		allowInsecureRedirects: false,
		redirectAccess: () => 'without-certificate' as const,
	};
	return nextHop(
		{...hop, index},
		{status, location},
		{...redirectPolicy(configOf(config), hop, defaults), ...policy},
	);
}

function followed(...parameters: Parameters<typeof step>) {
	const taken = step(...parameters);
	if (taken.kind !== 'follow') throw new Error(`not followed: ${JSON.stringify(taken)}`);
	return taken.hop;
}

test.each([
	[200, false],
	[201, false],
	[299, false],
	[300, true],
	[301, true],
	[302, true],
	[303, true],
	[304, false],
	[305, false],
	[306, true],
	[307, true],
	[308, true],
	[399, true],
	[400, false],
])('the status %i is a redirect: %s', (status, expected) => {
	expect(isRedirect(status)).toBe(expected);
	expect(step({}, {status}).kind).toBe(expected ? 'follow' : 'stop');
});

test.each([undefined, ''])('a 302 with the Location %j is an answer', (location) => {
	expect(step({}, {location: location ?? ''})).toEqual({kind: 'stop'});
	expect(nextHop(hopOf(), {status: 302, location}, {} as RedirectPolicy)).toEqual({kind: 'stop'});
});

describe('the method', () => {
	const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
	const turned: Record<number, readonly string[]> = {
		301: ['POST'],
		302: ['POST'],
		303: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
		307: [],
		308: [],
	};
	const cases = Object.entries(turned).flatMap(([status, changing]) =>
		methods.map(
			(method) => [Number(status), method, changing.includes(method) ? 'GET' : method] as const,
		),
	);

	test.each(cases)('the method after %i, for %s, is %s', (status, method, expected) => {
		const headers = {'Content-Type': 'text/plain', 'Content-Language': 'de', 'X-Kept': '1'};
		const hop = followed({method, headers, data: 'body'}, {status});
		expect(hop.method).toBe(expected);

		const kept = expected === method;
		expect(hop.body?.open()).toBe(kept ? 'body' : undefined);
		expect(hop.headers.has('Content-Type')).toBe(kept);
		expect(hop.headers.has('Content-Language')).toBe(kept);
		expect(hop.headers.get('X-Kept')).toBe('1');
	});
});

describe('the number of redirects', () => {
	test.each([
		[1, 0, 'follow'],
		[1, 1, 'too-many'],
		[5, 3, 'follow'],
		[5, 4, 'follow'],
		[5, 5, 'too-many'],
		[undefined, 20, 'follow'],
		[undefined, 21, 'too-many'],
		[0, 0, 'stop'],
		[-1, 0, 'too-many'],
	])('a redirect with maxRedirects %s after hop %i is %s', (maxRedirects, index, kind) => {
		const config = maxRedirects === undefined ? {} : {maxRedirects};
		expect(step(config, {}, {index}).kind).toBe(kind);
	});

	test('each hop counts one up', () => {
		expect(followed({}, {}, {index: 7}).index).toBe(8);
	});
});

describe('the Location', () => {
	const url = 'https://a.test:8443/dir/page?q=1#part';

	test.each([
		['/abs', 'https://a.test:8443/abs'],
		['rel', 'https://a.test:8443/dir/rel'],
		['../up', 'https://a.test:8443/up'],
		['?q=2', 'https://a.test:8443/dir/page?q=2'],
		['#frag', 'https://a.test:8443/dir/page?q=1#frag'],
		['//b.test/x', 'https://b.test/x'],
		['HTTPS://B.TEST/x', 'https://b.test/x'],
		['https:/x', 'https://a.test:8443/x'],
		['https://b.test', 'https://b.test/'],
		['https://b.test:443/', 'https://b.test/'],
		['\\\\b.test\\x', 'https://b.test/x'],
		['/\tta\nb', 'https://a.test:8443/tab'],
		['/ä', 'https://a.test:8443/%C3%A4'],
		['/a%2Fb', 'https://a.test:8443/a%2Fb'],
		['https://127.1/', 'https://127.0.0.1/'],
		['https://[::1]:99/', 'https://[::1]:99/'],
		['/cb#access_token=t', 'https://a.test:8443/cb#access_token=t'],
	])('the Location %j leads to %s', (location, expected) => {
		expect(followed({url}, {location}).url.href).toBe(expected);
	});

	test.each([
		['https://user:secret@a.test/', 'https://a.test/'],
		['https://user@b.test/x', 'https://b.test/x'],
	])('user and password in the Location %s are ignored', (location, expected) => {
		const hop = followed({url: 'https://a.test/'}, {location});
		expect(hop.url.href).toBe(expected);
		expect(hop.auth).toBeUndefined();
		expect(JSON.stringify(hop)).not.toContain('secret');
	});

	test.each(['https://', 'https://[::1', 'https://a b.test/', 'https://a.test:99999/'])(
		'the Location %j is not a URL',
		(location) => {
			expect(step({}, {location})).toEqual({kind: 'bad-location', reason: 'Invalid URL'});
		},
	);

	test.each(['ftp:', 'file:', 'data:', 'javascript:', 'mailto:', 'ws:'])(
		'the scheme of %s is not followed',
		(protocol) => {
			expect(step({}, {location: `${protocol}//a.test/`})).toEqual({
				kind: 'bad-location',
				reason: `Unsupported protocol ${protocol}`,
			});
		},
	);
});

describe('out of TLS', () => {
	const location = 'http://a.test/x';

	test('a redirect from https to http is refused, and the error names the target', () => {
		expect(step({}, {location})).toEqual({kind: 'insecure', url: new URL(location)});
	});

	test('a redirect from https to http is followed where it is allowed', () => {
		expect(followed({allowInsecureRedirects: true}, {location}).url.href).toBe(location);
		expect(followed({}, {location}, {allowInsecureRedirects: true}).url.href).toBe(location);
	});

	test('`false` in the request overrules `true` of the client', () => {
		const hop = hopOf();
		const config = configOf({allowInsecureRedirects: false});
		const policy = redirectPolicy(config, hop, {
			allowInsecureRedirects: true,
			redirectAccess: () => 'without-certificate',
		});
		expect(policy.allowInsecureRedirects).toBe(false);
	});

	test.each([
		['http://a.test/', 'http://b.test/'],
		['http://a.test/', 'https://a.test/'],
	])('a redirect from %s to %s is followed', (url, location) => {
		expect(followed({url}, {location}).url.href).toBe(location);
	});
});

describe('what goes along', () => {
	const headers = {
		Authorization: 'Bearer t',
		'Proxy-Authorization': 'Basic p',
		cookie: 'a=1',
		Host: 'virtual.test',
		'X-Api-Key': 'k',
		Accept: 'text/plain',
	};
	const elsewhere = [
		['another host', 'https://b.test/'],
		['a subdomain', 'https://sub.a.test/'],
		['another port', 'https://a.test:8443/'],
	] as const;

	const {'Proxy-Authorization': _, ...ofOrigin} = headers;

	test('a redirect to the same origin keeps all headers but the one for a proxy', () => {
		const hop = followed({headers}, {location: '/x'});
		expect({...hop.headers.toJSON()}).toEqual(ofOrigin);
	});

	test.each(['https://A.test:443/x', '//a.test/x', '\\\\a.test/x'])(
		'a redirect to the same origin by its name, %s, drops the Host header',
		(location) => {
			const {Host: _host, ...rest} = ofOrigin;
			const hop = followed({headers}, {location});
			expect({...hop.headers.toJSON()}).toEqual(rest);
		},
	);

	test.each(elsewhere)('a redirect to %s drops credentials and Host', (_, location) => {
		const hop = followed({headers}, {location});
		expect({...hop.headers.toJSON()}).toEqual({'X-Api-Key': 'k', Accept: 'text/plain'});
	});

	test('a redirect to the same host without TLS drops credentials', () => {
		const hop = followed({headers, allowInsecureRedirects: true}, {location: 'http://a.test/'});
		expect({...hop.headers.toJSON()}).toEqual({'X-Api-Key': 'k', Accept: 'text/plain'});
	});

	test.each([
		['elsewhere they stay', 'https://b.test/', false],
		['on the same origin they stay', 'https://a.test/x', true],
	])('`sensitiveHeaders`: %s: %s, %s', (_, location, kept) => {
		const hop = followed({headers, sensitiveHeaders: ['x-API-key']}, {location});
		expect(hop.headers.has('X-Api-Key')).toBe(kept);
		expect(hop.headers.get('Accept')).toBe('text/plain');
	});

	test.each([['x-api-key'], [{}], [[1]]])(
		'`sensitiveHeaders: %j` is refused in the words of axios',
		(sensitiveHeaders) => {
			const config = configOf({sensitiveHeaders: sensitiveHeaders as string[]});
			const make = () =>
				redirectPolicy(config, hopOf(), {
					allowInsecureRedirects: false,
					redirectAccess: () => 'without-certificate',
				});
			expect(make).toThrow(AxiosError);
			expect(make).toThrow(
				expect.objectContaining({
					code: 'ERR_BAD_OPTION_VALUE',
					message: 'sensitiveHeaders must be an array of strings',
				}),
			);
		},
	);

	test('`auth` holds on the origin it was given for, and is not back there after a detour', () => {
		const auth = {username: 'u', password: 'p'};
		const policy = redirectPolicy(configOf({auth}), hopOf({auth}), {
			allowInsecureRedirects: false,
			redirectAccess: () => 'without-certificate',
		});
		const there = followed({auth}, {location: 'https://b.test/'}, policy);
		expect(there.auth).toBeUndefined();
		const back = nextHop(there, {status: 302, location: 'https://a.test/'}, policy);
		expect(back).toMatchObject({kind: 'follow', hop: {auth: undefined}});
		expect(followed({auth}, {location: '/x'}).auth).toEqual(auth);
	});

	test('an Authorization header that was dropped stays dropped on the way back', () => {
		const there = followed({headers}, {location: 'https://b.test/'});
		const policy = redirectPolicy(configOf(), hopOf(), {
			allowInsecureRedirects: false,
			redirectAccess: () => 'without-certificate',
		});
		const back = nextHop(there, {status: 302, location: 'https://a.test/'}, policy);
		expect(back.kind === 'follow' && back.hop.headers.has('Authorization')).toBe(false);
	});
});

test.each([
	['https://a.test/', true],
	['https://A.TEST:443/x', true],
	['https://listed.test/', true],
	['https://listed.test:8443/', false],
	['https://sub.listed.test/', false],
	['https://a.test:8443/', false],
	['https://a.test./', false],
	['https://b.test/', false],
])('the client certificate is, at %s, %s', (target, expected) => {
	const redirectAccess = (origin: string) =>
		origin === 'https://listed.test' ? 'with-certificate' : 'without-certificate';
	const policy = {origin: 'https://a.test', redirectAccess} as const;
	expect(presentationAt(new URL(target), hopOf(), policy)).toEqual({
		presentCertificate: expected,
		withheldAfter: expected ? undefined : 'https://a.test',
	});
	expect(followed({}, {location: target}, {redirectAccess}).presentCertificate).toBe(expected);
});
