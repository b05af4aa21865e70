import shouldBypassProxy from 'axios/unsafe/helpers/shouldBypassProxy.js';
import fc from 'fast-check';
import {getProxyForUrl} from 'proxy-from-env';
import {afterEach, expect, test, vi} from 'vitest';
import {bypassesProxy} from '../../../src/connection/proxy/no-proxy.ts';

afterEach(() => {
	vi.unstubAllEnvs();
});

/** axios's own verdict: it asks proxy-from-env, and then itself. */
function byAxios(url: string, noProxy: string): boolean {
	vi.stubEnv('all_proxy', 'http://proxy.test');
	vi.stubEnv('no_proxy', noProxy);
	vi.stubEnv('NO_PROXY', noProxy);
	return getProxyForUrl(url) === '' || shouldBypassProxy(url);
}

const names = ['api.test', 'API.test.', 'a.api.test', 'bücher.test', 'xn--bcher-kva.test', 'test'];
const loopbacks = ['localhost', '127.0.0.1', '127.9.9.9', '127.1', '[::1]', '0.0.0.0', '[::]'];
const addresses = ['10.1.2.3', '0xa.1.2.3', '012.1.515', '[fd00::7]', '[::ffff:10.1.2.3]'];
const hosts = [...names, ...loopbacks, ...addresses, '[2001:db8:0:0:0:0:0:1]', '192.168.1.5'];
const entries = [
	...hosts,
	...hosts.map((host) => host.replace(/^\[(.*)\]$/, '$1')),
	...names.flatMap((name) => [`.${name}`, `*.${name}`, `*${name}`]),
	...['*', '*.', '.', '', '/', '10', '2130706433', '10.', '..', ':443', '[', ']', '[]', '*:443'],
	...['10.1.2.3', '10.0.0.0', '0x0a.0.0.0', '192.168.0.0', '127.0.0.0'].flatMap((base) =>
		['0', '8', '16', '17', '32', '33', '08', 'x', ''].map((bits) => `${base}/${bits}`),
	),
	...['fd00::', '[fd00::]', '2001:db8::', '::ffff:10.0.0.0', '[::', '::1]', '[10.0.0.0]'].flatMap(
		(base) =>
			['0', '7', '8', '64', '95', '96', '104', '128', '129'].map((bits) => `${base}/${bits}`),
	),
];
const ports = ['', ':443', ':80', ':8443', ':0', ':x'];

test.each([
	['*', 'https://api.test/', true],
	['api.test', 'https://api.test/', true],
	['.test', 'https://api.test/', true],
	['.api.test', 'https://api.test/', false],
	['*.test', 'https://api.test/', true],
	['other.test  api.test', 'https://api.test/', true],
	['api.test:443', 'https://api.test/', true],
	['api.test:80', 'https://api.test/', false],
	['api.test:80', 'http://api.test/', true],
	['pi.test', 'https://api.test/', false],
	['10.0.0.0/8', 'https://10.1.2.3/', true],
	['10.0.0.0/8', 'https://11.1.2.3/', false],
	['10.1.2.0/23', 'https://10.1.3.255/', true],
	['10.1.2.0/23', 'https://10.1.4.0/', false],
	['10.0.0.0/33', 'https://10.1.2.3/', false],
	['fd00::/8', 'https://[fdff::1]/', true],
	['fd00::/8', 'https://[fe00::1]/', false],
	['[fd00::7]:8443', 'https://[fd00::7]:8443/', true],
	['[fd00::7]:8443', 'https://[fd00::7]/', false],
	['::ffff:10.0.0.0/104', 'https://10.1.2.3/', true],
	['10.0.0.0/8', 'https://[::ffff:10.1.2.3]/', true],
	['localhost', 'https://127.0.0.1/', true],
	['127.0.0.1', 'https://[::1]/', true],
	['0.0.0.0', 'https://localhost/', true],
	['10.1.2.3', 'https://localhost/', false],
])('NO_PROXY=%s keeps %s off the proxy: %s', (noProxy, url, expected) => {
	expect(bypassesProxy(new URL(url), noProxy)).toBe(expected);
	expect(byAxios(url, noProxy)).toBe(expected);
});

// proxy-from-env alone knows a `*` without a dot, and takes the dot at the end of a name for a part of it.
const isOdd = (entry: string, host: string) =>
	/^\*[^.]|^\*?\.(:|$)/.test(entry) && /\.(:|\s|$)/.test(`${entry} ${host}`);

test('every entry and every host is judged as axios judges it', () => {
	const differing: string[] = [];
	for (const entry of entries.flatMap((each) => ports.map((port) => each + port))) {
		for (const host of hosts) {
			const url = `https://${host}/`;
			if (isOdd(entry, host)) continue;
			if (bypassesProxy(new URL(url), entry) !== byAxios(url, entry))
				differing.push(`${entry} ${url}`);
		}
	}
	expect(differing).toEqual([]);
});

test('any list is judged as axios judges it', () => {
	const entry = fc.oneof(
		fc.constantFrom(...entries),
		fc.ipV4(),
		fc.ipV6(),
		fc.domain(),
		fc.string({unit: fc.constantFrom(...'0123456789abfx.:*[]/'), maxLength: 12}),
	);
	const host = fc.oneof(
		fc.constantFrom(...hosts),
		fc.ipV4(),
		fc.ipV6().map((address) => `[${address}]`),
		fc.domain(),
	);
	fc.assert(
		fc.property(
			fc.array(fc.tuple(entry, fc.constantFrom(...ports)), {maxLength: 4}),
			fc.constantFrom(' ', ',', ', '),
			host,
			fc.constantFrom('', ':8443'),
			fc.constantFrom('https', 'http'),
			(list, separator, name, port, scheme) => {
				const url = `${scheme}://${name}${port}/`;
				if (!URL.canParse(url) || list.some(([each]) => isOdd(each, '.'))) return;
				const noProxy = list.map((parts) => parts.join('')).join(separator);
				expect(bypassesProxy(new URL(url), noProxy)).toBe(byAxios(url, noProxy));
			},
		),
		{numRuns: 2_000},
	);
});
