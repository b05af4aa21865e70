// In a process of its own: it replaces modules.
import {X509Certificate} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {getCACertificates} from 'node:tls';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCa} from '../../../src/tls/trust/ca.ts';
import {configRefusal} from '../../support/config-refusal.ts';

// A system without certificates cannot be made in a test.
vi.mock('node:tls', async (load) => {
	const tls = await load<typeof import('node:tls')>();
	const mocked = {...tls, getCACertificates: vi.fn(tls.getCACertificates)};
	return {...mocked, default: mocked};
});

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

function folder(name: string, files: Record<string, string | Buffer>): string {
	const path = join(directory, name);
	mkdirSync(path);
	for (const [file, content] of Object.entries(files)) {
		mkdirSync(dirname(join(path, file)), {recursive: true});
		writeFileSync(join(path, file), content);
	}
	return path;
}

const fingerprints = (certificates: readonly string[] = []) =>
	certificates.map((pem) => new X509Certificate(pem).fingerprint256);

describe('what is believed', () => {
	test('the choice of CAs is left to Node without `ca`', () => {
		expect(loadCa(undefined)).toBeUndefined();
	});

	test.each<[string, () => MtlsOptions['ca']]>([
		['text', () => pki.ca],
		['bytes', () => Buffer.from(pki.ca)],
		['a path', () => file('ca.pem', pki.ca)],
		['a list of one', () => [pki.ca]],
		['a file with words in it', () => `Issuer: me\n${pki.ca}`],
		['a file that holds a key too, which is left alone', () => pki.ca + client.key],
	])('the option `ca` as %s replaces what Node trusts', (_, ca) => {
		expect(loadCa(ca())).toEqual([pki.ca]);
	});

	test('every certificate of a bundle and of a list is trusted, in order', () => {
		const bundle = pki.ca + other.ca;
		expect(loadCa(bundle)).toEqual([pki.ca, other.ca]);
		expect(loadCa([file('bundle.pem', bundle), client.leaf])).toEqual([
			pki.ca,
			other.ca,
			client.leaf,
		]);
	});

	test('the old label of a certificate is read too', () => {
		const old = pki.ca.replaceAll('CERTIFICATE', 'X509 CERTIFICATE');
		expect(loadCa(old)).toEqual([old]);
	});

	test.each(['default', 'system', 'bundled'] as const)(
		"the word '%s' stands for that set of Node, alone or with others",
		(word) => {
			// Systems list some of their certificates more than once.
			const set = Array.from(new Set(fingerprints(getCACertificates(word))));
			expect(fingerprints(loadCa(word))).toEqual(set);
			expect(fingerprints(loadCa([word, pki.ca]))).toEqual([...set, ...fingerprints([pki.ca])]);
		},
	);
});

describe('each certificate is believed once', () => {
	test('a CA is trusted once, however often it is given, where it came first', () => {
		const again = [pki.ca.replaceAll('\n', '\r\n'), pki.ca + other.ca, Buffer.from(pki.ca)];
		expect(loadCa([other.ca, ...again])).toEqual([other.ca, pki.ca]);
	});

	test('a CA is trusted once, also under its older label, in DER, and as one of the sets', () => {
		const old = pki.ca.replaceAll('CERTIFICATE', 'X509 CERTIFICATE');
		expect(loadCa([old, new X509Certificate(pki.ca).raw, pki.ca])).toEqual([old]);
		const [first = ''] = getCACertificates('bundled');
		expect(loadCa(['bundled', first])).toEqual(getCACertificates('bundled'));
	});
});

describe('a directory', () => {
	test('a CA directory gives the certificates of its certificate files, by name, and of no other file', () => {
		const path = folder('store', {
			'b.pem': other.ca,
			'a.CRT': new X509Certificate(pki.ca).raw,
			'0a1b2c3d.0': pki.ca,
			'rootCA-key.pem': pki.key,
			README: 'not a certificate',
			'ca.key': 'not one either',
			'below/c.pem': client.leaf,
			'd.pem/e.pem': client.leaf,
		});
		expect(loadCa(path)).toEqual([pki.ca, other.ca]);
		expect(loadCa(['bundled', path])?.slice(-2)).toEqual([pki.ca, other.ca]);
	});

	test.skipIf(process.platform === 'win32')(
		'a CA directory may hold the links of `openssl rehash`',
		() => {
			const path = folder('rehashed', {'a.pem': pki.ca});
			symlinkSync('a.pem', join(path, '0a1b2c3d.0'));
			expect(loadCa(path)).toEqual([pki.ca]);
		},
	);

	test.each<[string, () => Record<string, string>, string, RegExp]>([
		['with nothing in it', () => ({}), 'ERR_MTLS_NO_CERTIFICATE', /in folder '.*', found none$/],
		[
			'with keys alone',
			() => ({'a.pem': pki.key}),
			'ERR_MTLS_NO_CERTIFICATE',
			/in folder '.*', found none$/,
		],
		[
			'with an empty file that is named like a certificate',
			() => ({'a.pem': pki.ca, 'b.crt': ''}),
			'ERR_MTLS_NOT_PEM',
			/expected PEM in file '.*b\.crt', found nothing$/,
		],
		[
			'with a damaged certificate',
			() => ({'a.pem': pki.ca, 'b.pem': other.ca.replace('MII', 'MIJ')}),
			'ERR_MTLS_NO_CERTIFICATE',
			/a CERTIFICATE in file '.*b\.pem' cannot be parsed$/,
		],
	])('a directory with %s is an error that names it', (name, files, code, message) => {
		const path = folder(name, files());
		const error = configRefusal({ca: path}, [pki.key]);
		expect(error).toMatchObject({option: 'mtls.ca', code});
		expect(error.message).toMatch(message);
		expect(error.message).toContain(path);
	});

	test('a CA directory in a list is named by its index', () => {
		const path = folder('empty', {});
		expect(configRefusal({ca: [pki.ca, path]}).message).toBe(
			`mtls.ca: expected certificates in folder '${path}' (entry 2 of the list), found none`,
		);
	});
});

describe('mistakes', () => {
	test('a word that stands for nothing on this system is an error that names it', () => {
		vi.mocked(getCACertificates).mockReturnValueOnce([]);
		expect(() => loadCa([pki.ca, 'system'])).toThrow(
			expect.objectContaining({
				code: 'ERR_MTLS_NO_CERTIFICATE',
				option: 'mtls.ca',
				message: "mtls.ca: the word 'system' stands for no certificate on this system",
			}),
		);
	});

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
			/no such file 'defaults' in the folder '.+'$/,
		],
		[
			'a PKCS#7 bundle',
			() => '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n',
			'ERR_MTLS_NO_CERTIFICATE',
			/found PKCS7 without a certificate that can be read$/,
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
	])('the mistake %s is reported for mtls.ca', (_, ca, code, message) => {
		const error = configRefusal({ca: ca()}, [client.key]);
		expect(error).toMatchObject({option: 'mtls.ca', code});
		expect(error.message).toMatch(message);
	});
});
