import {AxiosError} from 'axios';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {type ClientConfig, createClient, MtlsAgent} from '../../src/index.ts';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {createSecrets, marks, printed, type Secrets, secretRequest} from '../support/secrets.ts';

let vault: Secrets;
let other: Credential;
beforeAll(async () => {
	[vault, other] = await Promise.all([
		createSecrets(),
		createTestPki().then((pki) => pki.client()),
	]);
});

describe('mistakes at construction', () => {
	const wrong = `${marks.passphrase}-wrong`;
	const own = () => {
		const {cert, key, passphrase} = vault.client;
		return {cert, key, passphrase};
	};
	test.each<[string, string, () => object]>([
		['a wrong passphrase', 'mtls.passphrase', () => ({mtls: {...own(), passphrase: wrong}})],
		['no passphrase', 'mtls.passphrase', () => ({mtls: {...own(), passphrase: undefined}})],
		['a key that does not fit', 'mtls.key', () => ({mtls: {...own(), cert: other.cert}})],
		['a key as the certificate', 'mtls.cert', () => ({mtls: {...own(), cert: own().key}})],
		['a key as the CA', 'mtls.ca', () => ({mtls: {...own(), ca: own().key}})],
		[
			'a key without its armour, and its end lost',
			'mtls.key',
			() => ({
				mtls: {
					...own(),
					key: own()
						.key.replace(/-----.*-----|\s/g, '')
						.slice(0, -8),
				},
			}),
		],
		['a passphrase as the version', 'mtls.minVersion', () => ({mtls: {minVersion: wrong}})],
		['an unknown option', 'mtls.password', () => ({mtls: {...own(), password: wrong}})],
		['an agent of the app', 'httpsAgent', () => ({mtls: own(), httpsAgent: {options: own()}})],
	])('a refused option, %s for %s, is reported without a secret', (_, option, options) => {
		const config = {...secretRequest('https://localhost/'), ...options()};
		const error = thrownBy(() => createClient(config as ClientConfig));
		expect(error).toMatchObject({name: 'MtlsConfigError', option});
		expect(error).not.toBeInstanceOf(AxiosError);
		vault.expectNone(printed(error));
	});
});

// Seen: the text before the `#` was taken for the host, and printed as that of a proxy out of reach.
describe('a password in the URL of a proxy that is not escaped', () => {
	const repair = /write @ # \/ \? as %40 %23 %2F %3F/;
	const schemes = ['http://', 'https://', 'socks5://', 'socks5h://', ''];
	const urls = schemes.flatMap((scheme) =>
		['#', '/', '?'].flatMap((character) => [
			`${scheme}alice:p@${marks.proxyUrl}${character}w@localhost:13128`,
			`${scheme}alice:12345${character}${marks.proxyUrl}@localhost:13128`,
			`${scheme}alice:p${character}${marks.proxyUrl}@localhost:13128`,
			`${scheme}${marks.proxyUrl}:12345${character}w@localhost:13128`,
		]),
	);

	test.each(urls)('the proxy %s is refused without a part of it', async (proxy) => {
		for (const name of ['http_proxy', 'all_proxy', 'https_proxy', 'no_proxy', 'NO_PROXY']) {
			vi.stubEnv(name, undefined);
		}
		const request = {url: 'https://localhost:1/', proxy};
		const errors = [
			thrownBy(() => createClient({proxy})),
			thrownBy(() => new MtlsAgent({}, {proxy})),
			await createClient({logger: false})
				.request(request)
				.catch((error: unknown) => error),
		];
		vi.stubEnv('HTTPS_PROXY', proxy);
		errors.push(
			await createClient({logger: false})
				.request({url: request.url})
				.catch((error: unknown) => error),
		);
		for (const [index, error] of errors.entries()) {
			expect(error).toMatchObject({
				code: index < 3 ? 'ERR_MTLS_BAD_OPTION' : 'ERR_BAD_OPTION_VALUE',
				message: expect.stringMatching(index < 3 ? /^proxy: / : /^HTTPS_PROXY: /),
			});
			expect((error as Error).message).toMatch(repair);
			vault.expectNone(printed(error));
			expect(String(error)).not.toMatch(/alice|12345|13128/);
		}
	});
});

function thrownBy(make: () => unknown): unknown {
	try {
		make();
	} catch (error) {
		return error;
	}
	throw new Error('it was accepted');
}
