/*
 * What the library loads, `inspect` reads; what it refuses, `inspect` refuses in the same words.
 */
import {generateKeyPairSync, webcrypto, X509Certificate} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {run} from '../../../src/cli/run.ts';
import type {MtlsOptions} from '../../../src/index.ts';
import {loadX509} from '../../../src/testing/x509.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {type CredentialForm, makeCorpus, passphrase} from '../../support/credential-forms.ts';
import {fakeIo, type TempDir, tempDir} from '../../support/fake-io.ts';
import {issueFor} from '../../support/issue-for.ts';
import {sample} from '../../support/iterations.ts';
import {pfxOf, writePkcs7} from '../../support/pfx-writer.ts';

const wrong = 'MARK-wrong-horse';
const {pki, intermediate, forms} = await makeCorpus();

async function inspected(argv: readonly string[], word?: string) {
	const io = fakeIo({env: word === undefined ? {} : {AXIOS_MTLS_PASSPHRASE: word}});
	const code = await run(['inspect', ...argv], io);
	for (const secret of [passphrase, wrong]) expect(io.out() + io.err()).not.toContain(secret);
	return {code, out: io.out(), err: io.errText(), text: io.out().replaceAll(/\s+/g, ' ')};
}

function write(dir: TempDir, name: string, bytes: Buffer): string {
	const path = dir.at(name);
	writeFileSync(path, bytes, {mode: 0o600});
	return path;
}

/** A form as files: for the command line, and for the library. */
function filesOf({cert, key}: CredentialForm, dir: TempDir) {
	const file = write(dir, 'certificate', cert.bytes);
	const keyFile = key === undefined ? undefined : write(dir, 'key', key.bytes);
	const mtls: MtlsOptions =
		cert.type === 'P12' ? {pfx: file} : {cert: file, ...(keyFile && {key: keyFile})};
	return {argv: keyFile === undefined ? [file] : [file, '--key', keyFile], mtls};
}

async function expectRead(form: CredentialForm, word: string | undefined): Promise<void> {
	using dir = tempDir();
	const {code, out, err, text} = await inspected(filesOf(form, dir).argv, word);
	expect({code, err}).toEqual({code: 0, err: ''});
	expect(out).toContain(`  SHA-256\n    ${form.fingerprint256}\n`);
	expect(out).toMatch(/^ {2}fits +CN=/m);
	expect(text).toContain(
		form.hasChain ? '✓ nothing is wrong with it' : 'whose certificate is not sent with ours',
	);
}

async function expectRefused(form: CredentialForm, word: string | undefined): Promise<void> {
	using dir = tempDir();
	const {argv, mtls} = filesOf(form, dir);
	const {option, message} = configRefusal({...mtls, ...(word !== undefined && {passphrase: word})});
	const {code, out, err} = await inspected(argv, word);
	expect({code, out}).toEqual({code: 64, out: ''});
	expect(err).toContain(`: ${message.replace(`${option}: `, '')}\n`);
	expect(err).toContain('--passphrase-file FILE, or AXIOS_MTLS_PASSPHRASE\n');
}

describe.each(sample(forms).map((form) => [form.name, form] as const))('%s', (_, form) => {
	test('inspect reads it with the right passphrase', () => expectRead(form, form.passphrase));

	if (form.passphrase === undefined) return;

	test('inspect refuses it with a wrong passphrase as the library does', () =>
		expectRefused(form, wrong));

	test('inspect without a passphrase does as the library does', () =>
		form.passphrase === '' ? expectRead(form, undefined) : expectRefused(form, undefined));
});

const jks = Buffer.concat([Buffer.from('feedfeed00000002', 'hex'), Buffer.alloc(64)]);
const openssh =
	'-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n';
const refused: readonly (readonly [string, Buffer])[] = [
	['a Java keystore', jks],
	['a key of OpenSSH', Buffer.from(openssh + intermediate.cert)],
	['an HTML page', Buffer.from('<!doctype html><title>Sign in</title>')],
	['a certificate that is cut short', Buffer.from(intermediate.cert.slice(0, -40))],
	['DER that is cut short', new X509Certificate(intermediate.cert).raw.subarray(0, 100)],
];

