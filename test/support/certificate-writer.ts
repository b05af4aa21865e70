/*
 * Writes certificates octet by octet, so that they may hold what no program puts into one.
 */
import {
	createPublicKey,
	type KeyObject,
	randomBytes,
	type SignKeyObjectInput,
	sign,
} from 'node:crypto';

/** What a certificate says. A Buffer is DER, and taken as it is. */
export interface CertificateText {
	/** A common name. */
	readonly subject: string | Buffer;
	readonly publicKey: KeyObject | Buffer;
	/** @defaultValue the certificate's own, which it is then signed with */
	readonly issuer?: Pick<CertificateText, 'subject'> & {readonly key: KeyObject};
	readonly key?: KeyObject;
	/** @defaultValue 16 octets at random */
	readonly serial?: Buffer;
	/** @defaultValue from yesterday until tomorrow */
	readonly validity?: Buffer;
	/** It may sign others. */
	readonly authority?: boolean;
	/** The content of its basicConstraints. @defaultValue what `authority` says */
	readonly basicConstraints?: Buffer | undefined;
	/** The content of a subjectAltName; none for an empty one. @defaultValue `localhost` */
	readonly names?: Buffer;
	readonly extensions?: readonly Buffer[];
}

/** One value of DER. */
export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
	const body = Buffer.concat(content);
	const length = Buffer.alloc(4);
	length.writeUInt32BE(body.length);
	const octets = length.subarray(length.findIndex((octet) => octet > 0));
	const head = body.length < 0x80 ? [body.length] : [0x80 | octets.length, ...octets];
	return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

export const sequence = (...content: readonly Buffer[]) => tlv(0x30, ...content);
export const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
export const text = (value: string, tag = 0x0c) => tlv(tag, Buffer.from(value));
export const dnsName = (value: string | Buffer) => tlv(0x82, Buffer.from(value as string));
const set = (...content: readonly Buffer[]) => tlv(0x31, ...content);
const yes = tlv(0x01, Buffer.from([0xff]));
const nothing = tlv(0x05);

const commonNameOid = '550403';

/** A name of one value, which may be of any type. */
export function nameOf(value: Buffer, type = commonNameOid): Buffer {
	return sequence(set(sequence(oid(type), value)));
}

/** An extension by the hex of its OID. */
export function extension(id: string, value: Buffer, critical = false): Buffer {
	return sequence(oid(id), ...(critical ? [yes] : []), tlv(0x04, value));
}

/** UTCTime, RFC 5280 §4.1.2.5.1. */
function utcTime(date: Date): Buffer {
	return text(`${date.toISOString().replaceAll(/^..|[-:T]|\..*/g, '')}Z`, 0x17);
}

const day = 86_400_000;
const around = (now: number) =>
	sequence(...[now - day, now + day].map((ms) => utcTime(new Date(ms))));

/** Signs a certificate. DER. */
export function writeCertificate(content: CertificateText): Buffer {
	const {subject, publicKey, issuer, authority = false, extensions = []} = content;
	const key = issuer?.key ?? content.key;
	if (key === undefined) throw new Error('nobody signs it');
	const {algorithm, signature} = signer(key);
	const names = content.names ?? (authority ? Buffer.alloc(0) : dnsName('localhost'));
	const all = [
		extension('551d13', content.basicConstraints ?? (authority ? sequence(yes) : sequence()), true),
		...(names.length > 0 ? [extension('551d11', sequence(names))] : []),
		...extensions,
	];
	const tbs = sequence(
		tlv(0xa0, tlv(0x02, Buffer.from([2]))),
		// A first octet of 0x40 to 0x7f is positive, and needs no zero before it.
		tlv(0x02, content.serial ?? Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
		algorithm,
		derName(issuer?.subject ?? subject),
		content.validity ?? around(Date.now()),
		derName(subject),
		Buffer.isBuffer(publicKey) ? publicKey : spkiOf(publicKey),
		tlv(0xa3, sequence(...all)),
	);
	return sequence(tbs, algorithm, tlv(0x03, Buffer.from([0]), signature(tbs)));
}

/** Puts DER into armour. */
export function toPem(der: Buffer): string {
	const lines = der.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n');
	return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

export function spkiOf(key: KeyObject): Buffer {
	const publicKey = key.type === 'public' ? key : createPublicKey(key);
	return publicKey.export({type: 'spki', format: 'der'});
}

function derName(name: string | Buffer): Buffer {
	return typeof name === 'string' ? nameOf(text(name)) : name;
}

interface Signer {
	readonly algorithm: Buffer;
	signature(tbs: Buffer): Buffer;
}

const sha256 = sequence(oid('608648016503040201'), nothing);
// RFC 4055 §3.1: SHA-256, MGF1 with it, and a salt of as many octets.
const pssParameters = sequence(
	tlv(0xa0, sha256),
	tlv(0xa1, sequence(oid('2a864886f70d010108'), sha256)),
	tlv(0xa2, tlv(0x02, Buffer.from([32]))),
);

const algorithms: Readonly<Record<string, readonly [Buffer, string | null]>> = {
	ec: [sequence(oid('2a8648ce3d040302')), 'sha256'],
	rsa: [sequence(oid('2a864886f70d01010b'), nothing), 'sha256'],
	'rsa-pss': [sequence(oid('2a864886f70d01010a'), pssParameters), 'sha256'],
	dsa: [sequence(oid('608648016503040302')), 'sha256'],
	ed25519: [sequence(oid('2b6570')), null],
	ed448: [sequence(oid('2b6571')), null],
	// SM2 with SM3 (GB/T 33560); to OpenSSL an EC key on its curve.
	sm2: [sequence(oid('2a811ccf55018375')), 'sm3'],
};

function signer(key: KeyObject): Signer {
	const [algorithm, hash] = algorithms[key.asymmetricKeyType ?? 'sm2'] ?? [];
	if (algorithm === undefined || hash === undefined) throw new Error('no such signature');
	return {
		algorithm,
		signature(tbs) {
			const input: SignKeyObjectInput = {key, ...(hash === 'sha256' && {saltLength: 32})};
			try {
				return sign(hash, tbs, input);
			} catch {
				// A curve that OpenSSL knows and does not sign with: whoever shows it signs as he likes.
				return sequence(tlv(0x02, Buffer.from([1])), tlv(0x02, Buffer.from([1])));
			}
		},
	};
}
