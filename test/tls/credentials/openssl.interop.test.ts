/*
 * openssl and curl on the same files: they read what we read, and refuse what we refuse.
 */
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type MtlsServer, startMtlsServer} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {type CredentialForm, makeCorpus, passphrase} from '../../support/credential-forms.ts';
import {needs} from '../../support/servers/programs.ts';

const {forms, pki, intermediate} = await makeCorpus();
const openssls = forms.filter(({readers}) => readers !== 'openssl-3.4');
const curls = forms.filter(({readers}) => readers === 'curl');

let directory: string;
let files = 0;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-credentials-'));
});
afterAll(() => rmSync(directory, {recursive: true}));

function file(content: string | Buffer): string {
	const path = join(directory, `${++files}`);
	writeFileSync(path, content);
	return path;
}

// A process of this size takes its time to start another; a shell does not.
const shell = spawn('sh', {
	stdio: ['pipe', 'pipe', 'inherit'],
	// A locale of UTF-8: openssl turns the passphrase of a PKCS#12 file into UTF-16.
	env: {LC_ALL: 'C.UTF-8'},
});
const codes = createInterface(shell.stdout)[Symbol.asyncIterator]();
afterAll(() => {
	shell.stdin.end();
});

const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Whether a program ends well. One at a time is asked. */
async function succeeds(program: string, argv: readonly string[]): Promise<boolean> {
	const command = [program, ...argv].map(quoted).join(' ');
	shell.stdin.write(`${command} >/dev/null 2>&1 </dev/null; echo $?\n`);
	const {value: code} = await codes.next();
	// The shell itself, of a program that it cannot start, or that a signal has ended.
	if (!(Number(code) < 126)) throw new Error(`${code}: ${command}`);
	return code === '0';
}

function opensslArgv({cert, key, readers}: CredentialForm, word: string): string[] {
	const pass = ['-passin', `file:${file(`${word}\n`)}`];
	const legacy = readers === 'openssl-legacy';
	if (cert.type === 'P12') {
		return ['pkcs12', '-in', file(cert.bytes), '-noenc', ...pass, ...(legacy ? ['-legacy'] : [])];
	}
	const {bytes, type} = key ?? cert;
	const providers = legacy ? ['-provider', 'legacy', '-provider', 'default'] : [];
	return ['pkey', '-in', file(bytes), '-inform', type, '-noout', ...pass, ...providers];
}

describe('openssl', () => {
	test.for(openssls.map((form) => [form.name, form] as const))(
		'openssl reads the credential %s',
		async ([, form], ctx) => {
			const openssl = needs(ctx, 'openssl');
			const read = (word: string) => succeeds(openssl, opensslArgv(form, word));
			expect(await read(form.passphrase ?? '')).toBe(true);
			if (form.passphrase !== undefined) expect(await read('MARK-wrong-horse')).toBe(false);
		},
	);

	test.for<[string, readonly string[], string?]>([
		['as it does by itself', []],
		['in its legacy form', ['-legacy']],
		['with a chain', ['-certfile', 'CA']],
		['with the certificates under RC2-40 and the key under 3DES', ['-legacy', '-descert']],
		['under AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
		['with the certificates in the open', ['-certpbe', 'NONE']],
		['with all in the open', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
		['without a MAC', ['-nomac']],
		['with a MAC of SHA-512', ['-macalg', 'sha512']],
		['with 100,000 iterations', ['-iter', '100000']],
		['with one', ['-noiter', '-nomaciter']],
		['with a name', ['-name', 'Ä name', '-caname', 'another', '-certfile', 'CA']],
		['with an empty passphrase', [], ''],
	])(
		'openssl writes PKCS#12 %s, and the library reads it',
		async ([, argv, word = passphrase], ctx) => {
			const openssl = needs(ctx, 'openssl');
			const {cert, key} = await intermediate.client({commonName: 'alice'});
			const out = file('');
			const written = await succeeds(openssl, [
				...['pkcs12', '-export', '-in', file(cert + key), '-out', out],
				...['-passout', `file:${file(`${word}\n`)}`],
				...argv.map((each) => (each === 'CA' ? file(pki.ca) : each)),
			]);
			expect(written).toBe(true);

			const load = (passphrase?: string) =>
				loadCredentials({pfx: out, ...(passphrase !== undefined && {passphrase})}, new Date());
			expect(load(word)?.facts.subject).toBe('CN=alice');
			expect(load(word)?.cert).toMatch(/^(-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n){2,3}$/);
			const refused = expect.objectContaining({code: 'ERR_MTLS_BAD_PASSPHRASE'});
			expect(() => load('MARK-wrong-horse')).toThrow(refused);
			if (word === '') expect(load()?.facts.subject).toBe('CN=alice');
			else expect(() => load()).toThrow(refused);
		},
	);
});

test.for<[string, readonly string[]]>([
	['', []],
	[' in its legacy form', ['-legacy']],
])('a PKCS#12 with 600,000 iterations as openssl writes it%s is opened', async ([, argv], ctx) => {
	const openssl = needs(ctx, 'openssl');
	const {cert, key} = await intermediate.client({commonName: 'alice'});
	const out = file('');
	const words = ['-passout', `file:${file(`${passphrase}\n`)}`, '-iter', '600000', ...argv];
	const source = file(cert + key);
	const argv12 = ['pkcs12', '-export', '-in', source, '-out', out, ...words];
	expect(await succeeds(openssl, argv12)).toBe(true);
	expect(loadCredentials({pfx: out, passphrase}, new Date())?.facts.subject).toBe('CN=alice');
});

describe('curl', () => {
	let server: MtlsServer;
	beforeAll(async () => {
		server = await startMtlsServer({pki, clientCa: [pki.ca, intermediate.cert]});
	});
	afterAll(() => server.close());

	// Its `--pass` is read from a file here, as everything that others could see in `ps`.
	test.for(curls.map((form) => [form.name, form] as const))(
		'curl presents %s to a server, as the library does',
		async ([, form], ctx) => {
			const curl = needs(ctx, 'curl');
			const connections = server.connections.length;
			const requests = server.requests.length;
			const {cert, key} = form;
			const accepted = (word: string | undefined) =>
				succeeds(curl, [
					...['-q', '--noproxy', '*', '--silent', '--fail', '--max-time', '15'],
					...['--cacert', file(pki.ca), '--cert', file(cert.bytes), '--cert-type', cert.type],
					...(key ? ['--key', file(key.bytes), '--key-type', key.type] : []),
					...(word === undefined ? [] : ['--config', file(`pass = "${word}"\n`)]),
					server.url('/whoami'),
				]);

			expect(await accepted(form.passphrase)).toBe(true);
			const [connection] = server.connections.slice(connections);
			expect(connection?.clientCertificate?.fingerprint256).toBe(form.fingerprint256);
			if (form.passphrase !== undefined) {
				expect(await accepted('MARK-wrong-horse')).toBe(false);
			}
			expect(server.requests).toHaveLength(requests + 1);
		},
	);
});
