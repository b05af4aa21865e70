/*
 * Certificates in the form of `socket.getPeerCertificate()`.
 *
 * Security: Node's own is not safe to call. For an EC key it looks up the NIST name of the curve, and
 * where there is none, `getPeerCertificate()` and `X509Certificate.toLegacyObject()` of Node 24 and 26
 * end the process. The peer chooses the curve, before it is verified.
 */
import type {X509Certificate} from 'node:crypto';
import type {DetailedPeerCertificate, PeerCertificate} from 'node:tls';

/** The form of one certificate: Node's own where its key is of a usual kind, else all but the key. */
export function legacyForm(certificate: X509Certificate): PeerCertificate {
	const form = hasUsualKey(certificate) ? certificate.toLegacyObject() : describe(certificate);
	const {infoAccess} = certificate;
	// An X509Certificate has it as text, the form of a socket as lists.
	if (infoAccess !== undefined) form.infoAccess = listsOf(infoAccess);
	return form;
}

/** The form of a chain, leaf first: each with its issuer, and a root with itself. */
export function detailedForm(chain: readonly X509Certificate[]): DetailedPeerCertificate {
	let issuer: DetailedPeerCertificate | undefined;
	for (const certificate of chain.toReversed()) {
		const form = legacyForm(certificate) as DetailedPeerCertificate;
		if (issuer !== undefined) form.issuerCertificate = issuer;
		else if (certificate.checkIssued(certificate)) form.issuerCertificate = form;
		issuer = form;
	}
	// As Node does without a certificate.
	return issuer ?? ({} as DetailedPeerCertificate);
}

/** The curves of certificates that have a NIST name, by OpenSSL's names. */
const usualCurves: ReadonlySet<unknown> = new Set([
	'secp224r1',
	'prime256v1',
	'secp384r1',
	'secp521r1',
]);

function hasUsualKey(certificate: X509Certificate): boolean {
	try {
		const {asymmetricKeyType, asymmetricKeyDetails} = certificate.publicKey;
		if (asymmetricKeyType === 'ec') return usualCurves.has(asymmetricKeyDetails?.namedCurve);
		return asymmetricKeyType === 'rsa' || asymmetricKeyType === 'ed25519';
	} catch {
		// The key is damaged, or of a type that OpenSSL does not know.
		return false;
	}
}

function describe(certificate: X509Certificate): PeerCertificate {
	const {subjectAltName, keyUsage} = certificate;
	return {
		subject: nameOf(certificate.subject),
		issuer: nameOf(certificate.issuer),
		...(subjectAltName !== undefined && {subjectaltname: subjectAltName}),
		ca: certificate.ca,
		valid_from: certificate.validFrom,
		valid_to: certificate.validTo,
		fingerprint: certificate.fingerprint,
		fingerprint256: certificate.fingerprint256,
		fingerprint512: certificate.fingerprint512,
		...(keyUsage !== undefined && {ext_key_usage: keyUsage}),
		serialNumber: certificate.serialNumber,
		raw: certificate.raw,
	};
}

/**
 * Reads a name as an X509Certificate prints it: one `CN=x` per line, those of one RDN in the same line,
 * escaped by RFC 2253 so that one value cannot pass for several.
 *
 * @param text - `undefined` for an empty name, against Node's types.
 */
function nameOf(text: string | undefined): PeerCertificate['subject'] {
	const name: Record<string, string | string[]> = Object.create(null);
	for (const entry of text?.split(/\n| \+ /) ?? []) {
		const end = entry.indexOf('=');
		const key = entry.slice(0, end);
		const value = entry.slice(end + 1).replaceAll(/\\([\dA-F]{2}|.)/g, unescaped);
		const before = name[key];
		name[key] = before === undefined ? value : [before, value].flat();
	}
	return name as unknown as PeerCertificate['subject'];
}

function unescaped(_: string, escaped: string): string {
	return escaped.length === 2 ? String.fromCharCode(Number.parseInt(escaped, 16)) : escaped;
}

/** One `CA Issuers - URI:http://…` per line; a value with special characters is a JSON string. */
function listsOf(text: string): NonNullable<PeerCertificate['infoAccess']> {
	const lists: NonNullable<PeerCertificate['infoAccess']> = Object.create(null);
	for (const [, key = '', value = ''] of text.matchAll(/([^\n:]*):([^\n]*)/g)) {
		const list = lists[key] ?? [];
		list.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
		lists[key] = list;
	}
	return lists;
}
