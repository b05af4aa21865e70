import {beforeAll, describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../src/config-error.ts';
import {MtlsAgent, type MtlsOptions} from '../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../src/testing/index.ts';
import {loadProxyTls} from '../../src/tls/snapshot.ts';

const now = new Date();

let corp: TestPki;
let employee: Credential;
beforeAll(async () => {
	corp = await createTestPki({commonName: 'Corp CA'});
	employee = await corp.client({commonName: 'employee'});
});

test("mtls.proxy without options has no certificate and Node's CAs, and verifies all the same", () => {
	const {identity, servername, verification} = loadProxyTls(undefined, now);
	expect(identity).toBeNull();
	expect(servername).toBeUndefined();
	expect(verification).toMatchObject({enforced: true, requireClientAuth: false});
});

test('the TLS context for a proxy is made once', () => {
	for (const options of [undefined, {ca: corp.ca}]) {
		const terms = loadProxyTls(options, now);
		expect(terms.context(true)).toBe(terms.context(true));
	}
});

test('the certificate for a proxy is shown by its facts, and its key nowhere', () => {
	const {cert, key} = employee;
	const terms = loadProxyTls({cert, key, servername: 'proxy.test'}, now);
	expect(terms.identity?.subject).toBe('CN=employee');
	expect(terms.servername).toBe('proxy.test');
	expect(Object.values(terms).join()).not.toContain('PRIVATE KEY');
});

describe('a mistake', () => {
	const mistakes: [string, () => object, string, string][] = [
		['no object', () => [], 'ERR_MTLS_BAD_OPTION', 'mtls.proxy'],
		['an unknown word', () => ({host: 'p'}), 'ERR_MTLS_UNKNOWN_OPTION', 'mtls.proxy.host'],
		['a way around', () => ({verify: 'report'}), 'ERR_MTLS_UNKNOWN_OPTION', 'mtls.proxy.verify'],
		['a proxy of its own', () => ({proxy: {}}), 'ERR_MTLS_UNKNOWN_OPTION', 'mtls.proxy.proxy'],
		['no such file', () => ({ca: '/no/such'}), 'ERR_MTLS_NO_SUCH_FILE', 'mtls.proxy.ca'],
		['no list', () => ({crl: 'no PEM\n'}), 'ERR_MTLS_NOT_PEM', 'mtls.proxy.crl'],
		['no pin', () => ({pins: 'x'}), 'ERR_MTLS_BAD_OPTION', 'mtls.proxy.pins'],
		['no cipher', () => ({ciphers: 'NONE'}), 'ERR_MTLS_BAD_OPTION', 'mtls.proxy.ciphers'],
		['no version', () => ({minVersion: 'x'}), 'ERR_MTLS_BAD_OPTION', 'mtls.proxy.minVersion'],
		['no name', () => ({servername: ''}), 'ERR_MTLS_BAD_OPTION', 'mtls.proxy.servername'],
		['no key', () => ({cert: employee.cert}), 'ERR_MTLS_KEY_MISSING', 'mtls.proxy.key'],
		['no PKCS#12', () => ({pfx: Buffer.from('x')}), 'ERR_MTLS_NOT_PKCS12', 'mtls.proxy.pfx'],
	];
	test.each(mistakes)(
		'the mistake %s in mtls.proxy is refused at construction, by its path',
		(_what, make, code, option) => {
			const mtls = {proxy: make()} as MtlsOptions;
			const build = () => new MtlsAgent(mtls, {logger: false});
			expect(build).toThrow(MtlsConfigError);
			expect(build).toThrow(
				expect.objectContaining({
					code,
					option,
					message: expect.stringMatching(new RegExp(`^${option}: (?!mtls)`)),
				}),
			);
		},
	);
});
