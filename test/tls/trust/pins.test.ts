import {beforeAll, describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {checkPins, loadPins} from '../../../src/tls/trust/pins.ts';
import {forgeCertificate, parsed, pinOf} from '../../support/forged-certificate.ts';

const [a, b] = ['A', 'B'].map((letter) => `sha256//${letter.repeat(43)}=`) as [string, string];

describe('loading', () => {
	test.each<[string, string | readonly string[], readonly string[]]>([
		['one', a, [a]],
		['a list', [a, b], [a, b]],
		['several, as curl writes them', `${a};${b}`, [a, b]],
		['both', [`${a};${b}`, a], [a, b]],
	])('the option pins reads %s', (_, pins, expected) => {
		expect([...(loadPins(pins) ?? [])]).toEqual(expected);
	});

	test('the option pins is empty where none is given', () => {
		expect(loadPins(undefined)).toBeUndefined();
	});

	test.each<[string, string | readonly string[]]>([
		['an empty list', []],
		['an empty text', ''],
		['a list of nothing', ['']],
		['a semicolon at the end', `${a};`],
		['a hash without its scheme', 'A'.repeat(43)],
		['one slash', a.replace('//', '/')],
		['another hash', a.replace('sha256', 'sha1')],
		['a hash that is short', a.slice(0, -2)],
		['a hash in hex', `sha256//${'ab'.repeat(32)}`],
		['the Base64 of URLs', a.replace('A', '_')],
		['a space', ` ${a}`],
		['a line end', `${a}\n`],
		['a file', 'pins.txt'],
		['a second one that is bad', [a, 'sha256//x']],
		['a number', [1] as unknown as string[]],
		['null', null as unknown as string],
		['an object', {} as string],
	])('the option pins refuses %s', (_, pins) => {
		const load = () => loadPins(pins);
		expect(load).toThrow(MtlsConfigError);
		expect(load).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.pins'}),
		);
	});
});

test.each([
	['hunter2', 'something else'],
	['sha1//AAAA', "'sha1//AAAA'"],
	['', 'an empty string'],
])('the error for the pins %j says that it found %s', (pin, found) => {
	expect(() => loadPins([pin])).toThrow(
		`mtls.pins: expected sha256//BASE64 of a public key, found ${found}`,
	);
});

describe('checking', () => {
	let pki: TestPki;
	let intermediate: string;
	let leaf: Credential;
	beforeAll(async () => {
		pki = await createTestPki();
		const issuer = await pki.intermediate();
		intermediate = issuer.cert;
		leaf = await issuer.server();
	});

	/** The pins that a chain brings along. */
	function pinsOf(chain: readonly string[]): readonly string[] {
		const certificates = chain.map(parsed);
		return chain.map(pinOf).filter((pin) => checkPins(new Set([pin]), certificates) === undefined);
	}

	test('every certificate of the chain counts', () => {
		const chain = [leaf.leaf, intermediate, pki.ca];
		expect(pinsOf(chain)).toEqual(chain.map(pinOf));
		expect(pinsOf([leaf.leaf])).toEqual([pinOf(leaf.leaf)]);
	});

	test('a certificate that has not signed the one before counts for no pin, nor do those above it', async () => {
		const other = await createTestPki();
		const forged = await forgeCertificate(intermediate, parsed(other.ca).publicKey);
		const own = pinOf(leaf.leaf);
		expect(pinsOf([leaf.leaf, forged, pki.ca])).toEqual([own]);
		expect(pinsOf([leaf.leaf, other.ca])).toEqual([own]);
		expect(pinsOf([leaf.leaf, pki.ca, intermediate])).toEqual([own]);
		expect(pinsOf([leaf.leaf, intermediate, other.ca])).toEqual([own, pinOf(intermediate)]);
	});

	test('a certificate that is not a CA cannot have signed another', async () => {
		const end = await pki.server({selfSigned: true});
		expect(pinsOf([end.leaf])).toEqual([pinOf(end.leaf)]);
		// Its own signature is good, and it is no CA all the same.
		const chain = [end.leaf, end.leaf].map(parsed);
		expect(checkPins(new Set([pinOf(pki.ca)]), chain)?.message).toBe(
			`none of the pinned keys is in the chain, which has ${pinOf(end.leaf)}`,
		);
	});

	test('a pin mismatch reports the pins that were seen, under a code', () => {
		const error = checkPins(new Set([a]), [leaf.leaf, intermediate].map(parsed));
		expect(error).toMatchObject({
			name: 'PinMismatchError',
			code: 'ERR_MTLS_PIN_MISMATCH',
			message: `none of the pinned keys is in the chain, which has ${pinOf(leaf.leaf)}, ${pinOf(intermediate)}`,
		});
		expect(checkPins(new Set([a]), [])).toBeInstanceOf(Error);
	});
});
