/*
 * RC2 decryption (RFC 2268 §3), for old PKCS#12 files and keys. OpenSSL 3 keeps the cipher in its
 * legacy provider, which Node does not ship.
 */

/** PITABLE of RFC 2268 §2: a permutation of all octets, made from the digits of pi. */
const piTable = Buffer.from(
	'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
		'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
		'6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
		'961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
		'2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
		'c5f3db47e5a59c770aa62068fe7fc1ad',
	'hex',
);

const blockBytes = 8;

/** By how much a word is rotated in a mixing step (RFC 2268 §3.1: `s[0]` to `s[3]`). */
const rotations = [1, 2, 3, 5] as const;

/** Mixing rounds between two mashing rounds, in either direction (RFC 2268 §3.2 and §3.3). */
const mixingRounds = [5, 6, 5] as const;

/**
 * Decrypts RC2 in CBC mode, and leaves the padding on.
 *
 * @param effectiveBits - The "effective key length", which in PKCS#12 is that of the key.
 * @param data - Whole blocks of 8 octets.
 */
export function decryptRc2Cbc(
	key: Buffer,
	effectiveBits: number,
	iv: Buffer,
	data: Buffer,
): Buffer {
	const schedule = expandKey(key, effectiveBits);
	const plain = Buffer.alloc(data.length);
	let previous = iv;
	for (let at = 0; at < data.length; at += blockBytes) {
		const block = data.subarray(at, at + blockBytes);
		decryptBlock(schedule, block, plain.subarray(at, at + blockBytes));
		for (let i = 0; i < blockBytes; i += 1) {
			plain[at + i] = octet(plain, at + i) ^ octet(previous, i);
		}
		previous = block;
	}
	return plain;
}

/** RFC 2268 §2: 64 words from a key of 1 to 128 octets. */
function expandKey(key: Buffer, effectiveBits: number): Uint16Array {
	const expanded = Buffer.alloc(128);
	key.copy(expanded);
	for (let i = key.length; i < 128; i += 1) {
		expanded[i] = octet(piTable, (octet(expanded, i - 1) + octet(expanded, i - key.length)) & 255);
	}
	const effectiveBytes = Math.ceil(effectiveBits / 8);
	const mask = 255 >> (8 * effectiveBytes - effectiveBits);
	const first = 128 - effectiveBytes;
	expanded[first] = octet(piTable, octet(expanded, first) & mask);
	for (let i = first - 1; i >= 0; i -= 1) {
		expanded[i] = octet(piTable, octet(expanded, i + 1) ^ octet(expanded, i + effectiveBytes));
	}
	return Uint16Array.from({length: 64}, (_, i) => expanded.readUInt16LE(2 * i));
}

/** RFC 2268 §3.3. */
function decryptBlock(schedule: Uint16Array, block: Buffer, plain: Buffer): void {
	const words = Uint16Array.from({length: 4}, (_, i) => block.readUInt16LE(2 * i));
	let next = 63;
	for (const [stage, rounds] of mixingRounds.entries()) {
		if (stage > 0) unmash(words, schedule);
		for (let round = 0; round < rounds; round += 1) {
			for (let i = 3; i >= 0; i -= 1) {
				const [a, b, c] = [word(words, i - 1), word(words, i - 2), word(words, i - 3)];
				words[i] =
					rotateRight(word(words, i), rotations[i] ?? 0) -
					word(schedule, next) -
					(a & b) -
					(~a & c);
				next -= 1;
			}
		}
	}
	for (const [i, value] of words.entries()) plain.writeUInt16LE(value, 2 * i);
}

function unmash(words: Uint16Array, schedule: Uint16Array): void {
	for (let i = 3; i >= 0; i -= 1) {
		words[i] = word(words, i) - word(schedule, word(words, i - 1) & 63);
	}
}

function rotateRight(value: number, bits: number): number {
	return (value >> bits) | (value << (16 - bits));
}

/** An index below 0 counts from the last of a block's four words. */
function word(words: Uint16Array, index: number): number {
	return words.at(index) ?? 0;
}

function octet(bytes: Buffer, index: number): number {
	return bytes[index] ?? 0;
}
