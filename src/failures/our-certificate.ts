/** What is known of a certificate that we send, leaf first in a list. */
export interface OwnCertificate {
	readonly subject: string;
	readonly issuer: string;
	/** ISO 8601, UTC. */
	readonly validFrom: string;
	readonly validTo: string;
	/** The OIDs of its extendedKeyUsage; `undefined` without the extension. */
	readonly purposes: readonly string[] | undefined;
	/** The names of its keyUsage bits (RFC 5280 §4.2.1.3); `undefined` without the extension. */
	readonly keyUsage: readonly string[] | undefined;
	/** The hash of its signature, where it is known: `SHA-256`. */
	readonly digest: string | undefined;
	/** Node's `asymmetricKeyType`; `undefined` where OpenSSL does not know it. */
	readonly keyType: string | undefined;
	/** Of an RSA or DSA key. */
	readonly keyBits: number | undefined;
	/** OpenSSL's name of the curve of an EC key: `prime256v1`. */
	readonly curve: string | undefined;
	/** Where the certificate of its issuer can be fetched. */
	readonly caIssuers: readonly string[];
}

export type OwnFaultId =
	| 'own-expired'
	| 'own-not-yet-valid'
	| 'own-no-client-auth'
	| 'own-key-usage'
	| 'own-weak-signature'
	| 'own-short-key'
	| 'own-curve'
	| 'own-chain-expired'
	| 'own-chain-incomplete';

/** What a server is likely to object to in our certificate; known before connecting. */
export interface OwnFault {
	readonly id: OwnFaultId;
	/** One sentence without a full stop. */
	readonly text: string;
	/** What to do about it. */
	readonly repair: string;
}

/** `anyExtendedKeyUsage` and `id-kp-clientAuth`, RFC 5280 §4.2.1.12. */
const clientPurposes = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.2'];

/** The curves whose signatures TLS 1.3 knows (RFC 8446 §4.2.3), by OpenSSL's names. */
const curveDigests: Readonly<Record<string, string>> = {
	prime256v1: 'SHA256',
	secp384r1: 'SHA384',
	secp521r1: 'SHA512',
};

/** What {@link faultsOfOurs} compares the certificates with. */
export interface FaultContext {
	readonly now: Date;
	/** Whether the issuer of the last certificate is known to be a root, which need not be sent. */
	readonly endsAtRoot: boolean;
}

/**
 * What is wrong with our certificate in the eyes of most servers, worst first.
 *
 * @param chain - What is sent, leaf first; nothing is wrong with an empty one.
 */
export function faultsOfOurs(
	chain: readonly OwnCertificate[],
	{now, endsAtRoot}: FaultContext,
): OwnFault[] {
	const [leaf] = chain;
	if (leaf === undefined) return [];
	return [
		...faultsOfLeaf(leaf, now.toISOString()),
		...chain.slice(1).flatMap((each) => faultsOfIssuer(each, now.toISOString())),
		...(endsAtRoot ? [] : incompleteChain(chain)),
	];
}

function faultsOfLeaf(leaf: OwnCertificate, now: string): OwnFault[] {
	const name = `our certificate '${leaf.subject}'`;
	const renewal = `have our certificate renewed by its issuer, '${leaf.issuer}'`;
	const replaced = (how: string) => `have '${leaf.issuer}' issue our certificate ${how}`;
	const found: OwnFault[] = [];
	const add = (id: OwnFaultId, text: string, repair: string) => found.push({id, text, repair});

	if (leaf.validTo < now) {
		add('own-expired', `${name} expired on ${leaf.validTo}`, renewal);
	} else if (leaf.validFrom > now) {
		add(
			'own-not-yet-valid',
			`${name} is not valid before ${leaf.validFrom} (this machine's date: ${now})`,
			"wait until that date, or set this machine's clock",
		);
	}
	if (
		leaf.purposes !== undefined &&
		!clientPurposes.some((each) => leaf.purposes?.includes(each))
	) {
		add(
			'own-no-client-auth',
			`${name} is not for clients: its extendedKeyUsage lacks clientAuth`,
			replaced('with clientAuth in its extendedKeyUsage'),
		);
	}
	if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes('digitalSignature')) {
		add(
			'own-key-usage',
			`${name} may not sign a handshake: its keyUsage (${leaf.keyUsage.join(', ')}) lacks digitalSignature`,
			replaced('with digitalSignature in its keyUsage'),
		);
	}
	if (leaf.digest === 'SHA-1' || leaf.digest === 'MD5') {
		add(
			'own-weak-signature',
			`${name} is signed with ${leaf.digest}, which servers no longer accept`,
			replaced('signed with SHA-256'),
		);
	}
	const bits = leaf.keyBits ?? Number.POSITIVE_INFINITY;
	if (bits < 2048) {
		add(
			'own-short-key',
			`the key of ${name} has ${bits} bits, and servers want 2048`,
			replaced('for a key of 2048 bits or more'),
		);
	}
	if (leaf.keyType === 'ec' && !Object.hasOwn(curveDigests, leaf.curve ?? '')) {
		add(
			'own-curve',
			`the key of ${name} is on the curve ${leaf.curve ?? 'of its own'}, which TLS 1.3 does not know`,
			replaced('for a key on P-256'),
		);
	}
	return found;
}

