import {createPrivateKey, generateKeyPairSync, X509Certificate} from 'node:crypto';
import {chmodSync, writeFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {run} from '../../../src/cli/run.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {fakeIo, type TempDir, tempDir} from '../../support/fake-io.ts';
import {writePfx} from '../../support/pfx-writer.ts';
import {pemMarks} from '../../support/printed-forms.ts';

interface Inspected {
	readonly code: number;
	readonly out: string;
	readonly err: string;
}

async function inspected(argv: readonly string[], passphrase?: string): Promise<Inspected> {
	const io = fakeIo(passphrase === undefined ? {} : {env: {AXIOS_MTLS_PASSPHRASE: passphrase}});
	const code = await run(['inspect', ...argv], io);
	return {code, out: io.out(), err: io.errText()};
}

/** Writes a file that its owner alone can read. */
function writePrivate(dir: TempDir, name: string, content: string | Buffer): string {
	const path = dir.write(name, '');
	writeFileSync(path, content);
	chmodSync(path, 0o600);
	return path;
}

test('inspect says what a certificate is, for whom, how long, and with which key', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const {cert} = await pki.server({organization: 'Bank', keyType: 'rsa'});
	const {fingerprint256} = new X509Certificate(cert);

	const {code, out, err} = await inspected([dir.write('server.crt', cert)]);

	expect({code, err}).toEqual({code: 0, err: ''});
	for (const line of [
		/server\.crt: PEM, CERTIFICATE$/m,
		/^ {2}subject +O=Bank, CN=localhost$/m,
		/^ {2}issuer +CN=Test Root CA$/m,
		/^ {2}names +localhost, 127\.0\.0\.1, ::1$/m,
		/^ {2}valid +\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d \(ends in 89 days\)$/m,
		/^ {2}key +RSA, 2048 bits$/m,
		/^ {2}pin +sha256\/\/[\w+/]{43}=$/m,
		/^ {2}purposes +serverAuth$/m,
		/^ {2}✓ nothing is wrong with it$/m,
	]) {
		expect(out).toMatch(line);
	}
	expect(out).toContain(`  SHA-256\n    ${fingerprint256}\n`);
});

test('a CA is distinguished from a server, and the certificates of a bundle are counted', async () => {
	using dir = tempDir();
	const [one, two] = [await createTestPki(), await createTestPki({commonName: 'Other CA'})];

	const {code, out} = await inspected([dir.write('ca.pem', one.ca + two.ca)]);

	expect(code).toBe(0);
	expect(out).toContain('PEM, 2 CERTIFICATE\n');
	expect(out.match(/^CA certificate$/gm)).toHaveLength(2);
	expect(out).toContain('  issuer    itself\n');
	expect(out).toContain('nothing is wrong');
});

test('a key that fits is exit code 0, one that does not is exit code 1', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const [mine, other] = await Promise.all([pki.client(), pki.client({keyType: 'rsa'})]);
	const cert = dir.write('client.crt', mine.cert);

	const right = await inspected([cert, '--key', writePrivate(dir, 'mine.key', mine.key)]);
	expect(right.code).toBe(0);
	expect(right.out).toContain('  fits      CN=client\n');

	const wrong = await inspected([cert, '--key', writePrivate(dir, 'other.key', other.key)]);
	expect(wrong.code).toBe(1);
	expect(wrong.out).toContain('✗ the key (RSA, 2048 bits) does not fit the certificate\n');

	const both = writePrivate(dir, 'both.pem', mine.key + mine.cert);
	expect(await inspected([both])).toMatchObject({code: 0});
	const mixed = writePrivate(dir, 'mixed.pem', other.key + mine.cert);
	expect(await inspected([mixed])).toMatchObject({code: 1});
});

test('a certificate that has expired, or is not valid yet, is exit code 1', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const late = await pki.client({expired: true});
	const early = await pki.client({notYetValid: true});

	const ended = await inspected([dir.write('late.crt', late.cert)]);
	expect(ended.code).toBe(1);
	expect(ended.out).toMatch(/✗ 'client' expired on \d{4}-\d\d-\d\d/);
	const begins = await inspected([dir.write('early.crt', early.cert)]);
	expect(begins.code).toBe(1);
	expect(begins.out).toMatch(/✗ 'client' is not valid before /);
});

test('a certificate that ends soon, is weak, does not belong or can be read by others is reported, with exit code 0', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const validTo = new Date(Date.now() + 5.5 * 86_400_000);
	const validFrom = new Date(Date.now() - 90 * 86_400_000);
	const {cert, key} = await pki.client({validFrom, validTo});
	const stranger = await createTestPki({commonName: 'Stranger CA'});
	const file = dir.write('all.pem', cert + stranger.ca + key);
	chmodSync(file, 0o644);

	const {code, out} = await inspected([file]);

	expect(code).toBe(0);
	expect(out).toContain(
		`! 'client' expires on ${validTo.toISOString().slice(0, 10)}, in 5 days: renew it this week\n`,
	);
	expect(out).toContain("! 'Stranger CA' is not part of the chain of 'client'\n");
	expect(out).toMatch(/holds a key and others can read it:\s+chmod 600\n/);

	const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 1024});
	const weak = privateKey.export({type: 'pkcs1', format: 'pem'});
	const told = await inspected([writePrivate(dir, 'weak.key', weak)]);
	expect(told.out).toContain('! the key (RSA, 1024 bits) is shorter than servers want\n');
});

