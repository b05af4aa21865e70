import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {getCACertificates} from 'node:tls';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {MtlsOptions} from '../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../src/testing/index.ts';
import {loadTrust} from '../../src/tls/trust.ts';
import {configRefusal} from '../support/config-refusal.ts';

let directory: string;
let pki: TestPki;
let other: TestPki;
let client: Credential;
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-trust-'));
	[pki, other] = await Promise.all([createTestPki(), createTestPki()]);
	client = await pki.client();
});
afterAll(() => rmSync(directory, {recursive: true}));

function file(name: string, content: string): string {
	const path = join(directory, name);
	writeFileSync(path, content);
	return path;
}

describe('what is believed', () => {
	test('without `ca` the choice is left to Node', () => {
		expect(loadTrust(undefined)).toBeUndefined();
	});

	test.each<[string, () => MtlsOptions['ca']]>([
		['text', () => pki.ca],
		['bytes', () => Buffer.from(pki.ca)],
		['a path', () => file('ca.pem', pki.ca)],
		['a list of one', () => [pki.ca]],
		['a file with words in it', () => `Issuer: me\n${pki.ca}`],
		['a file that holds a key too, which is left alone', () => pki.ca + client.key],
	])('%s replaces what Node trusts', (_, ca) => {
		expect(loadTrust(ca())).toEqual([pki.ca]);
	});

	test('every certificate of a bundle and of a list is believed, in order', () => {
		const bundle = pki.ca + other.ca;
		expect(loadTrust(bundle)).toEqual([pki.ca, other.ca]);
		expect(loadTrust([file('bundle.pem', bundle), client.leaf])).toEqual([
			pki.ca,
			other.ca,
			client.leaf,
		]);
	});

	test('the old label of a certificate is read too', () => {
		const old = pki.ca.replaceAll('CERTIFICATE', 'X509 CERTIFICATE');
		expect(loadTrust(old)).toEqual([old]);
	});

	test.each(['default', 'system', 'bundled'] as const)(
		"the word '%s' stands for that set of Node, alone or with others",
		(word) => {
			const set = getCACertificates(word);
			expect(loadTrust(word)).toEqual(set);
			expect(loadTrust([word, pki.ca])).toEqual([...set, pki.ca]);
		},
	);
});

describe('mistakes', () => {
	const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

	test.each<[string, () => unknown, string, string | RegExp]>([
		[
			'no such file',
			() => join(directory, 'none.pem'),
			'ERR_MTLS_NO_SUCH_FILE',
			/no such file '.*none\.pem'$/,
		],
		['garbage', () => 'garbage\n', 'ERR_MTLS_NOT_PEM', /found 8 bytes without a -----BEGIN line$/],
		[
			'a word that is no set',
			() => 'defaults',
			'ERR_MTLS_NO_SUCH_FILE',
			/no such file 'defaults'$/,
		],
		[
			'a key',
			() => client.key,
			'ERR_MTLS_NO_CERTIFICATE',
			/expected a CERTIFICATE in the given text, found PRIVATE KEY$/,
		],
		[
			'a certificate that is none inside',
			() => garbage,
			'ERR_MTLS_NO_CERTIFICATE',
			/a CERTIFICATE in the given text cannot be parsed$/,
		],
		[
			'a bundle with one bad certificate',
			() => pki.ca + garbage,
			'ERR_MTLS_NO_CERTIFICATE',
			/a CERTIFICATE in the given text cannot be parsed$/,
		],
		[
			'a bundle with one that is cut short',
			() => pki.ca + other.ca.slice(0, 200) + pki.ca,
			'ERR_MTLS_NOT_PEM',
			/found a CERTIFICATE block that is cut short$/,
		],
		[
			'a list with one bad entry',
			() => [pki.ca, garbage],
			'ERR_MTLS_NO_CERTIFICATE',
			/a CERTIFICATE in the given text \(entry 2 of the list\) cannot be parsed$/,
		],
		[
			'a list with one entry of another kind',
			() => [pki.ca, other.ca, client.key],
			'ERR_MTLS_NO_CERTIFICATE',
			/expected a CERTIFICATE in the given text \(entry 3 of the list\), found PRIVATE KEY$/,
		],
		[
			'a list with one entry that is no PEM',
			() => [pki.ca, 'x\n'],
			'ERR_MTLS_NOT_PEM',
			/expected PEM in the given text \(entry 2 of the list\), found 2 bytes/,
		],
		['a list with nothing in it', () => [], 'ERR_MTLS_NO_CERTIFICATE', /would trust nobody/],
		['a list with null', () => [pki.ca, null], 'ERR_MTLS_BAD_OPTION', /found null$/],
		['null', () => null, 'ERR_MTLS_BAD_OPTION', /found null$/],
		['a number', () => 7, 'ERR_MTLS_BAD_OPTION', /found number$/],
		['an empty string', () => '', 'ERR_MTLS_NOT_PEM', /found an empty string$/],
	])('%s is told for mtls.ca', (_, ca, code, message) => {
		const error = configRefusal({ca: ca()}, [client.key]);
		expect(error).toMatchObject({option: 'mtls.ca', code});
		expect(error.message).toMatch(message);
	});
});
