/*
 * Every form in which people are handed a client certificate, made in process.
 */
import {createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate} from 'node:crypto';
import type {MtlsOptions} from '../../src/index.ts';
import {type CertificateAuthority, createTestPki, type TestPki} from '../../src/testing/index.ts';
import {issueFor} from './issue-for.ts';
import {
	type PfxContent,
	type Protection,
	writeDesPem,
	writeEncryptedKey,
	writePfx,
} from './pfx-writer.ts';

/** What one program reads. */
interface CredentialFile {
	readonly bytes: Buffer;
	/** As curl's `--cert-type` and `--key-type` say it. */
	readonly type: 'PEM' | 'DER' | 'P12';
}

export interface CredentialForm {
	readonly name: string;
	readonly cert: CredentialFile;
	/** Absent where the certificate's file has the key. */
	readonly key?: CredentialFile;
	/** Opens it; `undefined` where there is nothing to open. */
	readonly passphrase: string | undefined;
	/**
	 * Who else reads it: curl and any OpenSSL 3; that OpenSSL's own program alone; the same with the
	 * legacy provider; or only OpenSSL 3.4 and later.
	 */
	readonly readers: 'curl' | 'openssl' | 'openssl-legacy' | 'openssl-3.4';
	/** The certificate that a server is to see. */
	readonly fingerprint256: string;
	/** Whether it brings the intermediate. */
	readonly hasChain: boolean;
}

export interface Corpus {
	readonly pki: TestPki;
	readonly intermediate: CertificateAuthority;
	readonly forms: readonly CredentialForm[];
}

// Of letters that are another byte in each encoding, and a pair of surrogates.
export const passphrase = 'MARK-pässw€rd-😀';

/** The options that a form is given as. */
export function mtlsOf({cert, key}: CredentialForm): MtlsOptions {
	if (cert.type === 'P12') return {pfx: cert.bytes};
	return {cert: cert.bytes, ...(key !== undefined && {key: key.bytes})};
}

interface Subject {
	readonly kind: string;
	readonly key: KeyObject;
	/** PEM: the leaf, the intermediate, the root. */
	readonly chain: readonly [string, string, string];
}

export async function makeCorpus(): Promise<Corpus> {
	const pki = await createTestPki();
	const intermediate = await pki.intermediate();
	const pairs = {
		EC: generateKeyPairSync('ec', {namedCurve: 'P-256'}),
		'EC P-384': generateKeyPairSync('ec', {namedCurve: 'P-384'}),
		RSA: generateKeyPairSync('rsa', {modulusLength: 2048}),
		'RSA-PSS': generateKeyPairSync('rsa-pss', {modulusLength: 2048}),
		Ed25519: generateKeyPairSync('ed25519'),
	};
	const subjects = await Promise.all(
		Object.entries(pairs).map(async ([kind, {publicKey, privateKey}]): Promise<Subject> => {
			const leaf = await issueFor(intermediate, publicKey, {commonName: kind});
			return {kind, key: privateKey, chain: [leaf, intermediate.cert, pki.ca]};
		}),
	);
	return {
		pki,
		intermediate,
		forms: subjects.flatMap((each) => [...pemForms(each), ...pfxForms(each)]),
	};
}

type Rest = Pick<CredentialForm, 'passphrase' | 'readers'>;
const plain: Rest = {passphrase: undefined, readers: 'curl'};
const encrypted: Rest = {passphrase, readers: 'curl'};
// curl has no passphrase for a key in DER, nor for a PKCS#12 file without a MAC.
const beyondCurl: Rest = {passphrase, readers: 'openssl'};
// OpenSSL's own reader takes these too, and the packages of some systems do not.
const beyondOthers: Rest = {passphrase, readers: 'openssl-3.4'};
const legacy: Rest = {passphrase, readers: 'openssl-legacy'};

const pem = (text: string): CredentialFile => ({bytes: Buffer.from(text), type: 'PEM'});
const der = (bytes: Buffer): CredentialFile => ({bytes, type: 'DER'});

