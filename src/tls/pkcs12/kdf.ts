// Node 18 has no `hash`: see check-runtime.ts.
import crypto, {createHash, createHmac, pbkdf2Sync, scryptSync} from 'node:crypto';
import {withoutPrototype} from '../../util/check-options.ts';
import {describeAlgorithm} from './algorithms.ts';
import {
	DerError,
	type DerValue,
	objectId,
	octetString,
	sequence,
	smallInteger,
	tags,
} from './der.ts';

/** A passphrase. `undefined` is none, which in PKCS#12 is not the same as an empty one. */
export type Secret = string | undefined;

/** One attempt to decrypt a file. */
export interface Attempt {
	readonly secret: Secret;
	/** Shared by all attempts on one file. */
	readonly budget: DerivationBudget;
}

/** Encrypted, or signed, in a way that is not supported here. */
export class UnsupportedProtection extends Error {
	override readonly name = 'UnsupportedProtection';
}

/** The error for an algorithm that is not known here. */
export function unknownAlgorithm(
	kind: 'cipher' | 'hash' | 'key derivation',
	oid: string,
): UnsupportedProtection {
	const what = `the ${kind} ${describeAlgorithm(oid)}`;
	return new UnsupportedProtection(`${what}; export it again with AES and SHA-256`);
}

// As in Java's keystore. OpenSSL writes 2,048 and the most careful programs 600,000; the number
// in a damaged file could block a program for hours.
const maxIterations = 5_000_000;

/** The number of iterations that the file asks for. */
export function iterationsOf(value: DerValue | undefined): number {
	const count = smallInteger(value);
	if (count < 1) throw new DerError('no iterations');
	if (count > maxIterations) {
		throw new UnsupportedProtection(`${count} iterations, more than ${maxIterations}`);
	}
	return count;
}

const hashes: Readonly<Record<string, string>> = {
	'1.3.14.3.2.26': 'sha1',
	'2.16.840.1.101.3.4.2.4': 'sha224',
	'2.16.840.1.101.3.4.2.1': 'sha256',
	'2.16.840.1.101.3.4.2.2': 'sha384',
	'2.16.840.1.101.3.4.2.3': 'sha512',
	'2.16.840.1.101.3.4.2.5': 'sha512-224',
	'2.16.840.1.101.3.4.2.6': 'sha512-256',
	'2.16.840.1.101.3.4.2.7': 'sha3-224',
	'2.16.840.1.101.3.4.2.8': 'sha3-256',
	'2.16.840.1.101.3.4.2.9': 'sha3-384',
	'2.16.840.1.101.3.4.2.10': 'sha3-512',
	'1.2.840.113549.2.5': 'md5',
	'1.2.156.10197.1.401': 'sm3',
	// As the function of an HMAC (RFC 8018 B.1).
	'1.2.840.113549.2.7': 'sha1',
	'1.2.840.113549.2.8': 'sha224',
	'1.2.840.113549.2.9': 'sha256',
	'1.2.840.113549.2.10': 'sha384',
	'1.2.840.113549.2.11': 'sha512',
	'1.2.840.113549.2.12': 'sha512-224',
	'1.2.840.113549.2.13': 'sha512-256',
	'1.2.840.113549.2.6': 'md5',
	'2.16.840.1.101.3.4.2.13': 'sha3-224',
	'2.16.840.1.101.3.4.2.14': 'sha3-256',
	'2.16.840.1.101.3.4.2.15': 'sha3-384',
	'2.16.840.1.101.3.4.2.16': 'sha3-512',
};

/** The hash that an AlgorithmIdentifier names. */
export function hashOf(algorithm: DerValue | undefined): string {
	const oid = objectId(sequence(algorithm)[0]);
	const name = hashes[oid];
	// OpenSSL may be built without some, or forbid them.
	if (name === undefined || !isKnownHash(name)) {
		throw unknownAlgorithm('hash', oid);
	}
	return name;
}

function isKnownHash(name: string): boolean {
	try {
		createHash(name);
		return true;
	} catch {
		return false;
	}
}

