import {childrenOf, DerError, readDer, tags} from './der.ts';

/** What DER bytes hold, in the word that PEM has for it. */
export interface DerKind {
	/** `undefined`: DER, but of no kind that we know. */
	readonly label: string | undefined;
	/** The value alone, without what may follow it. */
	readonly bytes: Buffer;
}

const {integer: INT, bitString: BITS, octetString: OCTETS, oid: OID, sequence: SEQ} = tags;

// By the tags of the outer SEQUENCE, which differ for all of them.
const shapes: readonly (readonly [string, readonly number[]])[] = [
	// RFC 5208 §5 and RFC 5958 §2, RFC 8017 A.1.2, RFC 5915 §3
	['PRIVATE KEY', [INT, SEQ, OCTETS]],
	['RSA PRIVATE KEY', [INT, INT, INT, INT, INT, INT, INT, INT, INT]],
	['EC PRIVATE KEY', [INT, OCTETS]],
	['ENCRYPTED PRIVATE KEY', [SEQ, OCTETS]],
	['PUBLIC KEY', [SEQ, BITS]],
	['PKCS12', [INT, SEQ]],
	['PKCS7', [OID, tags.explicit0]],
];

/**
 * Tells by their structure what bytes are, so that a file that was handed over in the wrong option
 * is named rather than "unknown".
 *
 * @returns `undefined` when they are no DER, and `'damaged'` when they begin as it and are cut short.
 */
export function derKind(bytes: Buffer): DerKind | 'damaged' | undefined {
	if (!beginsAsDer(bytes)) return undefined;
	try {
		const outer = readDer(bytes);
		const children = childrenOf(outer);
		const own = children.map(({tag}) => tag);
		const label =
			own.length === 3 && own[0] === SEQ && own[1] === SEQ && own[2] === BITS && children[0]
				? signedLabel(childrenOf(children[0]).map(({tag}) => tag))
				: shapes.find(([, shape]) => shape.every((tag, index) => tag === own[index]))?.[0];
		return {label, bytes: outer.whole};
	} catch (error) {
		if (error instanceof DerError) return 'damaged';
		throw error;
	}
}

// A certificate, a request and a CRL are all signed in the same way (RFC 5280 §4.1, §5.1, RFC 2986 §4.2).
function signedLabel(body: readonly number[]): string {
	if (body.includes(tags.utcTime) || body.includes(tags.generalizedTime)) return 'X509 CRL';
	if (body[0] === INT && body.length <= 4) return 'CERTIFICATE REQUEST';
	return 'CERTIFICATE';
}

// All of it is in a SEQUENCE, whose length is in one byte or in more (X.690 §8.1.3).
function beginsAsDer(bytes: Buffer): boolean {
	const [tag, length = 0] = bytes;
	return tag === SEQ && (length >= 0x80 || length + 2 === bytes.length);
}
