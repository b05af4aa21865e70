import {inspect} from 'node:util';
import {afterEach, beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import type {ProxyParts} from '../../../src/connection/proxy/proxy-options.ts';
import {ProxyServer, resolveProxy} from '../../../src/connection/proxy/resolve-proxy.ts';
import {MtlsConfigError} from '../../../src/errors.ts';
import type {ProxySetting} from '../../../src/options.ts';

const url = new URL('https://api.test/');

const names = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];
beforeEach(() => {
	for (const name of names) {
		vi.stubEnv(name, '');
		vi.stubEnv(name.toUpperCase(), '');
	}
});
afterEach(() => {
	vi.unstubAllEnvs();
});

const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;

test.each<[string, ProxySetting | undefined, string]>([
	['a URL as text', 'http://u:p@p.test', 'url'],
	['a URL as text, without a login', 'http://p.test', 'url'],
	['a URL', new URL('http://u:p@p.test') as unknown as ProxySetting, 'url'],
	['an object', {host: 'p.test', port: 1, auth: {username: 'u', password: 'p'}}, 'auth'],
	['an object, without a login', {host: 'p.test', port: 1}, 'auth'],
	['headers', {host: 'p.test', port: 1, headers: {'Proxy-Authorization': 'Bearer t'}}, 'header'],
	['the environment', undefined, 'url'],
])('the place of a login is known for a proxy that is given as %s', (_, setting, place) => {
	vi.stubEnv('HTTPS_PROXY', 'http://u:p@other.test:1');
	const proxy = resolveProxy(setting, url);
	expect(proxy?.loginPlace).toBe(place);
	const own = proxy?.hasCredentials ? place : 'header';
	expect(proxy?.withAuthorization('Bearer x').loginPlace).toBe(own);
});

