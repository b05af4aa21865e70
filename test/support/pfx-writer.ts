/*
 * Writes PKCS#12 and encrypted PKCS#8 in every protection that is in use, the ones included that
 * OpenSSL 3 does not write any more. What the reader under test derives and decrypts with node:crypto
 * is derived and encrypted with node-forge here where that can do it.
 */
import {
	createCipheriv,
	createHash,
	createHmac,
	createPrivateKey,
	pbkdf2Sync,
	X509Certificate,
} from 'node:crypto';
import forge from 'node-forge';

/** A passphrase; `undefined` is none at all, which PKCS#12 knows apart from an empty one. */
type Secret = string | undefined;

export type Protection =
	| 'none'
	| 'aes-256'
	| 'aes-128-sha1'
	| 'aes-192-sha512'
	| '3des-pbes2'
	| 'camellia-256'
	| 'aria-128'
	| 'sm4'
	| 'pbe-3des'
	| 'pbe-2des'
	| 'pbe-rc2-40'
	| 'pbe-rc2-128'
	| 'pbe-md5-des'
	| 'pbe-sha1-des';

/** Hashes of the MAC that few programs write: their OIDs, and digest and block in bytes. */
const oddMacs = {
	md5: ['1.2.840.113549.2.5', 16, 64],
	'sha512-256': ['2.16.840.1.101.3.4.2.6', 32, 128],
	'sha3-224': ['2.16.840.1.101.3.4.2.7', 28, 144],
	'sha3-256': ['2.16.840.1.101.3.4.2.8', 32, 136],
	'sha3-384': ['2.16.840.1.101.3.4.2.9', 48, 104],
	'sha3-512': ['2.16.840.1.101.3.4.2.10', 64, 72],
	sm3: ['1.2.156.10197.1.401', 32, 64],
} as const;

type OddMac = keyof typeof oddMacs;

/** DER, with a friendlyName where there is one. */
export type Content = Buffer | {readonly der: Buffer; readonly name: string};

export interface PfxContent {
	/** PKCS#8 DER. */
	readonly keys: readonly Content[];
	/** DER. */
	readonly certificates: readonly Content[];
	readonly passphrase?: Secret;
	readonly key: Protection;
	readonly cert: Protection;
	readonly mac: 'none' | 'sha1' | 'sha256' | 'sha512' | 'pbmac1' | OddMac;
	readonly iterations?: number;
	/** Spoils what is about to be encrypted, and what is about to be sealed with the MAC. */
	readonly spoil?: (plain: Buffer) => Buffer;
}

const salt = Buffer.from('0123456789abcdef');
const blockIv = Buffer.from('fedcba9876543210');
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const bytesOf = (buffer: Buffer) => forge.util.createBuffer(buffer.toString('latin1'));

/** One value of DER. */
export function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
	const body = Buffer.concat(content);
	const {length} = body;
	const octets =
		length < 0x80
			? [length]
			: [...(length > 0xffff ? [length >> 16] : []), (length >> 8) & 0xff, length & 0xff];
	const long = length < 0x80 ? [] : [0x80 | octets.length];
	return Buffer.concat([Buffer.from([tag, ...long, ...octets]), body]);
}

const sequence = (...content: readonly Buffer[]) => tlv(0x30, ...content);
const octets = (content: Buffer) => tlv(0x04, content);
const explicit0 = (content: Buffer) => tlv(0xa0, content);
const nothing = tlv(0x05);

function oid(dotted: string): Buffer {
	return tlv(0x06, latin1(forge.asn1.oidToDer(dotted).getBytes()));
}

function integer(value: number): Buffer {
	return tlv(0x02, latin1(forge.asn1.integerToDer(value).getBytes()));
}

