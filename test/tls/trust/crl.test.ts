import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCrl} from '../../../src/tls/trust/crl.ts';
import {makeCrl} from '../../support/make-crl.ts';

let directory: string;
let pki: TestPki;
let crl: string;
let other: string;
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-crl-'));
	pki = await createTestPki();
	[crl, other] = await Promise.all([makeCrl(pki), makeCrl(await createTestPki())]);
});
afterAll(() => rmSync(directory, {recursive: true}));

const der = (pem: string) => Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');

test('options without `crl` have no revocation list', () => {
	expect(loadCrl(undefined)).toBeUndefined();
});

test.each<[string, () => Parameters<typeof loadCrl>[0], () => string[]]>([
	['PEM', () => crl, () => [crl]],
	['DER', () => der(crl), () => [crl]],
	['a file of PEM', () => file('a.crl', crl), () => [crl]],
	['a file of DER', () => file('a.der', der(crl)), () => [crl]],
	['several in one text', () => crl + other, () => [crl, other]],
	['a list', () => [der(crl), other], () => [crl, other]],
	['a CRL beside its CA', () => pki.ca + crl, () => [crl]],
])('the revocation list %s is read', (_, source, lists) => {
	expect(loadCrl(source())).toEqual(lists());
});

function file(name: string, content: string | Buffer): string {
	const path = join(directory, name);
	writeFileSync(path, content);
	return path;
}

test.each<[string, () => unknown, string, RegExp]>([
	[
		'no such file',
		() => join(directory, 'none'),
		'ERR_MTLS_NO_SUCH_FILE',
		/no such file '.*none'$/,
	],
	['an empty list', () => [], 'ERR_MTLS_NO_CRL', /an empty list revokes nothing/],
	['a certificate', () => pki.ca, 'ERR_MTLS_NO_CRL', /in the given text, found CERTIFICATE$/],
	[
		'a list with one bad entry',
		() => [crl, pki.ca],
		'ERR_MTLS_NO_CRL',
		/expected an X509 CRL in the given text \(entry 2 of the list\), found CERTIFICATE$/,
	],
	[
		'a CRL that is none inside',
		() => '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
		'ERR_MTLS_NO_CRL',
		/an X509 CRL in the given text cannot be parsed$/,
	],
	['a CRL that is cut short', () => der(crl).subarray(0, -9), 'ERR_MTLS_NOT_PEM', /cut short/],
	['null', () => null, 'ERR_MTLS_BAD_OPTION', /found null$/],
])('the mistake %s is reported for mtls.crl', (_, source, code, message) => {
	// The types forbid some of it; JavaScript does not.
	expect(() => loadCrl(source() as string)).toThrow(
		expect.objectContaining({code, option: 'mtls.crl', message: expect.stringMatching(message)}),
	);
});
