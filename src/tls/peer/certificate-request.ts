import {DerError} from '../pkcs12/der.ts';
import {type DistinguishedName, readName} from './distinguished-name.ts';

/** What a server that asks for a client certificate says about those that it accepts. */
export interface CertificateRequest {
	/** Names of `SignatureScheme` (RFC 8446 §4.2.3), in the server's order; an unknown one as `0x0000`. */
	readonly signatureAlgorithms: readonly string[];
	/** The CAs that the chain may lead to. Empty: the server names none (RFC 5246 §7.4.4). */
	readonly authorities: readonly DistinguishedName[];
}

// RFC 8446 §4.2.3; below them the pairs of hash and signature of RFC 5246 §7.4.1.4.1 that it does not name.
const schemes: Readonly<Record<number, string>> = {
	1025: 'rsa_pkcs1_sha256',
	1281: 'rsa_pkcs1_sha384',
	1537: 'rsa_pkcs1_sha512',
	1027: 'ecdsa_secp256r1_sha256',
	1283: 'ecdsa_secp384r1_sha384',
	1539: 'ecdsa_secp521r1_sha512',
	2052: 'rsa_pss_rsae_sha256',
	2053: 'rsa_pss_rsae_sha384',
	2054: 'rsa_pss_rsae_sha512',
	2055: 'ed25519',
	2056: 'ed448',
	2057: 'rsa_pss_pss_sha256',
	2058: 'rsa_pss_pss_sha384',
	2059: 'rsa_pss_pss_sha512',
	513: 'rsa_pkcs1_sha1',
	515: 'ecdsa_sha1',
	514: 'dsa_sha1',
	769: 'rsa_pkcs1_sha224',
	771: 'ecdsa_sha224',
	770: 'dsa_sha224',
	1026: 'dsa_sha256',
	1282: 'dsa_sha384',
	1538: 'dsa_sha512',
};

/**
 * Reads the body of a TLS 1.2 CertificateRequest (RFC 5246 §7.4.4).
 *
 * @returns `undefined` when it is cut short, or is none.
 */
export function readCertificateRequest(body: Buffer): CertificateRequest | undefined {
	try {
		const types = vector(body, 1);
		const algorithms = vector(types.rest, 2);
		const names = vector(algorithms.rest, 2);
		const authorities: DistinguishedName[] = [];
		for (let rest = names.content; rest.length > 0; ) {
			const name = vector(rest, 2);
			authorities.push(readName(name.content));
			rest = name.rest;
		}
		return {signatureAlgorithms: schemesOf(algorithms.content), authorities};
	} catch (error) {
		if (error instanceof DerError || error instanceof RangeError) return undefined;
		throw error;
	}
}

function schemesOf(content: Buffer): string[] {
	return Array.from({length: content.length >> 1}, (_, index) => {
		const code = content.readUInt16BE(index * 2);
		return schemes[code] ?? `0x${code.toString(16).padStart(4, '0')}`;
	});
}

/** A vector with its length in front (RFC 5246 §4.3). @throws {RangeError} when it is cut short. */
function vector(bytes: Buffer, lengthBytes: 1 | 2): {content: Buffer; rest: Buffer} {
	const end = lengthBytes + bytes.readUIntBE(0, lengthBytes);
	if (end > bytes.length) throw new RangeError('cut short');
	return {content: bytes.subarray(lengthBytes, end), rest: bytes.subarray(end)};
}