/** PKCS#12 (RFC 7292). */
export function writePfx(content: PfxContent): Buffer {
	const {passphrase, iterations = 4, spoil = (plain: Buffer) => plain} = content;
	const protect = (plain: Buffer, how: Protection) => encrypt(plain, how, passphrase, iterations);
	const keyBags = content.keys.map((key) => {
		const der = derOf(key);
		if (content.key === 'none') return bag('1.2.840.113549.1.12.10.1.1', der, attributesOf(key));
		const {algorithm, encrypted} = protect(der, content.key);
		const shrouded = sequence(algorithm, octets(encrypted));
		return bag('1.2.840.113549.1.12.10.1.2', shrouded, attributesOf(key));
	});
	const certBags = content.certificates.map((certificate) =>
		bag(
			'1.2.840.113549.1.12.10.1.3',
			sequence(oid('1.2.840.113549.1.9.22.1'), explicit0(octets(derOf(certificate)))),
			attributesOf(certificate),
		),
	);
	const certs = spoil(sequence(...certBags));
	const safe = spoil(
		sequence(
			content.cert === 'none' ? dataInfo(certs) : encryptedInfo(protect(certs, content.cert)),
			dataInfo(sequence(...keyBags)),
		),
	);
	return sequence(integer(3), dataInfo(safe), ...macData(content, safe, iterations));
}

/** A modern file of what is there in PEM. */
export function pfxOf(certs: string, key: string, rest: Partial<PfxContent> = {}): Buffer {
	const certificates = certs.match(/-----BEGIN.*?-----END.*?-----/gs) ?? [];
	return writePfx({
		keys: key === '' ? [] : [createPrivateKey(key).export({type: 'pkcs8', format: 'der'})],
		certificates: certificates.map((pem) => new X509Certificate(pem).raw),
		key: 'aes-256',
		cert: 'aes-256',
		mac: 'sha256',
		passphrase: '',
		...rest,
	});
}

/** A PKCS#7 of certificates and revocation lists alone (`.p7b`), DER. */
export function writePkcs7(certificates: readonly Buffer[], crls: readonly Buffer[] = []): Buffer {
	const signedData = sequence(
		integer(1),
		tlv(0x31),
		sequence(oid('1.2.840.113549.1.7.1')),
		...(certificates.length > 0 ? [tlv(0xa0, ...certificates)] : []),
		...(crls.length > 0 ? [tlv(0xa1, ...crls)] : []),
		tlv(0x31),
	);
	return sequence(oid('1.2.840.113549.1.7.2'), explicit0(signedData));
}

/** PKCS#8 EncryptedPrivateKeyInfo, DER. */
export function writeEncryptedKey(
	key: Buffer,
	how: Protection,
	passphrase: string,
	iterations = 4,
): Buffer {
	const {algorithm, encrypted} = encrypt(key, how, passphrase, iterations);
	return sequence(algorithm, octets(encrypted));
}

/** An RFC 1421 block under DES, as `openssl rsa -des` wrote it. */
export function writeDesPem(label: string, key: Buffer, passphrase: string): string {
	const iv = salt.subarray(0, 8);
	const md5 = forge.md.md5.create();
	md5.update(forge.util.encodeUtf8(passphrase) + iv.toString('latin1'));
	const desKey = latin1(md5.digest().getBytes()).subarray(0, 8);
	const body = forgeCipher('DES-CBC', desKey, iv, key)
		.toString('base64')
		.replace(/.{64}(?!$)/g, '$&\n');
	const head = `Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,${iv.toString('hex').toUpperCase()}`;
	return `-----BEGIN ${label}-----\n${head}\n\n${body}\n-----END ${label}-----\n`;
}

const bag = (type: string, value: Buffer, attributes: readonly Buffer[]) =>
	sequence(oid(type), explicit0(value), ...attributes);
const derOf = (content: Content) => (Buffer.isBuffer(content) ? content : content.der);

function attributesOf(content: Content): Buffer[] {
	if (Buffer.isBuffer(content)) return [];
	const name = Buffer.from(content.name, 'utf16le').swap16();
	const friendlyName = sequence(oid('1.2.840.113549.1.9.20'), tlv(0x31, tlv(0x1e, name)));
	return [tlv(0x31, friendlyName)];
}

const dataInfo = (content: Buffer) =>
	sequence(oid('1.2.840.113549.1.7.1'), explicit0(octets(content)));

function encryptedInfo({algorithm, encrypted}: Encrypted): Buffer {
	const info = sequence(oid('1.2.840.113549.1.7.1'), algorithm, tlv(0x80, encrypted));
	return sequence(oid('1.2.840.113549.1.7.6'), explicit0(sequence(integer(0), info)));
}

