/*
 * What other programs write: the client loads it and `inspect` reads it, or both refuse it.
 */
import {execFile} from 'node:child_process';
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {run} from '../../../src/cli/run.ts';
import {createClient, MtlsConfigError, type MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {fakeIo} from '../../support/fake-io.ts';
import {pemMarks} from '../../support/printed-forms.ts';
import {needs} from '../../support/servers/programs.ts';

const passphrase = 'MARK-changeit';

let dir: string;
let pki: TestPki;
let client: Credential;
let web: Credential;
let late: Credential;
beforeAll(async () => {
	dir = mkdtempSync(join(tmpdir(), 'axios-mtls-agreement-'));
	pki = await createTestPki();
	[client, web, late] = await Promise.all([
		pki.client({keyType: 'rsa'}),
		pki.server({keyType: 'rsa'}),
		pki.client({keyType: 'rsa', expired: true}),
	]);
	write('ca.pem', pki.ca);
	write('pass', passphrase);
	for (const [name, {cert, key}] of Object.entries({client, web, late})) {
		write(`${name}.crt`, cert);
		write(`${name}.key`, key);
	}
});
afterAll(() => rmSync(dir, {recursive: true}));

const at = (name: string) => join(dir, name);
const write = (name: string, content: string | Buffer) =>
	writeFileSync(at(name), content, {mode: 0o600});

async function exec(program: string, argv: readonly string[]): Promise<void> {
	await promisify(execFile)(program, argv, {cwd: dir, env: {...process.env, LC_ALL: 'C.UTF-8'}});
}

/** Whether the client takes the file, and what `inspect` says of it; no secret is in either. */
async function verdicts(mtls: MtlsOptions, argv: readonly string[]) {
	let refusal: MtlsConfigError | undefined;
	try {
		await createClient({mtls, logger: false, proxy: false}).mtls.close();
	} catch (error) {
		if (!(error instanceof MtlsConfigError)) throw error;
		refusal = error;
	}
	const io = fakeIo({
		env: mtls.passphrase === undefined ? {} : {AXIOS_MTLS_PASSPHRASE: passphrase},
	});
	const code = await run(['inspect', ...argv], io);
	const said = `${io.out()}${io.err()}${refusal?.message}`;
	for (const secret of [passphrase, ...[client, web, late].flatMap(({key}) => pemMarks(key))]) {
		expect(said).not.toContain(secret);
	}
	return {loads: refusal === undefined, code, refusal, out: io.out(), err: io.err()};
}

interface Made {
	readonly program: string;
	readonly what: string;
	/** Writes the file `made`, and `made.key` where there is a key apart. */
	make(): Promise<void>;
	readonly as: 'pfx' | 'ca' | 'pair';
	/** Nothing in it is encrypted, and no passphrase is given. */
	readonly isOpen?: boolean;
	/** Whether a client can be made of it. */
	readonly loads: boolean;
}

const openssl = (...argv: readonly string[]) => exec('openssl', argv);
const exported = (name: string, ...more: readonly string[]) =>
	openssl(
		...['pkcs12', '-export', '-in', `${name}.crt`, '-inkey', `${name}.key`, '-out', 'made'],
		...['-passout', 'file:pass', '-name', name, ...more],
	);
const protectedKey = async (...more: readonly string[]) => {
	const argv = [
		'pkcs8',
		'-topk8',
		'-in',
		'client.key',
		'-out',
		'made.key',
		'-passout',
		'file:pass',
	];
	await openssl(...argv, ...more);
	write('made', client.cert);
};
const legacy = ['-provider', 'legacy', '-provider', 'default'];
const python = (script: string) => exec('/usr/bin/python3', ['-c', script]);

const pfx = {as: 'pfx', loads: true} as const;
const pair = {as: 'pair', loads: true} as const;
const trust = {as: 'ca', loads: true} as const;

const corpus: readonly Made[] = [
	{program: 'openssl', what: 'a PKCS#12', ...pfx, make: () => exported('client')},
	{
		program: 'openssl',
		what: 'a PKCS#12 of -legacy',
		...pfx,
		make: () => exported('client', '-legacy'),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 under Camellia, with a MAC over SHA3-256',
		...pfx,
		make: () =>
			exported(
				'client',
				...['-keypbe', 'camellia-256-cbc', '-certpbe', 'camellia-128-cbc', '-macalg', 'sha3-256'],
			),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 under ARIA, with a MAC over MD5',
		...pfx,
		make: () =>
			exported('client', '-keypbe', 'aria-256-cbc', '-certpbe', 'aria-128-cbc', '-macalg', 'md5'),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 under SEED',
		as: 'pfx',
		loads: false,
		make: () => exported('client', '-keypbe', 'seed-cbc', '-certpbe', 'seed-cbc', ...legacy),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 of a server',
		as: 'pfx',
		loads: false,
		make: () => exported('web'),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 that has expired',
		as: 'pfx',
		loads: false,
		make: () => exported('late'),
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 in base64',
		...pfx,
		make: async () => {
			await exported('client');
			write('made', readFileSync(at('made')).toString('base64'));
		},
	},
	{
		program: 'openssl',
		what: 'a PKCS#12 of certificates alone',
		...trust,
		make: () =>
			openssl(
				...['pkcs12', '-export', '-nokeys', '-in', 'ca.pem', '-out', 'made'],
				...['-passout', 'file:pass'],
			),
	},
	...['DER', 'PEM'].map(
		(form): Made => ({
			program: 'openssl',
			what: `a PKCS#7 in ${form}`,
			...trust,
			make: () =>
				openssl('crl2pkcs7', '-nocrl', '-certfile', 'ca.pem', '-outform', form, '-out', 'made'),
		}),
	),
	...['PBE-MD5-DES', 'PBE-SHA1-RC2-40', 'PBE-SHA1-3DES'].map(
		(name): Made => ({
			program: 'openssl',
			what: `a key under ${name}`,
			...pair,
			make: () => protectedKey('-v1', name, ...legacy),
		}),
	),
	...['aes-256-cbc', 'camellia-128-cbc', 'aria-192-cbc', 'sm4-cbc', 'des-cbc'].map(
		(name): Made => ({
			program: 'openssl',
			what: `a key under ${name}`,
			...pair,
			make: () => protectedKey('-v2', name, ...legacy),
		}),
	),
	...['seed-cbc', 'bf-cbc', 'cast5-cbc'].map(
		(name): Made => ({
			program: 'openssl',
			what: `a key under ${name}`,
			as: 'pair',
			loads: false,
			make: () => protectedKey('-v2', name, ...legacy),
		}),
	),
	{program: 'openssl', what: 'a key under scrypt', ...pair, make: () => protectedKey('-scrypt')},
	{
		program: 'openssl',
		what: 'an encrypted key in DER',
		...pair,
		make: () => protectedKey('-outform', 'DER'),
	},
	...['des', 'aes128', 'camellia256'].map(
		(name): Made => ({
			program: 'openssl',
			what: `a key in the old style under ${name}`,
			...pair,
			make: async () => {
				const argv = ['rsa', '-traditional', `-${name}`, '-in', 'client.key', '-out', 'made.key'];
				await openssl(...argv, '-passout', 'file:pass', ...legacy);
				write('made', client.cert);
			},
		}),
	),
	...['', '--outder'].map(
		(form): Made => ({
			program: 'certtool',
			what: `a PKCS#12 ${form === '' ? 'between lines of PEM' : 'in DER'}`,
			...pfx,
			make: () =>
				exec('certtool', [
					...['--to-p12', '--load-certificate', 'client.crt', '--load-privkey', 'client.key'],
					...['--p12-name', 'client', '--password', passphrase, '--outfile', 'made'],
					...(form === '' ? [] : [form]),
				]),
		}),
	),
	{
		program: 'pk12util',
		what: 'a PKCS#12 of NSS',
		...pfx,
		make: async () => {
			await exported('client');
			const db = mkdtempSync(join(dir, 'nss-'));
			await exec('certutil', ['-N', '-d', `sql:${db}`, '--empty-password']);
			await exec('pk12util', ['-i', 'made', '-d', `sql:${db}`, '-w', 'pass']);
			await exec('pk12util', ['-o', 'made', '-n', 'client', '-d', `sql:${db}`, '-w', 'pass']);
		},
	},
	...[
		'BestAvailableEncryption(p)',
		'PrivateFormat.PKCS12.encryption_builder().kdf_rounds(9).key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(p)',
		'NoEncryption()',
	].map(
		(encryption): Made => ({
			program: 'python3',
			what: `a PKCS#12 of cryptography, ${encryption.slice(0, 12)}`,
			...pfx,
			isOpen: encryption === 'NoEncryption()',
			make: () =>
				python(`
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import *
from cryptography.hazmat.primitives.serialization.pkcs12 import *
p = open('pass', 'rb').read()
key = load_pem_private_key(open('client.key', 'rb').read(), None)
cert = x509.load_pem_x509_certificate(open('client.crt', 'rb').read())
open('made', 'wb').write(serialize_key_and_certificates(b'client', key, cert, None, ${encryption}))
`),
		}),
	),
	{
		program: 'node',
		what: 'a key of Node under AES',
		...pair,
		make: async () => {
			const key = createPrivateKey(client.key);
			const cipher = {cipher: 'aes-256-cbc', passphrase};
			write('made.key', key.export({type: 'pkcs8', format: 'pem', ...cipher}));
			write('made', new X509Certificate(client.leaf).raw);
		},
	},
];

describe.each(corpus.map((made) => [`${made.program}: ${made.what}`, made] as const))(
	'%s',
	(_, made) => {
		test('the client and inspect agree on a file of another program', async (ctx) => {
			if (made.program !== 'node') needs(ctx, made.program);
			await made.make();
			const [file, key] = [at('made'), at('made.key')];
			const secret = made.isOpen ? {} : {passphrase};
			const found = await verdicts(
				made.as === 'pair' ? {cert: file, key, ...secret} : {[made.as]: file, ...secret},
				made.as === 'pair' ? [file, '--key', key] : [file],
			);
			expect({loads: found.loads, message: found.refusal?.message, err: found.err}).toMatchObject({
				loads: made.loads,
			});
			if (made.loads) {
				expect(found.code).toBe(0);
				const wanted = made.as === 'ca' ? pki.ca : client.leaf;
				expect(found.out).toContain(new X509Certificate(wanted).fingerprint256);
				return;
			}
			expect(found.code).toBe(found.refusal?.code === 'ERR_MTLS_UNSUPPORTED_KEY' ? 64 : 1);
			expect(found.refusal?.code).not.toBe('ERR_MTLS_BAD_PASSPHRASE');
		});
	},
);
