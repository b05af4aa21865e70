import {createPrivateKey, createPublicKey, type KeyExportOptions} from 'node:crypto';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {describeBlocks, describeDamage, readPem} from '../../../src/tls/credentials/pem.ts';
import {pemMarks, printedForms} from '../../support/printed-forms.ts';

let directory: string;
let cert: string;
let key: string;
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-pem-'));
	({cert, key} = await (await createTestPki()).client());
});
afterAll(() => rmSync(directory, {recursive: true}));

function file(name: string, content: string | Buffer): string {
	const path = join(directory, name);
	writeFileSync(path, content);
	return path;
}

function refusal(source: unknown): MtlsConfigError {
	try {
		// The types forbid some of it; JavaScript does not.
		readPem(source as string, 'mtls.key');
	} catch (error) {
		if (error instanceof MtlsConfigError) return error;
		throw error;
	}
	throw new Error('it was read');
}

function exported(format: Omit<KeyExportOptions<'der'>, 'format'>): Buffer {
	return createPrivateKey(key).export({...format, format: 'der'});
}

function publicKey(): Buffer {
	return createPublicKey(key).export({type: 'spki', format: 'der'});
}

const lines = (bytes: Buffer) => bytes.toString('base64').replaceAll(/.{1,64}/g, '$&\n');
const der = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('what is read', () => {
	test.each<[string, () => string | Uint8Array, string]>([
		['text', () => key, 'the given text'],
		['a Buffer', () => Buffer.from(key), 'the given bytes'],
		['a Uint8Array', () => new Uint8Array(Buffer.from(key)), 'the given bytes'],
		['text with Windows line ends', () => key.replaceAll('\n', '\r\n'), 'the given text'],
		['text with words around it', () => `Bag Attributes\n${key}the end\n`, 'the given text'],
		['text after a byte order mark', () => `\ufeff${key}`, 'the given text'],
	])('the text %s is PEM', (_, source, from) => {
		const pem = readPem(source(), 'mtls.key');
		expect(pem.from).toBe(from);
		expect(pem.blocks).toMatchObject([{label: 'PRIVATE KEY'}]);
		expect(pem.blocks[0]?.text).toMatch(/^-----BEGIN .+ KEY-----\n$/s);
	});

	test('a path is read, and named in its errors', () => {
		const path = file('client.key', key);
		expect(readPem(path, 'mtls.key')).toEqual({
			blocks: [{label: 'PRIVATE KEY', text: key}],
			from: `file '${path}'`,
			path,
		});
	});

	test('a long path without a dot is a path', () => {
		const path = file('a'.repeat(200), key);
		expect(readPem(path, 'mtls.key').blocks).toHaveLength(1);
	});

	test.each<[string, () => Buffer, string]>([
		['a certificate', () => der(cert), 'CERTIFICATE'],
		['a PKCS#8 key', () => der(key), 'PRIVATE KEY'],
		['a SEC1 key', () => exported({type: 'sec1'}), 'EC PRIVATE KEY'],
		['a public key', () => publicKey(), 'PUBLIC KEY'],
		[
			'an encrypted key',
			() => exported({type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x'}),
			'ENCRYPTED PRIVATE KEY',
		],
	])('DER of %s is the block that it would be in PEM', (_, source, label) => {
		const bytes = source();
		const text = `-----BEGIN ${label}-----\n${lines(bytes)}-----END ${label}-----\n`;
		expect(readPem(bytes, 'mtls.key').blocks).toEqual([{label, text}]);
		expect(readPem(file('any.der', bytes), 'mtls.key').blocks).toEqual([{label, text}]);
	});

	test('bytes that follow DER in a file are left alone', () => {
		const bytes = Buffer.concat([der(cert), Buffer.from('\nthe end')]);
		expect(readPem(bytes, 'mtls.cert')).toEqual(readPem(der(cert), 'mtls.cert'));
	});

	test('a block that is indented, as in YAML, is straightened', () => {
		const indented = `tls:\n${key.replaceAll(/^/gm, '  \t')}`;
		expect(readPem(indented, 'mtls.key').blocks).toEqual([{label: 'PRIVATE KEY', text: key}]);
	});

	test('blank lines in a block are taken out', () => {
		const spaced = key.replaceAll('\n', '\r\n \r\n');
		expect(readPem(spaced, 'mtls.key').blocks).toEqual([{label: 'PRIVATE KEY', text: key}]);
	});

	test('several blocks keep their order, and each kind is named once', () => {
		const {blocks} = readPem(cert + key + cert, 'mtls.cert');
		expect(blocks.map(({label}) => label)).toEqual(['CERTIFICATE', 'PRIVATE KEY', 'CERTIFICATE']);
		expect(describeBlocks(blocks)).toBe('CERTIFICATE, PRIVATE KEY');
	});

	test('a block with RFC 1421 headers is whole', () => {
		const text =
			'-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n';
		expect(readPem(text, 'mtls.key').blocks).toEqual([{label: 'RSA PRIVATE KEY', text}]);
	});
});

describe('what is refused', () => {
	test.each<[string, () => unknown, string, string | RegExp]>([
		[
			'a file that is not there',
			() => join(directory, 'none.pem'),
			'ERR_MTLS_NO_SUCH_FILE',
			/^no such file '.*none\.pem'$/,
		],
		[
			'a directory',
			() => directory,
			'ERR_MTLS_UNREADABLE_FILE',
			/^cannot read file '.*': it is a folder \(EISDIR\)$/,
		],
		[
			'a path through a file',
			() => join(file('a.pem', key), 'b.pem'),
			'ERR_MTLS_UNREADABLE_FILE',
			/^cannot read file '.*b\.pem': a part of its path is a file, not a folder \(ENOTDIR\)$/,
		],
		['an empty file', () => file('empty.pem', ''), 'ERR_MTLS_NOT_PEM', /, found nothing$/],
		[
			'a file of white space',
			() => file('blank.pem', ' \n\n'),
			'ERR_MTLS_NOT_PEM',
			/, found nothing$/,
		],
		['an empty string', () => '', 'ERR_MTLS_NOT_PEM', /, found an empty string$/],
		['a blank string', () => ' \n', 'ERR_MTLS_NOT_PEM', /, found an empty string$/],
		[
			'DER of another kind',
			() => Buffer.from(`302e${'00'.repeat(46)}`, 'hex'),
			'ERR_MTLS_NOT_PEM',
			/, found DER \(binary\) data$/,
		],
		[
			'DER that is cut short',
			() => file('client.der', der(key).subarray(0, -1)),
			'ERR_MTLS_NOT_PEM',
			/^expected PEM in file '.*client\.der', found DER \(binary\) data that is cut short or damaged$/,
		],
		[
			'a Java keystore',
			() => Buffer.from('feedfeed00000002', 'hex'),
			'ERR_MTLS_NOT_PEM',
			/, found a Java keystore \(`keytool .* pkcs12` makes/,
		],
		[
			'DER that became text',
			() => der(key).toString('utf8'),
			'ERR_MTLS_NOT_PEM',
			/found binary data that was read as text \('utf8'\), which destroys it \(give its path,/,
		],
		[
			'base64 that is cut short',
			() => der(key).toString('base64').slice(0, -8),
			'ERR_MTLS_NOT_PEM',
			/found \d+ characters without a -----BEGIN line$/,
		],
		[
			'bytes of base64 that is cut short',
			() => Buffer.from(der(key).toString('base64').slice(0, -8)),
			'ERR_MTLS_NOT_PEM',
			/found base64 that is cut short or damaged$/,
		],
		['UTF-16', () => utf16(key), 'ERR_MTLS_NOT_PEM', /, found UTF-16 text or other binary data$/],
		[
			'an HTML page',
			() => file('page.pem', '<!DOCTYPE html><title>Log in</title>'),
			'ERR_MTLS_NOT_PEM',
			/, found an HTML page$/,
		],
		[
			'an OpenSSH public key',
			() => Buffer.from('ssh-ed25519 AAAA me'),
			'ERR_MTLS_NOT_PEM',
			/, found an OpenSSH public key$/,
		],
		['other text', () => '0\nhello', 'ERR_MTLS_NOT_PEM', /, found 7 bytes without a -----BEGIN/],
		[
			'a block without its end',
			() => key.slice(0, 80),
			'ERR_MTLS_NOT_PEM',
			/^expected PEM in the given text, found a PRIVATE KEY block that is cut short$/,
		],
		[
			'a block without its beginning',
			() => key.slice(30),
			'ERR_MTLS_NOT_PEM',
			/a PRIVATE KEY block that is cut short$/,
		],
		[
			'a cut block among whole ones',
			() => cert + cert.slice(0, 100) + cert,
			'ERR_MTLS_NOT_PEM',
			/a CERTIFICATE block that is cut short$/,
		],
		['a number', () => 1, 'ERR_MTLS_BAD_OPTION', /, found number$/],
		['null', () => null, 'ERR_MTLS_BAD_OPTION', /, found null$/],
		['an object', () => ({}), 'ERR_MTLS_BAD_OPTION', /, found object$/],
	])('the input %s is reported as what it is', (_, source, code, message) => {
		const error = refusal(source());
		expect(error).toMatchObject({code, option: 'mtls.key'});
		expect(error.message.slice('mtls.key: '.length)).toMatch(message);
	});

	// Root reads everything, so on such a machine there is nothing to see.
	test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
		'a file that may not be read is refused with the reason of the system',
		() => {
			const path = file('locked.pem', key);
			chmodSync(path, 0);
			expect(refusal(path)).toMatchObject({
				code: 'ERR_MTLS_UNREADABLE_FILE',
				option: 'mtls.key',
				message: `mtls.key: cannot read file '${path}': this process may not read it (EACCES)`,
			});
		},
	);

	test('the error of the system stays as the cause', () => {
		expect(refusal(join(directory, 'none.pem')).cause).toMatchObject({code: 'ENOENT'});
	});

	test.each<[string, (pem: string) => string]>([
		['in one line of base64 that is cut short', (pem) => der(pem).toString('base64').slice(4)],
		['in base64url that is cut short', (pem) => der(pem).toString('base64url').slice(0, -4)],
		[
			'in lines of base64 joined by blanks, the first one lost',
			(pem) => pem.split('\n').slice(2, -2).join(' '),
		],
		['in hex', (pem) => der(pem).toString('hex')],
		['percent-encoded', (pem) => encodeURIComponent(pem)],
		['with a mistyped armour', (pem) => pem.replaceAll('-----', '----').replaceAll('\n', ' ')],
		[
			'as lines without armour, the first one lost',
			(pem) => pem.split('\n').slice(2, -2).join('\n'),
		],
		['cut short', (pem) => pem.slice(0, -40)],
	])('a key %s is not repeated', (_, mangle) => {
		const text = mangle(key);
		const error = refusal(text);
		expect(error).toMatchObject({code: 'ERR_MTLS_NOT_PEM', option: 'mtls.key'});
		const printed = printedForms(error);
		for (const mark of [...pemMarks(key), text.slice(60, 90)]) expect(printed).not.toContain(mark);
	});
});

test('a part of a key that begins with a slash is not repeated, and a long absolute path is', () => {
	const part = `/${'aB3+'.repeat(16)}`;
	expect(refusal(part).message).not.toContain('aB3');
	const path = `/${'very-long-folder/'.repeat(8)}client`;
	expect(refusal(path).message).toContain(path);
});

describe('what may have befallen a block', () => {
	test.each([
		['written-out line ends', (pem: string) => pem.trim().replaceAll('\n', '\\n'), /as \\n$/],
		['no line ends', (pem: string) => pem.replaceAll('\n', ' '), /line ends are missing$/],
		['nothing', (pem: string) => pem, /^$/],
	])('the damage of a PEM block is reported: %s', (_, mangle, expected) => {
		const [block] = readPem(mangle(key), 'mtls.key').blocks;
		expect(block && describeDamage(block)).toMatch(expected);
	});
});