function macData({mac, passphrase}: PfxContent, data: Buffer, iterations: number): Buffer[] {
	if (mac === 'none') return [];
	if (mac === 'pbmac1') {
		const hmac = sequence(oid('1.2.840.113549.2.9'), nothing);
		const kdf = pbkdf2Algorithm(iterations, '1.2.840.113549.2.9', 32);
		const algorithm = sequence(oid('1.2.840.113549.1.5.14'), sequence(kdf, hmac));
		const key = pbkdf2Sync(passphrase ?? '', salt, iterations, 32, 'sha256');
		const digest = createHmac('sha256', key).update(data).digest();
		return [
			sequence(sequence(algorithm, octets(digest)), octets(Buffer.from('unused')), integer(1)),
		];
	}
	if (mac in oddMacs) return oddMacData(mac as OddMac, passphrase, data, iterations);
	const [id, length, make] = {
		sha1: ['1.3.14.3.2.26', 20, forge.md.sha1.create] as const,
		sha256: ['2.16.840.1.101.3.4.2.1', 32, forge.md.sha256.create] as const,
		sha512: ['2.16.840.1.101.3.4.2.3', 64, forge.md.sha512.create] as const,
	}[mac as 'sha1' | 'sha256' | 'sha512'];
	const key = pkcs12Key(passphrase, 3, iterations, length, make());
	const digest = createHmac(mac, key).update(data).digest();
	const digestInfo = sequence(sequence(oid(id), nothing), octets(digest));
	return [sequence(digestInfo, octets(salt), integer(iterations))];
}

// One digest is as long as the key of its HMAC, so that the derivation has one step (RFC 7292 B.2).
function oddMacData(mac: OddMac, secret: Secret, data: Buffer, iterations: number): Buffer[] {
	const [id, length, block] = oddMacs[mac];
	const fill = (bytes: Buffer) => Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
	const password = Buffer.from(`${secret ?? ''}\0`, 'utf16le').swap16();
	let key = Buffer.concat([Buffer.alloc(block, 3), fill(salt), fill(password)]);
	for (let n = 0; n < iterations; n++) key = createHash(mac).update(key).digest();
	if (key.length !== length) throw new TypeError('a digest of another length');
	const digest = createHmac(mac, key).update(data).digest();
	const digestInfo = sequence(sequence(oid(id), nothing), octets(digest));
	return [sequence(digestInfo, octets(salt), integer(iterations))];
}

function pkcs12Key(
	secret: Secret,
	purpose: number,
	iterations: number,
	length: number,
	md: forge.md.MessageDigest,
): Buffer {
	// Typed as if there were no `null`, which is how forge knows a passphrase that is not there.
	const password = (secret ?? null) as string;
	const generate = (
		forge.pkcs12 as unknown as {
			generateKey(...args: readonly unknown[]): forge.util.ByteStringBuffer;
		}
	).generateKey;
	return latin1(generate(password, bytesOf(salt), purpose, iterations, length, md).getBytes());
}

function pbkdf2Algorithm(iterations: number, prf: string | undefined, length?: number): Buffer {
	return sequence(
		oid('1.2.840.113549.1.5.12'),
		sequence(
			octets(salt),
			integer(iterations),
			...(length === undefined ? [] : [integer(length)]),
			...(prf === undefined ? [] : [sequence(oid(prf), nothing)]),
		),
	);
}

interface Encrypted {
	readonly algorithm: Buffer;
	readonly encrypted: Buffer;
}

