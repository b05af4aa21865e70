import {AxiosError} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {type ClientConfig, createClient} from '../../src/index.ts';
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

function thrownBy(make: () => unknown): unknown {
	try {
		make();
	} catch (error) {
		return error;
	}
	throw new Error('it was accepted');
}
