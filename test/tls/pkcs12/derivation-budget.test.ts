// Slow: it derives keys with as many iterations as are allowed.
import {createCipheriv, createPrivateKey, scryptSync} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../../src/index.ts';
import {type Credential, createTestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {readDer} from '../../../src/tls/pkcs12/der.ts';
import {DerivationBudget, DerivationTooLong} from '../../../src/tls/pkcs12/kdf.ts';
import {decryptsAny, parsePfx, readBags} from '../../../src/tls/pkcs12/safe-bags.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {cpuMs} from '../../support/cpu-ms.ts';
import {type PfxContent, pfxOf, tlv, writeEncryptedKey} from '../../support/pfx-writer.ts';

// Seen: a PKCS#12 file of 929 bytes that asks for 5,000,000 iterations for each of its parts made a
// process stand still for 95 s, and an encrypted PEM key for as long as it liked.

const passphrase = 'MARK-correct-horse';

let client: Credential;
let keyDer: Buffer;
beforeAll(async () => {
	client = await (await createTestPki()).client();
	keyDer = createPrivateKey(client.key).export({type: 'pkcs8', format: 'der'});
});

test('a budget is spent to the last round, and not one more', () => {
	const budget = new DerivationBudget(10);
	budget.spend(4);
	expect(() => budget.spend(7)).toThrow(new DerivationTooLong(11, 10));
	budget.spend(5);
	budget.spend(1);
	expect(() => budget.spend(1)).toThrow('11 rounds of key derivation, more than 10');
});

describe('a PKCS#12 file', () => {
	/** Whether a file is opened, its MAC included, with so many rounds. */
	function isOpened(pfx: Buffer, allowed: number, secret = passphrase): boolean {
		const {parts, macFits} = parsePfx(readDer(pfx));
		const attempt = {secret, budget: new DerivationBudget(allowed)};
		if (macFits?.(attempt) === false) return decryptsAny(parts, attempt);
		return readBags(parts, attempt)?.keys.length === 1;
	}

	// Four iterations each, times the digests that key, IV and MAC are made of.
	test.each<[string, Partial<PfxContent>, number]>([
		['AES-256 with a MAC', {}, 4 * (1 + 1 + 1)],
		['AES-256 without a MAC', {mac: 'none'}, 4 * (1 + 1)],
		['AES-256 with PBMAC1', {mac: 'pbmac1'}, 4 * (1 + 1 + 1)],
		['AES-192 over SHA-512', {key: 'aes-192-sha512', cert: 'none'}, 4 * (1 + 1)],
		['3DES over SHA-1', {key: 'pbe-3des', cert: 'pbe-3des', mac: 'sha1'}, 4 * (3 + 3 + 1)],
		['RC2-40 and 3DES', {key: 'pbe-3des', cert: 'pbe-rc2-40', mac: 'sha1'}, 4 * (3 + 2 + 1)],
		['DES of PBES1', {key: 'pbe-md5-des', cert: 'none', mac: 'none'}, 4],
	])('under %s is opened where the budget is what it takes, or more', (_, how, rounds) => {
		const pfx = pfxOf(client.leaf, client.key, {passphrase, ...how});
		expect(() => isOpened(pfx, rounds - 1)).toThrow(new DerivationTooLong(rounds, rounds - 1));
		expect(isOpened(pfx, rounds)).toBe(true);
		expect(isOpened(pfx, rounds + 1)).toBe(true);
	});

	test('a PKCS#12 file with many keys has one derivation budget', () => {
		const keys = Array.from({length: 9}, () => keyDer);
		const pfx = pfxOf(client.leaf, client.key, {passphrase, keys, mac: 'none'});
		const {parts} = parsePfx(readDer(pfx));
		const read = (allowed: number) =>
			readBags(parts, {secret: passphrase, budget: new DerivationBudget(allowed)});
		expect(() => read(39)).toThrow(new DerivationTooLong(40, 39));
		expect(read(40)?.keys).toHaveLength(9);
	});

	test('a PKCS#12 file pays for each try of a wrong passphrase, and the error does not blame it', () => {
		const pfx = pfxOf(client.leaf, client.key, {passphrase});
		expect(() => isOpened(pfx, 11, 'another')).toThrow(new DerivationTooLong(12, 11));
		expect(isOpened(pfx, 12, 'another')).toBe(false);
	});

	test('a PKCS#12 file that asks for too much is refused with what it asks for, before anything is derived', () => {
		const honest = pfxOf(client.leaf, client.key, {
			...{passphrase, iterations: 65_536, mac: 'none', cert: 'none', key: 'pbe-3des'},
		});
		// 65,536 becomes 1,666,667, three times.
		const pfx = Buffer.from(honest.toString('hex').replace('0203010000', '0203196e6b'), 'hex');
		const started = cpuMs();
		const error = configRefusal({pfx, passphrase}, [passphrase, client.key]);
		expect(cpuMs() - started).toBeLessThan(1_000);
		expect(error).toBeInstanceOf(MtlsConfigError);
		expect(error).toMatchObject({
			code: 'ERR_MTLS_UNSUPPORTED_KEY',
			option: 'mtls.pfx',
			message:
				'mtls.pfx: the PKCS#12 in the given bytes asks for 5000001 rounds of key derivation, more than 5000000',
		});
	});

	// What programs write by themselves, and the most that they are asked for.
	test.each<[string, Partial<PfxContent>]>([
		['openssl, 2,048', {iterations: 2_048}],
		['openssl -legacy', {iterations: 2_048, key: 'pbe-3des', cert: 'pbe-rc2-40', mac: 'sha1'}],
		['Windows, 2,000', {iterations: 2_000, key: 'pbe-3des', cert: 'pbe-3des', mac: 'sha1'}],
		['keytool, 10,000', {iterations: 10_000}],
		['keytool before Java 16', {iterations: 50_000, key: 'pbe-3des', cert: 'pbe-rc2-40'}],
		['100,000', {iterations: 100_000, mac: 'pbmac1'}],
		['600,000', {iterations: 600_000, mac: 'pbmac1'}],
	])('a PKCS#12 file of %s iterations is opened', (_, how) => {
		const pfx = pfxOf(client.leaf, client.key, {passphrase, ...how});
		expect(loadCredentials({pfx, passphrase}, new Date())?.facts.subject).toBe('CN=client');
	});
});

describe('an encrypted PEM key', () => {
	const sequence = (...content: readonly Buffer[]) => tlv(0x30, ...content);
	const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
	const octets = (bytes: Buffer) => tlv(0x04, bytes);
	const salt = Buffer.alloc(16, 7);

	function integer(value: number): Buffer {
		const hex = value
			.toString(16)
			.padStart(10, '0')
			.replace(/^(00)+(?=[0-7].)/, '');
		return tlv(0x02, Buffer.from(hex, 'hex'));
	}

	const pem = (der: Buffer) =>
		`-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;

	/** PKCS#8 under PBES2 with AES-256, whose key is derived by `kdf`. */
	function under(kdf: Buffer, encrypted = Buffer.alloc(160)): string {
		const aes256 = sequence(oid('60864801650304012a'), octets(salt));
		const pbes2 = sequence(oid('2a864886f70d01050d'), sequence(kdf, aes256));
		return pem(sequence(pbes2, octets(encrypted)));
	}

	const pbkdf2 = (iterations: number, prf?: string) =>
		sequence(
			oid('2a864886f70d01050c'),
			sequence(octets(salt), integer(iterations), ...(prf ? [sequence(oid(prf), tlv(0x05))] : [])),
		);
	const scrypt = (cost: number, blockSize: number, parallel: number) =>
		sequence(
			oid('2b06010401da47040b'),
			sequence(octets(salt), ...[cost, blockSize, parallel].map(integer)),
		);
	const sha256 = '2a864886f70d0209';

	const load = (key: string) => loadCredentials({cert: client.cert, key, passphrase}, new Date());
	const refusal = (key: string) =>
		configRefusal({cert: client.cert, key, passphrase}, [passphrase]);

	test.each([
		['PBKDF2 over SHA-256', () => under(pbkdf2(5_000_001, sha256)), 5_000_001],
		['PBKDF2 over SHA-1, which needs two digests', () => under(pbkdf2(2_500_001)), 5_000_002],
		['the most that PBKDF2 can ask for', () => under(pbkdf2(0x7fffffff, sha256)), 0x7fffffff],
		// Within OpenSSL's own limit, which is one of memory: it takes an hour.
		['scrypt', () => under(scrypt(131_072, 1, 131_072)), 2 ** 35],
		['PBES1', () => pem(old('2a864886f70d01050a', 1_666_667)), 5_000_001],
		['PKCS#12', () => pem(old('2a864886f70d010c0103', 1_666_667)), 5_000_001],
	])(
		'an encrypted PEM key that asks %s for too much is refused before OpenSSL begins',
		(_, key, found) => {
			const started = cpuMs();
			expect(refusal(key())).toMatchObject({
				code: 'ERR_MTLS_UNSUPPORTED_KEY',
				option: 'mtls.key',
				message: `mtls.key: the key in the given text asks for ${found} rounds of key derivation, more than 5000000`,
			});
			expect(cpuMs() - started).toBeLessThan(1_000);
		},
	);

	const old = (algorithm: string, iterations: number) =>
		sequence(
			sequence(oid(algorithm), sequence(octets(salt.subarray(0, 8)), integer(iterations))),
			octets(Buffer.alloc(160)),
		);

	test.each([
		['PBKDF2 over SHA-256', () => under(pbkdf2(5_000_000, sha256))],
		['PBKDF2 over a hash that only OpenSSL knows', () => under(pbkdf2(4, '608648016503040211'))],
		['scrypt', () => under(scrypt(16_384, 8, 1))],
	])('an encrypted PEM key that asks %s for no more than is allowed is derived', (_, key) => {
		// What is encrypted there is nothing, as the passphrase finds.
		expect(() => load(key())).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_PASSPHRASE', option: 'mtls.passphrase'}),
		);
	});

	test('under scrypt as OpenSSL writes it is opened', () => {
		const key = scryptSync(passphrase, salt, 32, {N: 16_384, r: 8, p: 1});
		const cipher = createCipheriv('aes-256-cbc', key, salt);
		const encrypted = Buffer.concat([cipher.update(keyDer), cipher.final()]);
		const options = {cert: client.cert, key: under(scrypt(16_384, 8, 1), encrypted), passphrase};
		expect(loadCredentials(options, new Date())?.facts.subject).toBe('CN=client');
	});

	test('an encrypted PEM key shares the budget with the other keys of its file', () => {
		const block = (iterations: number) =>
			pem(writeEncryptedKey(keyDer, 'aes-256', passphrase, iterations));
		const [small, large] = [block(1_000), block(2_000_000)];
		expect(load(small + large + small)?.facts.subject).toBe('CN=client');
		expect(() => load(large + small + under(pbkdf2(2_999_001, sha256)))).toThrow(
			/asks for 5000001 rounds of key derivation, more than 5000000$/,
		);
	});

	test.each([
		['that is no number', () => under(sequence(oid('2a864886f70d01050c'), sequence(octets(salt))))],
		['that no number can hold', () => under(scrypt(2 ** 33, 1, 1))],
	])('an encrypted PEM key with a cost %s is damaged', (_, key) => {
		expect(refusal(key())).toMatchObject({code: 'ERR_MTLS_NOT_PEM', option: 'mtls.key'});
	});
});