function pemForms(subject: Subject): CredentialForm[] {
	const {kind, key, chain} = subject;
	const [leaf, intermediate] = chain;
	const {fingerprint256, raw} = new X509Certificate(leaf);
	const certs = leaf + intermediate;
	const form = (
		how: string,
		cert: CredentialFile,
		keyFile: CredentialFile | undefined,
		rest: Rest,
	): CredentialForm => ({
		...rest,
		name: `${kind}, ${how}`,
		cert,
		...(keyFile !== undefined && {key: keyFile}),
		fingerprint256,
		hasChain: cert.type !== 'DER',
	});
	const text = pem(pkcs8Pem(key)).bytes.toString();
	const bags = `Bag Attributes\n    friendlyName: ${kind}\n    localKeyID: 01 02 \nKey Attributes: <No Attributes>\n${text}`;
	return [
		...keyForms(subject).map(([how, keyFile, rest]) => form(how, pem(certs), keyFile, rest)),
		form('key and certificates in one file', pem(text + certs), undefined, plain),
		form('certificates and key in one file', pem(certs + text), undefined, plain),
		form('one file, and both options name it', pem(certs + text), pem(certs + text), plain),
		form('with bag attributes', pem(`${bags}${certs}`), undefined, plain),
		form('with Windows line ends', pem(crlf(certs)), pem(crlf(text)), plain),
		form('after a byte order mark', pem(`\ufeff${certs}`), pem(`\ufeff${text}`), plain),
		form('with words after it', pem(`${certs}the end\n\0`), pem(`${text}the end\n\0`), plain),
		form('DER of both', der(raw), der(pkcs8Der(key)), plain),
		form(
			'DER of the certificate and an encrypted key',
			der(raw),
			der(writeEncryptedKey(pkcs8Der(key), 'aes-256', passphrase)),
			beyondCurl,
		),
	];
}

const crlf = (text: string) => text.replaceAll('\n', '\r\n');

function pkcs8Pem(key: KeyObject): string {
	return key.export({type: 'pkcs8', format: 'pem'}).toString();
}

function pkcs8Der(key: KeyObject): Buffer {
	return key.export({type: 'pkcs8', format: 'der'});
}