function faultsOfIssuer({subject, issuer, validTo}: OwnCertificate, now: string): OwnFault[] {
	// A root is not checked by date everywhere, and need not be sent.
	if (validTo >= now || subject === issuer) return [];
	return [
		{
			id: 'own-chain-expired',
			text: `'${subject}', which is sent with our certificate, expired on ${validTo}`,
			repair: `put the current certificate of '${subject}' into \`mtls.cert\``,
		},
	];
}

/**
 * Whether an issuer is likely an intermediate CA, by its name and by whether its certificate can be
 * fetched: clients have the certificates of roots.
 */
export function looksIntermediate(
	issuer: string,
	caIssuers: readonly string[],
): 'yes' | 'no' | 'unknown' {
	if (/\b(intermediate|issuing|sub-?ca)\b/i.test(issuer)) return 'yes';
	if (/\broot\b/i.test(issuer)) return 'no';
	return caIssuers.length > 0 || /\b(ca ?|g)\d+\b/i.test(issuer) ? 'yes' : 'unknown';
}

function incompleteChain(chain: readonly OwnCertificate[]): OwnFault[] {
	const last = chain.at(-1);
	if (last === undefined || last.subject === last.issuer) return [];
	const {subject, issuer, caIssuers} = last;
	if (looksIntermediate(issuer, caIssuers) !== 'yes') return [];
	const from = caIssuers[0] === undefined ? '' : ` (from ${caIssuers[0]})`;
	return [
		{
			id: 'own-chain-incomplete',
			text: `'${subject}' was issued by '${issuer}', whose certificate is not sent with ours: a server that knows only the root cannot verify it`,
			repair: `put the certificate of '${issuer}'${from} behind ours in \`mtls.cert\``,
		},
	];
}

/**
 * Whether a key can sign with one of the algorithms that a server asked for. OpenSSL sends no
 * certificate whose key cannot.
 *
 * @param algorithms - In OpenSSL's names, as `getSharedSigalgs()` of `node:tls` returns them.
 * @param protocol - With TLS 1.3 a curve goes with one hash, and RSA with PSS alone (RFC 8446 §4.2.3).
 */
export function canSign(
	{keyType, curve}: Pick<OwnCertificate, 'keyType' | 'curve'>,
	algorithms: readonly string[],
	protocol: string | undefined,
): boolean {
	const isNew = protocol === 'TLSv1.3';
	const some = (pattern: RegExp) => algorithms.some((each) => pattern.test(each));
	switch (keyType) {
		case 'rsa':
			return some(isNew ? /^RSA-PSS\+/i : /^RSA(-PSS)?\+/i);
		case 'rsa-pss':
			return some(/^RSA-PSS\+/i);
		case 'ec': {
			if (!isNew) return some(/^ECDSA\+/i);
			const digest = curveDigests[curve ?? ''];
			return digest !== undefined && algorithms.includes(`ECDSA+${digest}`);
		}
		case 'ed25519':
			return some(/^ed25519/i);
		case 'ed448':
			return some(/^ed448/i);
		default:
			return true;
	}
}
