import {describe, expect, it} from 'vitest';
import {decryptRc2Cbc} from '../../../src/tls/pkcs12/rc2.ts';

// RFC 2268 §5, read from right to left: key, effective bits, plaintext, ciphertext.
const vectors = [
	['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
	['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
	['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
	['88', 64, '0000000000000000', '61a8a244adacccf0'],
	['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
	['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
	['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
	[
		'88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e',
		129,
		'0000000000000000',
		'5b78d3a43dfff1f1',
	],
] as const;

const noIv = Buffer.alloc(8);

function decrypt(key: string, bits: number, iv: Buffer, data: string): string {
	return decryptRc2Cbc(Buffer.from(key, 'hex'), bits, iv, Buffer.from(data, 'hex')).toString('hex');
}

describe('RC2', () => {
	it.each(vectors)(
		'decrypts the vector of RFC 2268 with key %s and %i effective bits',
		(key, bits, plain, cipher) => {
			expect(decrypt(key, bits, noIv, cipher)).toBe(plain);
		},
	);

	it('chains each block to the ciphertext of the one before (CBC)', () => {
		const [key, bits, plain, cipher] = vectors[6];
		const iv = Buffer.from('0102030405060708', 'hex');
		expect(decrypt(key, bits, iv, cipher + cipher)).toBe(`0102030405060708${cipher}`);
		expect(decrypt(key, bits, noIv, cipher)).toBe(plain);
	});

	it('decrypts nothing to nothing', () => {
		expect(decrypt('88', 40, noIv, '')).toBe('');
	});
});