/** In bytes: of the digest, and of a block of the input. */
const hashSizes: Readonly<Record<string, {readonly digest: number; readonly block: number}>> = {
	md5: {digest: 16, block: 64},
	sha1: {digest: 20, block: 64},
	sha224: {digest: 28, block: 64},
	sha256: {digest: 32, block: 64},
	sha384: {digest: 48, block: 128},
	sha512: {digest: 64, block: 128},
	'sha512-224': {digest: 28, block: 128},
	'sha512-256': {digest: 32, block: 128},
	'sha3-224': {digest: 28, block: 144},
	'sha3-256': {digest: 32, block: 136},
	'sha3-384': {digest: 48, block: 104},
	'sha3-512': {digest: 64, block: 72},
	sm3: {digest: 32, block: 64},
};

/** How many rounds it takes to derive `length` bytes: PBKDF2 and PKCS#12 start again for each digest. */
export function roundsFor(length: number, name: string, iterations: number): number {
	return iterations * Math.ceil(length / (hashSizes[name]?.digest ?? 1));
}

/** The most rounds that PBKDF2 with `parameters` takes, for the longest key of a cipher. */
export function pbkdf2Rounds(parameters: DerValue | undefined): number {
	const [, count, ...rest] = sequence(parameters);
	const prf = rest.find(({tag}) => tag === tags.sequence);
	// OpenSSL may know more hashes.
	const name = prf && hashes[objectId(sequence(prf)[0])];
	return roundsFor(32, name ?? 'md5', smallInteger(count));
}

/** PBKDF2 (RFC 8018 A.2) or scrypt (RFC 7914 §7), as an AlgorithmIdentifier describes it; `length` overrides its own. */
export function pbkdf2Key(
	algorithm: DerValue | undefined,
	{secret, budget}: Attempt,
	length?: number,
): Buffer {
	const [oid, parameters] = sequence(algorithm);
	if (objectId(oid) === scryptId) return scryptKey(parameters, {secret, budget}, length);
	if (objectId(oid) !== '1.2.840.113549.1.5.12') {
		throw unknownAlgorithm('key derivation', objectId(oid));
	}
	const [salt, count, ...rest] = sequence(parameters);
	const [given, prf] = rest[0]?.tag === tags.integer ? rest : [undefined, rest[0]];
	const wanted = length ?? smallInteger(given);
	if (wanted < 1 || wanted > 512) throw new DerError('no length of a key');
	const name = prf === undefined ? 'sha1' : hashOf(prf);
	const iterations = iterationsOf(count);
	budget.spend(roundsFor(wanted, name, iterations));
	return pbkdf2Sync(secret ?? '', octetString(salt), iterations, wanted, name);
}

export const scryptId = '1.3.6.1.4.1.11591.4.11';

/** How many blocks scrypt hashes: all are filled, and then mixed (RFC 7914 §5). */
export function scryptRounds(parameters: DerValue | undefined): number {
	const [, cost, blockSize, parallel] = sequence(parameters);
	return 2 * smallInteger(cost) * smallInteger(blockSize) * smallInteger(parallel);
}

function scryptKey(
	parameters: DerValue | undefined,
	{secret, budget}: Attempt,
	length: number | undefined,
): Buffer {
	const [salt, cost, blockSize, parallel, given] = sequence(parameters);
	const wanted = length ?? smallInteger(given);
	if (wanted < 1 || wanted > 512) throw new DerError('no length of a key');
	budget.spend(scryptRounds(parameters));
	const [N, r, p] = [smallInteger(cost), smallInteger(blockSize), smallInteger(parallel)];
	// 128 bytes for each block (§6), and some for those that are mixed.
	const maxmem = 128 * r * (N + p + 2);
	try {
		return scryptSync(secret ?? '', octetString(salt), wanted, withoutPrototype({N, r, p, maxmem}));
	} catch {
		throw new DerError('no parameters of scrypt');
	}
}

