/** One value of DER, or of BER as PKCS#12 files have it (X.690 §8.1): a view of the bytes, not a copy. */
export interface DerValue {
	/** The identifier octet: `0x30` is a SEQUENCE. */
	readonly tag: number;
	readonly content: Buffer;
	/** With its tag and length. */
	readonly whole: Buffer;
}

/** The bytes are not DER, or not of the expected structure. */
export class DerError extends Error {
	override readonly name = 'DerError';
}

export const tags = {
	integer: 0x02,
	bitString: 0x03,
	octetString: 0x04,
	oid: 0x06,
	utcTime: 0x17,
	generalizedTime: 0x18,
	sequence: 0x30,
	set: 0x31,
	context0: 0x80,
	explicit0: 0xa0,
} as const;

// No format nests as deep. Only values of indefinite length are read recursively.
const maxDepth = 32;

/**
 * Reads the value at the beginning of `bytes`; what follows it is left alone.
 *
 * @throws {DerError} when there is none, or it is cut short.
 */
export function readDer(bytes: Buffer, depth = 0): DerValue {
	const [tag, first] = bytes;
	if (tag === undefined || first === undefined) throw new DerError('cut short');
	// A tag above 30 has more octets (X.690 §8.1.2.4): none of the formats read here has one.
	if ((tag & 0x1f) === 0x1f) throw new DerError('an unknown tag');
	if (first < 0x80) return slice(bytes, tag, 2, first);
	if (first === 0x80) return readIndefinite(bytes, tag, depth);

	const octets = first & 0x7f;
	if (octets > 4 || bytes.length < 2 + octets) throw new DerError('cut short');
	return slice(bytes, tag, 2 + octets, bytes.readUIntBE(2, octets));
}

function slice(bytes: Buffer, tag: number, start: number, length: number): DerValue {
	const end = start + length;
	if (end > bytes.length) throw new DerError('cut short');
	return {tag, content: bytes.subarray(start, end), whole: bytes.subarray(0, end)};
}

function readIndefinite(bytes: Buffer, tag: number, depth: number): DerValue {
	if (depth >= maxDepth) throw new DerError('nested too deep');
	let end = 2;
	// Ends at two zero octets where a value could begin (X.690 §8.1.5).
	while (bytes[end] !== 0 || bytes[end + 1] !== 0) {
		end += readDer(bytes.subarray(end), depth + 1).whole.length;
	}
	return {tag, content: bytes.subarray(2, end), whole: bytes.subarray(0, end + 2)};
}

/** The values in a SEQUENCE, SET or explicit tag. */
export function childrenOf({content}: DerValue): DerValue[] {
	const children: DerValue[] = [];
	for (let rest = content; rest.length > 0; ) {
		const child = readDer(rest);
		children.push(child);
		rest = rest.subarray(child.whole.length);
	}
	return children;
}

/** The value, which must have one of the `allowed` tags. */
function expectTag(value: DerValue | undefined, ...allowed: readonly number[]): DerValue {
	if (value === undefined || !allowed.includes(value.tag)) throw new DerError('an unexpected tag');
	return value;
}

/** The values of a SEQUENCE. */
export function sequence(value: DerValue | undefined): DerValue[] {
	return childrenOf(expectTag(value, tags.sequence));
}

/** The only value in an explicit tag `[0]`. */
export function explicit0(value: DerValue | undefined): DerValue {
	return readDer(expectTag(value, tags.explicit0).content);
}

/** The bytes of an OCTET STRING, or of `[0] IMPLICIT` one; BER may cut it in pieces (X.690 §8.7.3). */
export function octetString(value: DerValue | undefined): Buffer {
	const pieces = [tags.octetString | 0x20, tags.explicit0];
	const {tag, content} = expectTag(value, tags.octetString, tags.context0, ...pieces);
	if (!pieces.includes(tag)) return content;
	return Buffer.concat(
		childrenOf({tag, content, whole: content}).map(
			(piece) => expectTag(piece, tags.octetString).content,
		),
	);
}

/** An INTEGER that counts something: below 2^31. */
export function smallInteger(value: DerValue | undefined): number {
	const {content} = expectTag(value, tags.integer);
	const bytes = content[0] === 0 ? content.subarray(1) : content;
	if (bytes.length > 4 || (content[0] ?? 0x80) >= 0x80) throw new DerError('no small number');
	return bytes.length === 0 ? 0 : bytes.readUIntBE(0, bytes.length);
}

/** An OBJECT IDENTIFIER with its dots (X.690 §8.19). */
export function objectId(value: DerValue | undefined): string {
	const {content} = expectTag(value, tags.oid);
	const arcs: number[] = [];
	let arc = 0;
	for (const octet of content) {
		arc = arc * 128 + (octet & 0x7f);
		if (octet < 0x80) {
			arcs.push(arc);
			arc = 0;
		}
	}
	const [first = 0, ...rest] = arcs;
	const root = Math.min(Math.floor(first / 40), 2);
	return [root, first - root * 40, ...rest].join('.');
}

/** The kind of a DER file, by the label that it would have in PEM. */
export interface DerKind {
	/** `undefined`: DER of an unknown kind. */
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
 * Recognises a DER file by its structure, so that a message can name a file in the wrong option.
 *
 * @returns `undefined` when the bytes are not DER, and `'damaged'` when they begin as DER and are cut short.
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

// The whole file is one SEQUENCE, with its length in one byte or in more (X.690 §8.1.3).
function beginsAsDer(bytes: Buffer): boolean {
	const [tag, length = 0] = bytes;
	return tag === SEQ && (length >= 0x80 || length + 2 === bytes.length);
}