test.each(refused)('inspect refuses %s in the words of the library', async (_, bytes) => {
	using dir = tempDir();
	const file = write(dir, 'file', bytes);
	const {option, message} = configRefusal({cert: file});
	const {code, err} = await inspected([file]);
	expect({code, err}).toEqual({
		code: 64,
		err: `axios-mtls: inspect ${file}: ${message.replace(`${option}: `, '')}\n`,
	});
});

test('inspect shows the certificates of a PKCS#7 file, PEM or DER', async () => {
	using dir = tempDir();
	const der = writePkcs7([pki.ca, intermediate.cert].map((text) => new X509Certificate(text).raw));
	const pem = `-----BEGIN PKCS7-----\n${der.toString('base64')}\n-----END PKCS7-----\n`;
	for (const bytes of [der, Buffer.from(pem)]) {
		const {code, text: printed} = await inspected([write(dir, 'chain.p7b', bytes)]);
		expect(code).toBe(0);
		for (const text of [pki.ca, intermediate.cert]) {
			expect(printed).toContain(`SHA-256 ${new X509Certificate(text).fingerprint256}`);
		}
	}
});

test('inspect shows a PKCS#12 whose key is too short for OpenSSL', async () => {
	using dir = tempDir();
	const {publicKey, privateKey} = generateKeyPairSync('rsa', {modulusLength: 1024});
	const leaf = await issueFor(intermediate, publicKey, {commonName: 'short'});
	const key = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
	const pfx = pfxOf(leaf, key, {passphrase});
	const {code, out, text} = await inspected([write(dir, 'short.p12', pfx)], passphrase);
	expect(code).toBe(1);
	expect(text).toMatch(
		/✗ OpenSSL refuses our certificate: our key is too short \(\w+\); have a certi/,
	);
	expect(text).toContain('`--ciphers DEFAULT@SECLEVEL=1` takes it meanwhile');
	expect(out).toContain('short.p12: PKCS#12, certificate, private key\n');
	expect(out).toContain("! 'short' has a key of 1024 bits, and servers want 2048\n");
});

test('inspect says of a PKCS#12 for servers that it is not for clients, and is exit code 1', async () => {
	using dir = tempDir();
	const {cert, key} = await pki.server({keyType: 'ec'});
	const file = write(dir, 'server.p12', pfxOf(cert, key, {passphrase}));
	const {code, text} = await inspected([file], passphrase);
	expect(code).toBe(1);
	expect(text).toMatch(
		/✗ 'localhost' is not for clients: its extendedKeyUsage .* lacks clientAuth /,
	);
	expect(configRefusal({pfx: file, passphrase}).message).toContain('is not for clients');
});

test('inspect shows a PKCS#12 of certificates alone, and says that it has no key', async () => {
	using dir = tempDir();
	const pfx = pfxOf(intermediate.cert + pki.ca, '', {passphrase});
	const {code, out} = await inspected([write(dir, 'cas.p12', pfx)], passphrase);
	expect(code).toBe(0);
	expect(out).toContain('cas.p12: PKCS#12, 2 certificates\n');
	expect(out).toContain('! it holds no private key, so `--pfx` refuses it\n');
});

test('inspect says of a certificate that it is signed with SHA-1', async () => {
	using dir = tempDir();
	const x509 = await loadX509();
	const signingAlgorithm = {name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1'};
	const keys = await webcrypto.subtle.generateKey(
		{...signingAlgorithm, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1])},
		true,
		['sign', 'verify'],
	);
	const certificate = await x509.X509CertificateGenerator.create({
		subject: 'CN=old',
		issuer: 'CN=CA',
		notBefore: new Date(Date.now() - 1000),
		notAfter: new Date(Date.now() + 90 * 24 * 60 * 60 * 1000),
		publicKey: keys.publicKey,
		signingKey: keys.privateKey,
		signingAlgorithm,
	});
	const {code, out} = await inspected([dir.write('old.crt', certificate.toString('pem'))]);
	expect(code).toBe(0);
	expect(out).toContain("! 'old' is signed with SHA-1, which servers no longer accept\n");
});