describe('config.proxy', () => {
	test.each([
		[{host: 'proxy.test', port: 3128}, 'http://proxy.test:3128', undefined],
		[{host: 'proxy.test', port: 3128, protocol: 'http'}, 'http://proxy.test:3128', undefined],
		[{host: 'proxy.test', port: 3128, protocol: 'HTTP:'}, 'http://proxy.test:3128', undefined],
		[{host: '::1', port: 3128}, 'http://[::1]:3128', undefined],
		[{host: '[::1]', port: 3128}, 'http://[::1]:3128', undefined],
		[{host: 'proxy.test'}, 'http://proxy.test:80', undefined],
		[{host: 'proxy.test', port: '8080'}, 'http://proxy.test:8080', undefined],
		[{host: 'proxy.test', port: 3128, protocol: 'https'}, 'https://proxy.test:3128', undefined],
		[{host: 'proxy.test', protocol: 'HTTPS:'}, 'https://proxy.test:443', undefined],
		[{host: '::1', protocol: 'https'}, 'https://[::1]:443', undefined],
		[{host: 'p', port: 1, auth: {username: 'u', password: 'p:ä'}}, 'http://p:1', 'u:p:ä'],
		[{host: 'p', port: 1, auth: {username: 'u'}}, 'http://p:1', 'u:'],
		[{host: 'p', port: 1, auth: {password: 'p'}}, 'http://p:1', ':p'],
		[{host: 'p', port: 1, auth: 'u:p'}, 'http://p:1', 'u:p'],
		[{hostname: 'p', host: 'q', port: 1}, 'http://p:1', undefined],
		[new URL('https://u%40:p@p.test'), 'https://p.test:443', 'u@:p'],
		['http://user:pw@p.test:3128', 'http://p.test:3128', 'user:pw'],
		['p.test:3128', 'http://p.test:3128', undefined],
		[' HTTPS://u:p%40@p.test ', 'https://p.test:443', 'u:p@'],
		['[::1]:3128', 'http://[::1]:3128', undefined],
		[{host: 'p', port: 1, username: 'u', password: 'p'}, 'http://p:1', 'u:p'],
		[{host: 'my_proxy', port: 1}, 'http://my_proxy:1', undefined],
	])('the option proxy: %j resolves to %s', (setting, expected, login) => {
		vi.stubEnv('HTTPS_PROXY', 'http://other.test:1');
		const proxy = resolveProxy(setting as ProxySetting, url);
		expect(`${proxy}`).toBe(expected);
		expect(proxy?.authorization).toBe(login && basic(login));
		expect(proxy?.hasCredentials).toBe(login !== undefined);
	});

	test('a proxy knows which setting named it, also where several have the same URL', () => {
		const text = 'http://u:p@p.test:3128';
		vi.stubEnv('https_proxy', undefined);
		vi.stubEnv('HTTPS_PROXY', text);
		expect(resolveProxy(undefined, url)?.variable).toBe('HTTPS_PROXY');
		vi.stubEnv('https_proxy', text);
		expect(resolveProxy(undefined, url)?.variable).toBe('https_proxy');
		expect(resolveProxy(text, url)?.variable).toBeUndefined();
		expect(resolveProxy({host: 'p'}, url)?.variable).toBeUndefined();
		const named = resolveProxy(undefined, new URL('https://other.test'));
		expect(named?.withAuthorization('Basic x').variable).toBe('https_proxy');
		vi.stubEnv('https_proxy', 'http://p.test');
		expect(resolveProxy(undefined, url)?.withAuthorization('Basic x').variable).toBe('https_proxy');
	});

	test('the option `proxy` takes nothing from Object.prototype', () => {
		const polluted = {
			auth: 'evil:login',
			protocol: 'https',
			username: 'evil',
			hostname: 'evil.test',
		};
		onTestFinished(() => {
			for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
		});
		for (const [name, value] of Object.entries(polluted)) {
			Object.defineProperty(Object.prototype, name, {value, configurable: true, writable: true});
		}
		const proxy = resolveProxy({host: 'p', port: 1}, url);
		expect(`${proxy}`).toBe('http://p:1');
		expect(proxy?.hasCredentials).toBe(false);
		const auth = {password: 'p'} as {username: string; password: string};
		expect(resolveProxy({host: 'p', port: 1, auth}, url)?.authorization).toBe(basic(':p'));
	});

	test('proxy: false means no proxy, whatever the environment says', () => {
		vi.stubEnv('HTTPS_PROXY', 'http://other.test:1');
		expect(resolveProxy(false, url)).toBeUndefined();
	});

	test.each([
		[{host: 'p', port: 1, protocol: 'ftp'}, 'proxy.protocol'],
		[{host: 'p', port: 1, protocol: 'httpsx'}, 'proxy.protocol'],
		[{host: 'p', port: 1, protocol: 'socks4:'}, 'proxy.protocol'],
		[{host: '', port: 1}, 'proxy.host'],
		[{host: 'p', port: 0}, 'proxy.port'],
		[{host: 'p', port: 65_536}, 'proxy.port'],
		[{host: 'p', port: 1.5}, 'proxy.port'],
		[{host: 'p', port: 'x'}, 'proxy.port'],
		[{host: 'p', port: 1, auth: {}}, 'proxy.auth'],
		[{host: 5, port: 1}, 'proxy.host'],
		[{host: 'http://hunter2', port: 1}, 'proxy.host'],
		[{host: 'hunter2:3128'}, 'proxy.host'],
		[{host: 'u@hunter2', port: 1}, 'proxy.host'],
		[{host: 'p', port: 'hunter2'}, 'proxy.port'],
		[{host: 'p', port: 1, protocol: 'hunter2'}, 'proxy.protocol'],
		[{host: 'p', port: 1, headers: 'hunter2'}, 'proxy.headers'],
		[{host: 'p', port: 1, headers: {'x y': 'hunter2'}}, 'proxy.headers'],
		[{host: 'p', port: 1, headers: {x: 'hunter2\r\nHost: evil'}}, 'proxy.headers'],
		[{host: 'p', port: 1, headers: {x: 1}}, 'proxy.headers'],
		[{host: 'p', port: 1, headers: {Host: 'hunter2'}}, 'proxy.headers'],
		[{host: 'p', port: 1, headers: {'content-length': '1'}}, 'proxy.headers'],
		[
			{host: 'p', port: 1, auth: {username: 'u'}, headers: {'proxy-authorization': 'hunter2'}},
			'proxy.headers',
		],
		['socks4://u:hunter2@p.test', 'proxy'],
		['http://u:hunter2@', 'proxy'],
		['http://u:hunter2@p:99999', 'proxy'],
		['http://p:1/hunter2', 'proxy'],
		['http://p:1/?', 'proxy'],
		['http://p:1/#', 'proxy'],
		['p:1?hunter2', 'proxy'],
		[new URL('http://u:p@hunter2#w@p:1'), 'proxy'],
		[5, 'proxy'],
		[['hunter2'], 'proxy'],
	])('the proxy %j is refused, naming %s', (setting, option) => {
		const resolve = () => resolveProxy(setting as ProxySetting, url);
		expect(resolve).toThrow(MtlsConfigError);
		expect(resolve).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option}));
		// A password may stand in the wrong place.
		expect(resolve).not.toThrow(/hunter2/);
	});

	test.each(['http', 'https', 'socks5', 'socks5h'])(
		'the URL of an %s proxy may end in a slash',
		(scheme) => {
			for (const end of ['', '/']) {
				const proxy = resolveProxy(`${scheme}://u:%23%2F%3F%40@p:1${end}`, url);
				expect(String(proxy)).toBe(`${scheme}://p:1`);
			}
		},
	);

	test('an unknown proxy option is refused', () => {
		const setting = {host: 'p', port: 1, header: {}} as ProxySetting;
		expect(() => resolveProxy(setting, url)).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_UNKNOWN_OPTION', option: 'proxy.header'}),
		);
	});

	test('headers of a proxy are for CONNECT, and separate its pools', () => {
		const setting = {host: 'p', port: 1, headers: {'User-Agent': 'app/1', 'X-Tag': 'a'}};
		const proxy = resolveProxy(setting, url);
		expect(proxy?.connectHeaders).toBe('User-Agent: app/1\r\nX-Tag: a\r\n');
		expect(proxy?.authorization).toBeUndefined();
		expect(proxy?.poolKey).not.toBe(resolveProxy({host: 'p', port: 1}, url)?.poolKey);

		const bearer = {host: 'p', port: 1, headers: {'proxy-authorization': 'Bearer t'}};
		const withToken = resolveProxy(bearer, url);
		expect(withToken?.authorization).toBe('Bearer t');
		expect(withToken?.connectHeaders).toBe('');
		expect(inspect(withToken, {showHidden: true, depth: 9})).not.toContain('Bearer');
	});

	test.each([1, 65_535])('the port %i of a proxy is accepted', (port) => {
		expect(resolveProxy({host: 'p', port}, url)?.port).toBe(port);
	});
});