const pbes2 = {
	'aes-256': ['aes-256-cbc', 32, 'sha256', '1.2.840.113549.2.9', '2.16.840.1.101.3.4.1.42'],
	'aes-128-sha1': ['aes-128-cbc', 16, 'sha1', undefined, '2.16.840.1.101.3.4.1.2'],
	'aes-192-sha512': ['aes-192-cbc', 24, 'sha512', '1.2.840.113549.2.11', '2.16.840.1.101.3.4.1.22'],
	'3des-pbes2': ['des-ede3-cbc', 24, 'sha256', '1.2.840.113549.2.9', '1.2.840.113549.3.7'],
	'camellia-256': [
		'camellia-256-cbc',
		32,
		'sha512-256',
		'1.2.840.113549.2.13',
		'1.2.392.200011.61.1.1.1.4',
	],
	'aria-128': ['aria-128-cbc', 16, 'sha3-256', '2.16.840.1.101.3.4.2.14', '1.2.410.200046.1.1.2'],
	sm4: ['sm4-cbc', 16, 'md5', '1.2.840.113549.2.6', '1.2.156.10197.1.104.2'],
} as const;

const pbe = {
	'pbe-3des': ['1.2.840.113549.1.12.1.3', 24],
	'pbe-2des': ['1.2.840.113549.1.12.1.4', 16],
	'pbe-rc2-128': ['1.2.840.113549.1.12.1.5', 16],
	'pbe-rc2-40': ['1.2.840.113549.1.12.1.6', 5],
} as const;

function encrypt(plain: Buffer, how: Protection, secret: Secret, iterations: number): Encrypted {
	if (how === 'none') throw new TypeError('nothing to encrypt with');
	if (how in pbes2) {
		const [cipher, length, hash, prf, id] = pbes2[how as keyof typeof pbes2];
		const iv = cipher === 'des-ede3-cbc' ? blockIv.subarray(0, 8) : blockIv;
		const key = pbkdf2Sync(secret ?? '', salt, iterations, length, hash);
		const writer = createCipheriv(cipher, key, iv);
		const scheme = sequence(oid(id), octets(iv));
		return {
			algorithm: sequence(
				oid('1.2.840.113549.1.5.13'),
				sequence(pbkdf2Algorithm(iterations, prf), scheme),
			),
			encrypted: Buffer.concat([writer.update(plain), writer.final()]),
		};
	}
	if (how in pbe) {
		const [id, length] = pbe[how as keyof typeof pbe];
		const derive = (purpose: number, bytes: number) =>
			pkcs12Key(secret, purpose, iterations, bytes, forge.md.sha1.create());
		const [key, iv] = [derive(1, length), derive(2, 8)];
		const tripled = length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key;
		return {
			algorithm: sequence(oid(id), sequence(octets(salt), integer(iterations))),
			encrypted: how.startsWith('pbe-rc2')
				? rc2(key, iv, plain)
				: forgeCipher('3DES-CBC', tripled, iv, plain),
		};
	}
	return pbes1(plain, how, secret, iterations);
}

function pbes1(plain: Buffer, how: Protection, secret: Secret, iterations: number): Encrypted {
	const short = salt.subarray(0, 8);
	let digest = `${forge.util.encodeUtf8(secret ?? '')}${short.toString('latin1')}`;
	for (let n = 0; n < iterations; n++) {
		const md = how === 'pbe-md5-des' ? forge.md.md5.create() : forge.md.sha1.create();
		digest = md.update(digest).digest().getBytes();
	}
	const id = how === 'pbe-md5-des' ? '1.2.840.113549.1.5.3' : '1.2.840.113549.1.5.10';
	return {
		algorithm: sequence(oid(id), sequence(octets(short), integer(iterations))),
		encrypted: forgeCipher(
			'DES-CBC',
			latin1(digest.slice(0, 8)),
			latin1(digest.slice(8, 16)),
			plain,
		),
	};
}

function forgeCipher(name: '3DES-CBC' | 'DES-CBC', key: Buffer, iv: Buffer, plain: Buffer): Buffer {
	const cipher = forge.cipher.createCipher(name, bytesOf(key));
	cipher.start({iv: bytesOf(iv)});
	cipher.update(bytesOf(plain));
	cipher.finish();
	return latin1(cipher.output.getBytes());
}

function rc2(key: Buffer, iv: Buffer, plain: Buffer): Buffer {
	const cipher = forge.rc2.createEncryptionCipher(key.toString('latin1'), key.length * 8);
	cipher.start(iv.toString('latin1'));
	cipher.update(bytesOf(plain));
	cipher.finish();
	return latin1(cipher.output.getBytes());
}