test('keys of each PEM label and of DER are read, and their pin is that of their certificate', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const {cert, key} = await pki.client();
	const object = createPrivateKey(key);
	const certificate = new X509Certificate(cert);
	const files: [string, string | Buffer][] = [
		['pkcs8.pem', key],
		['sec1.pem', object.export({type: 'sec1', format: 'pem'})],
		['pkcs8.der', object.export({type: 'pkcs8', format: 'der'})],
		['sec1.der', object.export({type: 'sec1', format: 'der'})],
	];
	const ofCertificate = await inspected([writePrivate(dir, 'c.der', certificate.raw)]);
	const pin = /sha256\/\/\S+/.exec(ofCertificate.out)?.[0] ?? 'none';
	expect(ofCertificate.out).toContain('c.der: DER, certificate\n');

	for (const [name, content] of files) {
		const {code, out} = await inspected([writePrivate(dir, name, content)]);
		expect({name, code}).toEqual({name, code: 0});
		expect(out).toContain(`  pin       ${pin}\n`);
		for (const mark of pemMarks(key)) expect(out).not.toContain(mark);
	}
});

test('an encrypted key opens with its passphrase, and is exit code 64 with another or none', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const {key} = await pki.client({passphrase: 'MARK-passphrase'});
	const file = writePrivate(dir, 'client.key', key);

	const opened = await inspected([
		file,
		'--passphrase-file',
		dir.write('secret.txt', 'MARK-passphrase\n'),
	]);
	expect(opened.code).toBe(0);
	const none = await inspected([file]);
	expect(none.code).toBe(64);
	expect(none.err).toMatch(/is encrypted and no passphrase was given\n {2}--passphrase-file/);
	const wrong = await inspected([file], 'MARK-wrong');
	expect(wrong.code).toBe(64);
	expect(wrong.err).toContain('the passphrase does not open');

	for (const {out, err} of [opened, none, wrong]) {
		expect(out + err).not.toContain('MARK');
		for (const mark of pemMarks(key)) expect(out + err).not.toContain(mark);
	}
});

test('a file that cannot be read, or holds neither certificate nor key, is exit code 64', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const damaged = pki.ca.replace(/\n.{20}/, '\n');
	const {publicKey} = generateKeyPairSync('ed25519');
	const spki = publicKey.export({type: 'spki', format: 'pem'}).toString();
	const cert = dir.write('client.crt', (await pki.client()).cert);
	const cases: [readonly string[], RegExp][] = [
		[[dir.at('missing')], /missing: no such file '.*missing'$/m],
		[[dir.path], /: cannot read file '.*': it is a folder \(EISDIR\)$/m],
		[[dir.write('empty', '')], /: expected PEM in file '.*empty', found nothing$/m],
		[
			[dir.write('junk', 'junk')],
			/: expected PEM in file '.*junk', found 4 bytes without a -----BEGIN line$/m,
		],
		[[dir.write('half', damaged)], /: a CERTIFICATE in file '.*half' cannot be parsed$/m],
		[[dir.write('public', spki)], /expected a certificate or a private key, found PUBLIC KEY$/m],
		[[cert, '--key', cert], /^axios-mtls: --key: expected a private key, found CERTIFICATE$/m],
		[[cert, '--key', dir.at('missing')], /^axios-mtls: --key: no such file '.*missing'$/m],
	];
	for (const [argv, told] of cases) {
		const {code, out, err} = await inspected(argv);
		expect({code, out}).toEqual({code: 64, out: ''});
		expect(err).toMatch(told);
	}
});

test('inspect lists the entries of a keystore, and which of them is used', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const entries = {
		old: await pki.client({commonName: 'old', expired: true}),
		renewed: await pki.client({commonName: 'renewed'}),
		"Bob's": await pki.client({commonName: 'bob'}),
	};
	const keystore = (names: readonly (keyof typeof entries)[]) =>
		writePfx({
			keys: names.map((name) => ({
				der: createPrivateKey(entries[name].key).export({type: 'pkcs8', format: 'der'}),
				name,
			})),
			certificates: names.map((name) => ({
				der: new X509Certificate(entries[name].leaf).raw,
				name,
			})),
			key: 'none',
			cert: 'none',
			mac: 'none',
		});

	const one = await inspected([writePrivate(dir, 'one.p12', keystore(['old', 'renewed']))]);
	expect(one.code).toBe(0);
	expect(one.out.match(/^ {2}alias +old$/gm)).toHaveLength(2);
	expect(one.out).toMatch(/^ {2}used +no: it expired on \d{4}-\d\d-\d\d/m);
	expect(one.out).toMatch(/^ {2}used +yes$/m);
	expect(one.out).toMatch(/^ {2}! 'old' expired on /m);

	const all = keystore(['old', 'renewed', "Bob's"]);
	const two = await inspected([writePrivate(dir, 'two.p12', all)]);
	expect(two.code).toBe(1);
	expect(two.out).toMatch(/^ {2}used +with --alias renewed$/m);
	expect(two.out).toMatch(/^ {2}used +with --alias 'Bob'\\''s'$/m);
	// Long lines are wrapped.
	const text = two.out.replaceAll(/\s+/g, ' ');
	expect(text).toMatch(/✗ \S*two\.p12' holds 2 identities that can be used; name one by/);
});
