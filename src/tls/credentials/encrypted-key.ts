import {type DerValue, objectId, readDer, sequence, smallInteger} from '../pkcs12/der.ts';
import {derKind} from '../pkcs12/der-label.ts';
import {DerivationBudget} from '../pkcs12/derivation-budget.ts';
import {pbkdf2Rounds, UnsupportedProtection} from '../pkcs12/kdf.ts';
import {decryptDesPem, decryptPrivateKeyInfo} from '../pkcs12/pbe.ts';
import type {PemBlock} from './pem.ts';

/** What is around an encrypted key. */
export type Envelope =
	| {readonly style: 'pkcs8'; readonly value: DerValue}
	| {
			readonly style: 'rfc1421';
			readonly cipher: string;
			readonly iv: Buffer;
			readonly data: Buffer;
	  };

// PKCS#8 says it in the label, the older OpenSSL style in an RFC 1421 header.
const pkcs8Label = 'ENCRYPTED PRIVATE KEY';

/** Whether the key in a block is encrypted. */
export function isEncrypted({label, text}: PemBlock): boolean {
	return label === pkcs8Label || text.includes('Proc-Type: 4,ENCRYPTED');
}

/** Reads what can be read without the passphrase; `undefined` when it is damaged. */
export function readEnvelope({label, text}: PemBlock): Envelope | undefined {
	const body = text.replaceAll(/-----[^\n]*-----/g, '');
	if (label === pkcs8Label) {
		const kind = derKind(Buffer.from(body, 'base64'));
		if (typeof kind !== 'object' || kind.label !== pkcs8Label) return undefined;
		return {style: 'pkcs8', value: readDer(kind.bytes)};
	}
	const [head = '', base64 = ''] = body.split('\n\n');
	const [, cipher, hex = ''] = /^DEK-Info: ([\w-]+),([\dA-F]+)$/im.exec(head) ?? [];
	const data = Buffer.from(base64, 'base64');
	const iv = Buffer.from(hex, 'hex');
	// The IV is as long as a block, of which the data are so many.
	const isWhole = data.length > 0 && data.length % iv.length === 0;
	return cipher === undefined || !isWhole ? undefined : {style: 'rfc1421', cipher, iv, data};
}

const pbes2 = '1.2.840.113549.1.5.13';
const scrypt = '1.3.6.1.4.1.11591.4.11';

/**
 * How many rounds of key derivation an envelope asks for, in ours or in OpenSSL.
 *
 * @throws {DerError} when it does not say.
 */
export function roundsOf(envelope: Envelope): number {
	// One round of MD5.
	if (envelope.style === 'rfc1421') return 1;
	const [algorithm] = sequence(envelope.value);
	const [name, parameters] = sequence(algorithm);
	if (objectId(name) !== pbes2) {
		// PBES1 and PKCS#12: key and IV of the longest are three digests of SHA-1.
		const [, count] = sequence(parameters);
		return 3 * smallInteger(count);
	}
	const [kdf] = sequence(parameters);
	const [oid, details] = sequence(kdf);
	if (objectId(oid) !== scrypt) return pbkdf2Rounds(details);
	const [, cost, blockSize, parallel] = sequence(details);
	// All blocks are filled, and then mixed (RFC 7914 §5).
	return 2 * smallInteger(cost) * smallInteger(blockSize) * smallInteger(parallel);
}

/**
 * Opens what OpenSSL 3 has given up: RC2 and DES.
 *
 * @returns `undefined` when the passphrase does not open it.
 * @throws {UnsupportedProtection} for a cipher that is not known here either, and {DerError}.
 */
export function openOld(envelope: Envelope, passphrase: string): DerValue | undefined {
	if (envelope.style === 'pkcs8') {
		// Its rounds have been looked at.
		const budget = new DerivationBudget(Number.POSITIVE_INFINITY);
		return decryptPrivateKeyInfo(envelope.value, {secret: passphrase, budget});
	}
	const {cipher, iv, data} = envelope;
	if (cipher !== 'DES-CBC') throw new UnsupportedProtection(`the cipher ${cipher}`);
	return decryptDesPem(data, iv, passphrase);
}
