import {
	childrenOf,
	DerError,
	type DerValue,
	explicit0,
	objectId,
	readDer,
	sequence,
	tags,
} from './der.ts';

const signedData = '1.2.840.113549.1.7.2';

/** `[0] IMPLICIT` certificates and `[1] IMPLICIT` revocation lists of a SignedData (RFC 5652 §5.1). */
const certificatesTag = 0xa0;
const crlsTag = 0xa1;

/** DER, in the order of the file. */
interface Pkcs7 {
	readonly certificates: readonly Buffer[];
	readonly crls: readonly Buffer[];
}

/**
 * The certificates and revocation lists of a PKCS#7 file (`.p7b`, `.p7c`): a SignedData that signs nothing.
 * They are not verified by it: what they are trusted for is decided where they are used.
 *
 * @returns `undefined` when it is damaged, or another content of PKCS#7.
 */
export function readPkcs7(bytes: Buffer): Pkcs7 | undefined {
	try {
		const [type, content] = sequence(readDer(bytes));
		if (objectId(type) !== signedData) return undefined;
		const fields = sequence(explicit0(content));
		return {
			certificates: membersOf(fields, certificatesTag),
			crls: membersOf(fields, crlsTag),
		};
	} catch (error) {
		if (error instanceof DerError) return undefined;
		throw error;
	}
}

// Other choices than a SEQUENCE are attribute certificates, and formats that nobody writes any more.
function membersOf(fields: readonly DerValue[], tag: number): Buffer[] {
	return fields
		.filter((field) => field.tag === tag)
		.flatMap(childrenOf)
		.filter((member) => member.tag === tags.sequence)
		.map(({whole}) => whole);
}
