import {expect, test} from 'vitest';
import {readCertificateRequest} from '../../../src/tls/peer/certificate-request.ts';
import {nameOf, text} from '../../support/certificate-writer.ts';

/** A vector with its length in front (RFC 5246 §4.3). */
function vector(lengthBytes: number, ...content: readonly Buffer[]): Buffer {
	const body = Buffer.concat(content);
	const length = Buffer.alloc(lengthBytes);
	length.writeUIntBE(body.length, 0, lengthBytes);
	return Buffer.concat([length, body]);
}

const types = vector(1, Buffer.from([1, 64]));
const algorithms = vector(2, Buffer.from('08040403dead', 'hex'));
const names = vector(2, vector(2, nameOf(text('First CA'))), vector(2, nameOf(text('Second CA'))));

test('a CertificateRequest is read with its algorithms and the names of its CAs', () => {
	const request = readCertificateRequest(Buffer.concat([types, algorithms, names]));

	expect(request?.signatureAlgorithms).toEqual([
		'rsa_pss_rsae_sha256',
		'ecdsa_secp256r1_sha256',
		'0xdead',
	]);
	expect(request?.authorities.map((name) => name.text)).toEqual(['CN=First CA', 'CN=Second CA']);
});

test('a CertificateRequest that names no CA is read as one with an empty list', () => {
	const request = readCertificateRequest(Buffer.concat([types, algorithms, vector(2)]));

	expect(request?.authorities).toEqual([]);
});

test('a CertificateRequest that is cut anywhere is not read', () => {
	const whole = Buffer.concat([types, algorithms, names]);
	for (let length = 0; length < whole.length; length++) {
		expect(readCertificateRequest(whole.subarray(0, length))).toBe(undefined);
	}
	expect(readCertificateRequest(whole)).toBeDefined();
});

test('a CertificateRequest whose CA is no name is not read', () => {
	const odd = vector(2, vector(2, Buffer.from('CN=First CA')));
	expect(readCertificateRequest(Buffer.concat([types, algorithms, odd]))).toBe(undefined);
});