function encryptedPem(key: Buffer, how: Protection): string {
	const base64 = writeEncryptedKey(key, how, passphrase).toString('base64');
	const lines = base64.replace(/.{64}(?!$)/g, '$&\n');
	return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

type KeyForm = readonly [how: string, file: CredentialFile, rest: Rest];

function keyForms({kind, key}: Subject): KeyForm[] {
	const pkcs8 = pkcs8Der(key);
	const wrapped = (how: Protection, rest: Rest): KeyForm => [
		`PKCS#8 under ${how}`,
		pem(encryptedPem(pkcs8, how)),
		rest,
	];
	return [
		['PKCS#8', pem(pkcs8Pem(key)), plain],
		wrapped('aes-256', encrypted),
		wrapped('aes-128-sha1', encrypted),
		wrapped('3des-pbes2', encrypted),
		wrapped('pbe-3des', encrypted),
		wrapped('pbe-rc2-40', legacy),
		wrapped('pbe-md5-des', legacy),
		wrapped('pbe-sha1-des', legacy),
		...(kind === 'RSA' ? traditional('PKCS#1', 'RSA PRIVATE KEY', key, 'pkcs1') : []),
		...(kind.startsWith('EC') ? traditional('SEC1', 'EC PRIVATE KEY', key, 'sec1') : []),
	];
}

function traditional(
	name: string,
	label: string,
	key: KeyObject,
	type: 'pkcs1' | 'sec1',
): KeyForm[] {
	const exported = (cipher?: string) =>
		key.export({type, format: 'pem', ...(cipher !== undefined && {cipher, passphrase})}).toString();
	const bytes = createPrivateKey(exported()).export({type, format: 'der'});
	const parameters =
		'-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
	return [
		[name, pem(exported()), plain],
		[`${name} in DER`, der(bytes), plain],
		[`${name} under AES`, pem(exported('aes-256-cbc')), encrypted],
		[`${name} under 3DES`, pem(exported('des-ede3-cbc')), encrypted],
		[`${name} under DES`, pem(writeDesPem(label, bytes, passphrase)), legacy],
		...(type === 'sec1'
			? ([[`${name} after its parameters`, pem(parameters + exported()), plain]] as const)
			: []),
	];
}

// Key and certificates, what protects them, and who reads it.
const containers: readonly (readonly [string, Protection, Protection, PfxContent['mac'], Rest])[] =
	[
		['modern', 'aes-256', 'aes-256', 'sha256', encrypted],
		['AES over SHA-1', 'aes-128-sha1', 'aes-128-sha1', 'sha1', encrypted],
		['AES over SHA-512', 'aes-192-sha512', 'aes-192-sha512', 'sha512', encrypted],
		['3DES', 'pbe-3des', 'pbe-3des', 'sha1', encrypted],
		['two-key 3DES', 'pbe-2des', 'pbe-2des', 'sha1', encrypted],
		['legacy, 3DES and RC2-40', 'pbe-3des', 'pbe-rc2-40', 'sha1', legacy],
		['RC2-40 alone', 'pbe-rc2-40', 'pbe-rc2-40', 'sha1', legacy],
		['RC2-128', 'pbe-rc2-128', 'pbe-rc2-128', 'sha1', legacy],
		['certificates in the open', 'aes-256', 'none', 'sha256', encrypted],
		['all in the open, with a MAC', 'none', 'none', 'sha256', encrypted],
		['all in the open', 'none', 'none', 'none', plain],
		['without a MAC', 'aes-256', 'aes-256', 'none', beyondCurl],
		['PBMAC1', 'aes-256', 'aes-256', 'pbmac1', {passphrase, readers: 'openssl-3.4'}],
		['an empty passphrase', 'aes-256', 'aes-256', 'sha256', {...encrypted, passphrase: ''}],
		['an empty passphrase, legacy', 'pbe-3des', 'pbe-rc2-40', 'sha1', {...legacy, passphrase: ''}],
	];

// What the kind of the key makes no difference to.
const oddContainers: typeof containers = [
	['Camellia', 'camellia-256', 'camellia-256', 'sha512-256', beyondOthers],
	['ARIA', 'aria-128', 'aria-128', 'sha3-512', beyondOthers],
	['SM4', 'sm4', 'sm4', 'sm3', beyondOthers],
	['a MAC over MD5', 'aes-256', 'aes-256', 'md5', beyondOthers],
	['a MAC over SHA3-224', 'aes-256', 'aes-256', 'sha3-224', beyondOthers],
	['a MAC over SHA3-256', 'aes-256', 'aes-256', 'sha3-256', beyondOthers],
	['a MAC over SHA3-384', 'aes-256', 'aes-256', 'sha3-384', beyondOthers],
];

function pfxForms({kind, key, chain}: Subject): CredentialForm[] {
	const certificates = chain.map((text) => new X509Certificate(text).raw);
	const {fingerprint256} = new X509Certificate(chain[0]);
	const write = (content: Omit<PfxContent, 'keys' | 'certificates'>): CredentialFile => ({
		type: 'P12',
		bytes: writePfx({keys: [pkcs8Der(key)], certificates, ...content}),
	});
	const forms = [...containers, ...(kind === 'EC' ? oddContainers : [])].map(
		([how, keys, certs, mac, rest]): CredentialForm => ({
			...rest,
			name: `${kind}, PKCS#12: ${how}`,
			cert: write({key: keys, cert: certs, mac, passphrase: rest.passphrase}),
			fingerprint256,
			hasChain: true,
		}),
	);
	const none: CredentialForm = {
		name: `${kind}, PKCS#12: no passphrase at all`,
		cert: write({key: 'pbe-3des', cert: 'pbe-3des', mac: 'sha1', passphrase: undefined}),
		passphrase: '',
		readers: 'curl',
		fingerprint256,
		hasChain: true,
	};
	return [...forms, none];
}