describe('the environment', () => {
	test.each([
		['HTTPS_PROXY', 'https://api.test/', 'http://proxy.test:3128'],
		['https_proxy', 'https://api.test/', 'http://proxy.test:3128'],
		['ALL_PROXY', 'https://api.test/', 'http://proxy.test:3128'],
		['HTTP_PROXY', 'http://api.test/', 'http://proxy.test:3128'],
		['HTTP_PROXY', 'https://api.test/', 'undefined'],
		['HTTPS_PROXY', 'http://api.test/', 'undefined'],
	])('the environment %s has for %s the proxy %s', (name, target, expected) => {
		vi.stubEnv(name, 'http://proxy.test:3128');
		expect(`${resolveProxy(undefined, new URL(target))}`).toBe(expected);
	});

	test.each([
		['proxy.test:3128', 'http://proxy.test:3128', undefined],
		['proxy.test', 'http://proxy.test:80', undefined],
		['user:s3cret@proxy.test:3128', 'http://proxy.test:3128', 'user:s3cret'],
		['[::1]:3128', 'http://[::1]:3128', undefined],
		['https://proxy.test', 'https://proxy.test:443', undefined],
		['HTTPS://user:p%40@proxy.test:3128', 'https://proxy.test:3128', 'user:p@'],
	])(
		'the environment variable %s is the proxy %s for https and for http',
		(text, expected, login) => {
			vi.stubEnv('ALL_PROXY', text);
			for (const target of ['https://api.test/', 'http://api.test/']) {
				const proxy = resolveProxy(undefined, new URL(target));
				expect(`${proxy}`).toBe(expected);
				expect(proxy?.authorization).toBe(login && basic(login));
			}
		},
	);

	test('a proxy variable in lower case comes first, and the one of the scheme before ALL_PROXY', () => {
		vi.stubEnv('ALL_PROXY', 'all.test');
		vi.stubEnv('all_proxy', 'lower-all.test');
		expect(resolveProxy(undefined, url)?.host).toBe('lower-all.test');
		vi.stubEnv('HTTPS_PROXY', 'own.test');
		expect(resolveProxy(undefined, url)?.host).toBe('own.test');
		vi.stubEnv('https_proxy', 'lower-own.test');
		expect(resolveProxy(undefined, url)?.host).toBe('lower-own.test');
	});

	// Security: it would lead past a proxy that filters, or that is the only way out.
	test.each(['no_proxy', 'NO_PROXY'])(
		'the proxy of the environment is not switched off by %s in Object.prototype',
		(name) => {
			for (const own of ['no_proxy', 'NO_PROXY']) delete process.env[own];
			vi.stubEnv('HTTPS_PROXY', 'own.test');
			Object.defineProperty(Object.prototype, name, {value: '*', configurable: true});
			try {
				expect(resolveProxy(undefined, url)?.host).toBe('own.test');
			} finally {
				Reflect.deleteProperty(Object.prototype, name);
			}
		},
	);

	test('the proxy of the environment is read at each call', () => {
		expect(resolveProxy(undefined, url)).toBeUndefined();
		vi.stubEnv('HTTPS_PROXY', 'http://proxy.test');
		expect(`${resolveProxy(undefined, url)}`).toBe('http://proxy.test:80');
	});

	test.each(['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])(
		'a proxy of %s with more than a host and port is refused by that name',
		(name) => {
			vi.stubEnv(name, 'http://u:p@p.test:3128/hunter2');
			const resolve = () => resolveProxy(undefined, url);
			expect(resolve).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: name}));
			expect(resolve).toThrow(/write @ # \/ \? as %40 %23 %2F %3F$/);
			expect(resolve).not.toThrow(/hunter2/);
		},
	);

	test('the proxy of the environment gives user and password, decoded', () => {
		vi.stubEnv('HTTPS_PROXY', 'http://my%40mail:100%25:%zz@[::1]:3128/');
		const proxy = resolveProxy(undefined, url);
		expect(`${proxy}`).toBe('http://[::1]:3128');
		// A part with a stray % is what it says.
		expect(proxy?.authorization).toBe(basic('my@mail:100%25%3A%zz'));
	});

	test.each([
		['*', 'https://api.test/', false],
		['api.test', 'https://api.test/', false],
		['API.test', 'https://api.test/', false],
		['.test', 'https://api.test/', false],
		['*.test', 'https://api.test/', false],
		['other.test, api.test', 'https://api.test/', false],
		['api.test:443', 'https://api.test/', false],
		['api.test:8443', 'https://api.test/', true],
		['test', 'https://api.test/', true],
		['pi.test', 'https://api.test/', true],
		['127.0.0.1', 'https://127.0.0.1:8443/', false],
		['other.test', 'https://api.test/', true],
	])('the list NO_PROXY=%s sends %s through the proxy: %s', (value, target, proxied) => {
		vi.stubEnv('HTTPS_PROXY', 'http://proxy.test:3128');
		vi.stubEnv('NO_PROXY', value);
		expect(resolveProxy(undefined, new URL(target)) !== undefined).toBe(proxied);
	});

	test.each([
		[
			'socks4://user:s3cret@proxy.test:1080',
			'HTTPS_PROXY: expected an http, https, socks5 or socks5h proxy, found socks4',
		],
		['http://user:s3cret@proxy.test:0', 'HTTPS_PROXY: expected a port from 1 to 65535'],
		[
			'http://user:s3cret@',
			'HTTPS_PROXY: expected the URL of an http, https, socks5 or socks5h proxy',
		],
	])('the proxy variable %s is refused without showing its password', (value, message) => {
		vi.stubEnv('HTTPS_PROXY', value);
		const resolve = () => resolveProxy(undefined, url);
		expect(resolve).toThrow(MtlsConfigError);
		expect(resolve).toThrow(expect.objectContaining({message: expect.stringContaining(message)}));
		expect(resolve).not.toThrow(/s3cret/);
	});
});

