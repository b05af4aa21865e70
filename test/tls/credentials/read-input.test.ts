/*
 * The encodings and wrappings in which people are handed a credential, and what the file system says.
 */
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {MtlsOptions, Source} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {filesOf} from '../../../src/tls/rotation/file-watcher.ts';
import {loadCa} from '../../../src/tls/trust/ca.ts';
import {loadCrl} from '../../../src/tls/trust/crl.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {pfxOf, writePkcs7} from '../../support/pfx-writer.ts';

const passphrase = 'MARK-passphrase';

let directory: string;
let pki: TestPki;
let client: Credential;
let pfx: Buffer;
let crl: string;
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-input-'));
	pki = await createTestPki();
	client = await pki.client();
	pfx = pfxOf(client.cert, client.key, {passphrase});
	crl = await pki.crl();
});
afterAll(() => rmSync(directory, {recursive: true}));

function file(name: string, content: string | Buffer): string {
	const path = join(directory, name);
	writeFileSync(path, content, {mode: 0o600});
	return path;
}

const wrapped = (bytes: Buffer) => bytes.toString('base64').replace(/.{64}/g, '$&\n');
const encodings: readonly (readonly [string, (bytes: Buffer) => Source])[] = [
	['base64 in one line', (bytes) => bytes.toString('base64')],
	['base64 in lines', wrapped],
	['base64 in lines of Windows', (bytes) => wrapped(bytes).replaceAll('\n', '\r\n')],
	['base64 in lines that became blanks', (bytes) => wrapped(bytes).replaceAll('\n', ' ')],
	['base64url', (bytes) => bytes.toString('base64url')],
	['base64 with a line end', (bytes) => `${bytes.toString('base64')}\n`],
	['base64 in bytes', (bytes) => Buffer.from(bytes.toString('base64'))],
	['base64 in lines, in bytes', (bytes) => Buffer.from(wrapped(bytes))],
	['base64 after a byte order mark', (bytes) => Buffer.from(`\ufeff${bytes.toString('base64')}`)],
	['base64 twice', (bytes) => Buffer.from(bytes.toString('base64')).toString('base64')],
	['base64 in a file', (bytes) => file('base64', bytes.toString('base64'))],
	['base64 in a Uint8Array', (bytes) => new TextEncoder().encode(wrapped(bytes))],
];
const binaries: readonly (readonly [string, (bytes: Buffer) => Source])[] = [
	...encodings,
	["text that was read as 'latin1'", (bytes) => bytes.toString('latin1')],
	["text that was read as 'binary'", (bytes) => bytes.toString('binary')],
];

const fingerprint = (options: MtlsOptions) =>
	loadCredentials({passphrase, ...options}, new Date())?.facts.fingerprint256;
const der = (pem: string) => new X509Certificate(pem).raw;
const keyDer = (pem: string) => createPrivateKey(pem).export({type: 'pkcs8', format: 'der'});

describe.each(binaries)('%s', (_, encode) => {
	test('an encoded PKCS#12 is read as pfx', () => {
		expect(fingerprint({pfx: encode(pfx)})).toBe(new X509Certificate(client.leaf).fingerprint256);
	});

	test('encoded DER is read as cert, key and ca', () => {
		const cert = encode(der(client.leaf));
		// The key in a file of its own would replace the other.
		const key = Buffer.from(keyDer(client.key));
		expect(fingerprint({cert, key})).toBe(new X509Certificate(client.leaf).fingerprint256);
		expect(fingerprint({cert: client.cert, key: encode(key)})).toBeDefined();
		expect(loadCa(encode(der(pki.ca)))?.map((pem) => new X509Certificate(pem).subject)).toEqual([
			new X509Certificate(pki.ca).subject,
		]);
	});
});

describe.each(encodings)('PEM in %s', (_, encode) => {
	test('encoded PEM is read as cert, key, ca and crl', () => {
		const encoded = (pem: string) => encode(Buffer.from(pem));
		expect(fingerprint({cert: encoded(client.cert), key: client.key})).toBeDefined();
		expect(fingerprint({cert: client.cert, key: encoded(client.key)})).toBeDefined();
		expect(loadCa(encoded(pki.ca))).toHaveLength(1);
		expect(loadCrl(encoded(crl))).toHaveLength(1);
	});
});

test('text is base64 only if all of it is a credential', () => {
	const whole = pfx.toString('base64');
	for (const text of [whole.slice(4), whole.slice(0, -8), `${whole.slice(0, -4)}AAAAAAAA`]) {
		expect(configRefusal({pfx: text, passphrase}, [text.slice(60, 90), passphrase])).toMatchObject({
			code: 'ERR_MTLS_NOT_PKCS12',
			option: 'mtls.pfx',
		});
	}
	// Letters that could be a path are one.
	expect(configRefusal({ca: 'certs/intermediates/production'})).toMatchObject({
		code: 'ERR_MTLS_NO_SUCH_FILE',
	});
});

test('text as bytes that are no base64 is left as it is', () => {
	const key = Buffer.from(client.key);
	expect(fingerprint({cert: Buffer.from(client.cert), key})).toBeDefined();
	expect(key.toString()).toBe(client.key);
});

test('a PKCS#12 between lines of PEM, as certtool writes it, is read as pfx', () => {
	const armoured = `-----BEGIN PKCS12-----\n${wrapped(pfx)}\n-----END PKCS12-----\n`;
	for (const source of [armoured, Buffer.from(armoured), file('armoured.p12', armoured)]) {
		expect(fingerprint({pfx: source})).toBeDefined();
	}
	const half = armoured.replace(/\n.{40}/, '\n');
	expect(configRefusal({pfx: half, passphrase})).toMatchObject({
		message: 'mtls.pfx: the PKCS12 in the given text is damaged',
	});
});