/** What a key of PKCS#12 is for (RFC 7292 B.3). */
export const purposes = {key: 1, iv: 2, mac: 3} as const;

/** The key derivation of PKCS#12 itself (RFC 7292 B.2). The caller counts its rounds. */
export function pkcs12Key(
	name: string,
	secret: Secret,
	salt: Buffer,
	iterations: number,
	purpose: number,
	length: number,
): Buffer {
	const block = hashSizes[name]?.block ?? 64;
	const diversifier = Buffer.alloc(block, purpose);
	const input = Buffer.concat([repeat(salt, block), repeat(bmpString(secret), block)]);
	const key: Buffer[] = [];
	for (let have = 0; have < length; ) {
		const digest = createHash(name).update(diversifier).update(input).digest();
		rehash(name, digest, iterations - 1);
		key.push(digest);
		have += digest.length;
		addToBlocks(input, repeat(digest, block).subarray(0, block), block);
	}
	return Buffer.concat(key).subarray(0, length);
}

/** UTF-16BE with a terminating zero; empty where there is no passphrase (B.1). */
function bmpString(secret: Secret): Buffer {
	return secret === undefined ? Buffer.alloc(0) : Buffer.from(`${secret}\0`, 'utf16le').swap16();
}

/** Repeats `bytes` until whole blocks are full; empty stays empty. */
function repeat(bytes: Buffer, block: number): Buffer {
	return Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
}

/** Adds `addend + 1` to each block, as numbers (B.2, step 6C). */
function addToBlocks(input: Buffer, addend: Buffer, block: number): void {
	for (let start = 0; start < input.length; start += block) {
		let carry = 1;
		for (let at = block - 1; at >= 0; at--) {
			carry += (input[start + at] ?? 0) + (addend[at] ?? 0);
			input[start + at] = carry & 0xff;
			carry >>= 8;
		}
	}
}

/** PBKDF1 (RFC 8018 §5.1), of which the old ciphers take 16 bytes. */
export function pbkdf1Key(
	name: string,
	{secret, budget}: Attempt,
	salt: Buffer,
	iterations: number,
): Buffer {
	budget.spend(iterations);
	const digest = createHash(name)
		.update(secret ?? '')
		.update(salt)
		.digest();
	rehash(name, digest, iterations - 1);
	return digest.subarray(0, 16);
}

/** Hashes a digest `times` times, in place. As text: a Buffer per round takes 3 to 6 times as long. */
function rehash(name: string, digest: Buffer, times: number): void {
	for (let n = 0; n < times; n++) digest.write(crypto.hash(name, digest, 'binary'), 'binary');
}

/** An HMAC over `data`. */
export function hmac(name: string, key: Buffer, data: Buffer): Buffer {
	return createHmac(name, key).update(data).digest();
}

/** Deriving the keys of a file needs more rounds than are allowed. */
export class DerivationTooLong extends Error {
	override readonly name = 'DerivationTooLong';

	constructor(found: number, allowed: number) {
		super(`${found} rounds of key derivation, more than ${allowed}`);
	}
}

// One round hashes one block in 0.15 to 0.7 µs, so these block the process for 1 to 3 s. 600,000
// iterations, the most that a program writes by default (NSS), are 1,800,000 rounds in a modern file and
// 4,200,000 in one with the old ciphers, which need seven blocks.
const maxRounds = 5_000_000;

/**
 * The rounds of key derivation that one file may cost, over all its parts and all attempts to open it.
 *
 * Security: the file itself chooses how often a passphrase is hashed. One of 929 bytes blocked a process
 * for 95 s.
 */
export class DerivationBudget {
	readonly #allowed: number;
	#spent = 0;

	constructor(allowed = maxRounds) {
		this.#allowed = allowed;
	}

	/** Call it before the work is done. @throws {DerivationTooLong} */
	spend(rounds: number): void {
		const found = this.#spent + rounds;
		if (found > this.#allowed) throw new DerivationTooLong(found, this.#allowed);
		this.#spent = found;
	}
}