describe('a ProxyServer', () => {
	const parts = {
		protocol: 'http',
		host: 'proxy.test',
		port: 3128,
		login: {username: 'user', password: 's3cret'},
		headers: [],
	} as const;
	const changed = (changes: Partial<ProxyParts>) => new ProxyServer({...parts, ...changes});

	test.each(['http', 'socks5'] as const)(
		'a ProxyServer of the protocol %s never prints its password',
		(protocol) => {
			const proxy = changed({protocol});
			const prints = [
				String(proxy),
				JSON.stringify(proxy),
				inspect(proxy, {depth: 8, showHidden: true}),
				proxy.poolKey,
				Object.getOwnPropertyNames(proxy).join(),
			].join('\n');
			expect(prints).not.toMatch(/s3cret/);
			expect(prints).not.toContain(Buffer.from('user:s3cret').toString('base64'));
		},
	);

	test('a ProxyServer has a pool key that differs by its protocol and its login', () => {
		const {poolKey} = changed({});
		expect(changed({}).poolKey).toBe(poolKey);
		const others: Partial<ProxyParts>[] = [
			{login: {username: 'user', password: 'other'}},
			{login: {username: 'user', password: undefined}},
			{login: {username: 'user:s3cret', password: ''}},
			{login: undefined},
			{port: 3129},
			{protocol: 'https'},
			{protocol: 'socks5'},
			{protocol: 'socks5h'},
		];
		const keys = others.map((other) => changed(other).poolKey);
		expect(new Set([poolKey, ...keys]).size).toBe(others.length + 1);
		// A colon in one of the two is no border between them.
		const one = changed({protocol: 'socks5', login: {username: 'a:b', password: 'c'}});
		const other = changed({protocol: 'socks5', login: {username: 'a', password: 'b:c'}});
		expect(one.poolKey).not.toBe(other.poolKey);
	});

	test('a ProxyServer is given to axios with its credentials', () => {
		expect(changed({}).toAxios()).toEqual({
			protocol: 'http',
			host: 'proxy.test',
			port: 3128,
			auth: {username: 'user', password: 's3cret'},
		});
		expect(changed({host: '::1', port: 1, login: undefined}).toAxios()).toEqual({
			protocol: 'http',
			host: '::1',
			port: 1,
		});
	});
});