describe('a file: URL', () => {
	test('a file URL is the path of its file, as an object and as text', () => {
		const url = pathToFileURL(file('with blank é.p12', pfx));
		expect(fingerprint({pfx: url})).toBeDefined();
		expect(fingerprint({pfx: url.href})).toBeDefined();
		const foreign: URL = vm.runInNewContext('new URL(href)', {
			URL: class extends URL {},
			href: url.href,
		});
		expect(fingerprint({pfx: foreign})).toBeDefined();
		expect(loadCa(pathToFileURL(file('ca.pem', pki.ca)))).toHaveLength(1);
		expect(loadCa(pathToFileURL(directory))).toBeDefined();
		expect(loadCrl([pathToFileURL(file('crl.pem', crl))])).toHaveLength(1);
	});

	test('a file URL is watched for changes', () => {
		const url = pathToFileURL(join(directory, 'a.pem'));
		expect(filesOf({cert: url, key: url.href, ca: ['default', pki.ca]})).toEqual([
			join(directory, 'a.pem'),
			join(directory, 'a.pem'),
		]);
	});

	test.each([
		['of https', 'https://a.example/a.pem', 'found a URL that is not file:'],
		[
			'of another machine',
			'file://server/share/a.pem',
			'found a file: URL that names no file here',
		],
	])('a URL %s is refused', (_, href, message) => {
		const error = configRefusal({ca: new URL(href)});
		expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.ca'});
		expect(error.message).toContain(message);
	});
});

describe('a file that is not there', () => {
	test('a relative path is named with the folder where it was looked for', () => {
		expect(configRefusal({ca: 'no-such.pem'}).message).toBe(
			`mtls.ca: no such file 'no-such.pem' in the folder '${process.cwd()}'`,
		);
		expect(configRefusal({ca: './src/no-such.pem'}).message).toBe(
			`mtls.ca: no such file './src/no-such.pem' in the folder '${join(process.cwd(), 'src')}'`,
		);
	});

	test('a missing folder is named', () => {
		const path = join(directory, 'gone', 'ca.pem');
		expect(configRefusal({ca: path}).message).toBe(
			`mtls.ca: no such file '${path}': there is no folder '${join(directory, 'gone')}'`,
		);
	});

	test('an absolute path says all of it', () => {
		const path = join(directory, 'gone.pem');
		expect(configRefusal({ca: path}).message).toBe(`mtls.ca: no such file '${path}'`);
	});
});

describe('a PKCS#7 file', () => {
	const pem = (bytes: Buffer, label: string) =>
		`-----BEGIN ${label}-----\n${wrapped(bytes)}\n-----END ${label}-----\n`;

	test.each(['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS'])(
		'the certificates of a %s are read as cert and as ca',
		(label) => {
			const p7b = writePkcs7([der(pki.ca), der(client.leaf)]);
			for (const source of [p7b, pem(p7b, label), Buffer.from(pem(p7b, label))]) {
				expect(fingerprint({cert: source, key: client.key})).toBe(
					new X509Certificate(client.leaf).fingerprint256,
				);
				expect(loadCa(source)).toHaveLength(2);
			}
		},
	);

	test('the revocation lists of a PKCS#7 file are read as crl', () => {
		const list = Buffer.from(crl.replaceAll(/-----.*-----|\s/g, ''), 'base64');
		const both = writePkcs7([der(pki.ca)], [list]);
		expect(loadCrl(both)).toHaveLength(1);
		expect(loadCa(both)).toHaveLength(1);
		expect(configRefusal({crl: writePkcs7([der(pki.ca)])}).message).toBe(
			'mtls.crl: expected an X509 CRL in the given bytes, found CERTIFICATE',
		);
	});

	test.each<[string, () => Buffer]>([
		['nothing in it', () => writePkcs7([])],
		[
			'another content',
			() =>
				Buffer.from(
					writePkcs7([der(pki.ca)])
						.toString('hex')
						.replace('2a864886f70d010702', '2a864886f70d010703'),
					'hex',
				),
		],
	])('a PKCS#7 file with %s is refused', (_, bytes) => {
		expect(configRefusal({ca: bytes()})).toMatchObject({
			code: 'ERR_MTLS_NO_CERTIFICATE',
			message:
				'mtls.ca: expected a CERTIFICATE in the given bytes, found PKCS7 without a certificate that can be read',
		});
	});
});

describe('a passphrase from a file', () => {
	test.each([
		['a line end', '\n', 'it ends with a line end, as text from a file or a mounted secret does'],
		['a line end of Windows', '\r\n', 'it ends with a line end'],
		['a blank', ' ', 'it begins or ends with a blank'],
	])('a passphrase with %s behind it is refused, and that is named', (_, end, reason) => {
		const encrypted = createPrivateKey(client.key)
			.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase})
			.toString();
		for (const mtls of [{pfx}, {cert: client.cert, key: encrypted}]) {
			const error = configRefusal({...mtls, passphrase: passphrase + end}, [
				passphrase,
				client.key,
			]);
			expect(error).toMatchObject({code: 'ERR_MTLS_BAD_PASSPHRASE', option: 'mtls.passphrase'});
			expect(error.message).toContain(reason);
			const wrong = configRefusal({...mtls, passphrase: 'MARK-wrong'}, ['MARK']);
			expect(wrong.message).toMatch(/the passphrase does not open .* in the given (text|bytes)$/);
		}
	});
});
