import type {webcrypto} from 'node:crypto';
import {isIP} from 'node:net';
import type {Extension, X509Certificate} from '@peculiar/x509';
import type {KeyType} from './keys.ts';
import type {Validity} from './validity.ts';
import {loadX509} from './x509.ts';

/** A certificate authority that signs: its name, its keys and the URL of its certificate. */
export interface Issuer {
	readonly certificate: X509Certificate;
	readonly keys: webcrypto.CryptoKeyPair;
	/** authorityInfoAccess of the certificates that it signs; absent for a root, which clients have. */
	readonly caIssuers?: string;
}

/** The content of a certificate to sign. */
export interface CertificateContent {
	readonly commonName: string;
	readonly organization?: string | undefined;
	readonly validity: Validity;
	readonly keys: webcrypto.CryptoKeyPair;
	/** Absent: signed with its own key. */
	readonly issuer?: Issuer | undefined;
	readonly role: AuthorityRole | LeafRole;
}

interface AuthorityRole {
	readonly type: 'authority';
}

interface LeafRole {
	readonly type: 'leaf';
	readonly keyType: KeyType;
	/** subjectAltName: DNS names and IP addresses. */
	readonly names: readonly string[];
	readonly uris: readonly string[];
	/** extendedKeyUsage; none leaves the extension out. */
	readonly purposes: readonly ('serverAuth' | 'clientAuth')[];
}

/** Signs a certificate of the profile of RFC 5280 section 4, strict enough for `openssl verify -x509_strict`. */
export async function signCertificate(content: CertificateContent): Promise<X509Certificate> {
	const {X509CertificateGenerator} = await loadX509();
	const {commonName, organization, validity, keys, issuer} = content;
	const subject = [
		...(organization === undefined ? [] : [{O: [organization]}]),
		{CN: [commonName]},
	];
	return X509CertificateGenerator.create({
		subject,
		issuer: issuer?.certificate.subjectName ?? subject,
		notBefore: validity.from,
		notAfter: validity.to,
		publicKey: keys.publicKey,
		signingKey: (issuer?.keys ?? keys).privateKey,
		extensions: [...(await keyIdentifiers(content)), ...(await roleExtensions(content.role))],
	});
}

async function keyIdentifiers({keys, issuer}: CertificateContent): Promise<Extension[]> {
	const x509 = await loadX509();
	const extensions: Extension[] = [await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)];
	if (issuer !== undefined) {
		extensions.push(await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey));
	}
	if (issuer?.caIssuers !== undefined) {
		extensions.push(new x509.AuthorityInfoAccessExtension({caIssuers: issuer.caIssuers}));
	}
	return extensions;
}

async function roleExtensions(role: AuthorityRole | LeafRole): Promise<Extension[]> {
	const x509 = await loadX509();
	const {KeyUsageFlags} = x509;
	if (role.type === 'authority') {
		return [
			new x509.BasicConstraintsExtension(true, undefined, true),
			new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
		];
	}

	// RSA key transport, the key exchange of old TLS 1.2 suites, needs keyEncipherment; a key that
	// only signs must not claim it (RFC 8410 section 5, RFC 8813 section 3).
	const transport = role.keyType === 'rsa' ? KeyUsageFlags.keyEncipherment : 0;
	const extensions: Extension[] = [
		new x509.BasicConstraintsExtension(false, undefined, true),
		new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature | transport, true),
	];
	if (role.purposes.length > 0) {
		const usages = role.purposes.map((purpose) => x509.ExtendedKeyUsage[purpose]);
		extensions.push(new x509.ExtendedKeyUsageExtension(usages));
	}
	const alternatives = [
		...role.names.map((value) => ({type: isIP(value) ? ('ip' as const) : ('dns' as const), value})),
		...role.uris.map((value) => ({type: 'url' as const, value})),
	];
	if (alternatives.length > 0) {
		extensions.push(new x509.SubjectAlternativeNameExtension(alternatives));
	}
	return extensions;
}