describe('a SOCKS proxy', () => {
	const login = (username: string, password: string) => ({username, password});

	test.each([
		['socks5://p.test', 'socks5://p.test:1080', undefined],
		['socks5h://p.test', 'socks5h://p.test:1080', undefined],
		['SOCKS5://P.test:1081', 'socks5://p.test:1081', undefined],
		// The URL parser would leave out the default port of a scheme that it knows.
		['socks5://p.test:80', 'socks5://p.test:80', undefined],
		['socks5://p.test:443', 'socks5://p.test:443', undefined],
		['socks5://[::1]', 'socks5://[::1]:1080', undefined],
		['socks5://bücher.test', 'socks5://xn--bcher-kva.test:1080', undefined],
		['socks5h://user:p%40%3A@127.0.0.1:1', 'socks5h://127.0.0.1:1', login('user', 'p@:')],
		['socks5://a%3Ab:c@p.test', 'socks5://p.test:1080', login('a:b', 'c')],
		['socks5://user@p.test', 'socks5://p.test:1080', login('user', '')],
		['socks5://:pw@p.test/', 'socks5://p.test:1080', login('', 'pw')],
		[new URL('socks5://u:p@p.test:1082'), 'socks5://p.test:1082', login('u', 'p')],
		[{host: 'p.test', protocol: 'socks5'}, 'socks5://p.test:1080', undefined],
		[{host: 'p.test', port: '1', protocol: 'SOCKS5H:'}, 'socks5h://p.test:1', undefined],
		[
			{host: 'p.test', protocol: 'socks5', auth: {username: 'a:b', password: 'c'}},
			'socks5://p.test:1080',
			login('a:b', 'c'),
		],
		[{host: 'p', protocol: 'socks5', auth: 'u:p:q'}, 'socks5://p:1080', login('u', 'p:q')],
		[
			{host: 'p', protocol: 'socks5', username: 'u', password: 'p'},
			'socks5://p:1080',
			login('u', 'p'),
		],
	])('the option proxy: %j resolves to the SOCKS proxy %s', (setting, expected, socksLogin) => {
		for (const scheme of ['https', 'http']) {
			const proxy = resolveProxy(setting as ProxySetting, new URL(`${scheme}://api.test/`));
			expect(`${proxy}`).toBe(expected);
			expect(proxy).toMatchObject({isSocks: true, secure: false, exceedsAxios: true});
			expect(proxy?.socksLogin).toEqual(socksLogin);
			expect(proxy?.hasCredentials).toBe(socksLogin !== undefined);
			expect(proxy?.authorization).toBeUndefined();
			expect(proxy?.withAuthorization('Basic x').authorization).toBeUndefined();
		}
	});

	test('a proxy over HTTP has no login for SOCKS', () => {
		const proxy = resolveProxy('http://u:p@p.test', url);
		expect(proxy).toMatchObject({isSocks: false, socksLogin: undefined, hasCredentials: true});
	});

	const lengths = [254, 255, 256];
	test.each(lengths)('a login of %i bytes for a SOCKS proxy is taken up to 255', (length) => {
		// Two bytes for each character.
		const text = 'ä'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
		const encoded = encodeURIComponent(text);
		const settings: [string, ProxySetting, string][] = [
			['proxy', `socks5://${encoded}:p@p.test`, 'username'],
			['proxy', `socks5h://u:${encoded}@p.test`, 'password'],
			[
				'proxy.auth',
				{host: 'p', protocol: 'socks5', auth: {username: text, password: ''}},
				'username',
			],
			[
				'proxy.auth',
				{host: 'p', protocol: 'socks5h', auth: {username: 'u', password: text}},
				'password',
			],
			[
				'proxy.username',
				{host: 'p', protocol: 'socks5', username: 'u', password: text} as unknown as ProxySetting,
				'password',
			],
		];
		for (const [option, setting, part] of settings) {
			const resolve = () => resolveProxy(setting, url);
			if (length <= 255) {
				expect(Object.values(resolve()?.socksLogin ?? {})).toContain(text);
				continue;
			}
			expect(resolve).toThrow(
				expect.objectContaining({
					name: 'MtlsConfigError',
					code: 'ERR_MTLS_BAD_OPTION',
					option,
					message: `${option}: expected a ${part} of at most 255 bytes for a SOCKS proxy, found 256`,
				}),
			);
			expect(resolve).not.toThrow(/ä/);
		}
		vi.stubEnv('ALL_PROXY', `socks5://u:${encoded}@p.test`);
		const fromEnvironment = () => resolveProxy(undefined, url);
		if (length > 255) {
			expect(fromEnvironment).toThrow(expect.objectContaining({option: 'ALL_PROXY'}));
		} else expect(fromEnvironment()?.socksLogin?.password).toBe(text);
		// An HTTP proxy has no such limit.
		const http = {host: 'p', auth: {username: 'u', password: text}};
		expect(resolveProxy(http, url)?.hasCredentials).toBe(true);
	});

	test.each([
		['socks4://u:hunter2@p.test', 'proxy', 'socks4'],
		['socks4a://u:hunter2@p.test', 'proxy', 'socks4a'],
		['socks://u:hunter2@p.test', 'proxy', 'socks'],
		[{host: 'p', protocol: 'socks4'}, 'proxy.protocol', 'socks4'],
		[{host: 'p', protocol: 'socks6'}, 'proxy.protocol', 'something else'],
	])('the proxy %j of another SOCKS is refused, naming %s', (setting, option, found) => {
		const resolve = () => resolveProxy(setting as ProxySetting, url);
		expect(resolve).toThrow(
			expect.objectContaining({
				code: 'ERR_MTLS_BAD_OPTION',
				option,
				message: `${option}: expected an http, https, socks5 or socks5h proxy, found ${found}`,
			}),
		);
	});

	test.each([
		['socks5://', 'proxy'],
		['socks5://u:hunter2@', 'proxy'],
		['socks5://p.test:0', 'proxy'],
		['socks5://p.test:65536', 'proxy'],
		['socks5://a b', 'proxy'],
		['socks5://a%20b', 'proxy'],
		['socks5:///hunter2', 'proxy'],
		[{host: 'p', protocol: 'socks5', headers: {'X-Tag': 'hunter2'}}, 'proxy.headers'],
	])('the SOCKS proxy %j is refused, naming %s', (setting, option) => {
		const resolve = () => resolveProxy(setting as ProxySetting, url);
		expect(resolve).toThrow(MtlsConfigError);
		expect(resolve).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option}));
		expect(resolve).not.toThrow(/hunter2/);
	});

	test.each(['ALL_PROXY', 'all_proxy', 'HTTPS_PROXY'])(
		'the environment variable %s names a SOCKS proxy, which NO_PROXY leaves out',
		(name) => {
			vi.stubEnv(name, 'socks5h://u:p@p.test');
			expect(`${resolveProxy(undefined, url)}`).toBe('socks5h://p.test:1080');
			vi.stubEnv('NO_PROXY', 'api.test');
			expect(resolveProxy(undefined, url)).toBeUndefined();
		},
	);
});
