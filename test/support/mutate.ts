import fc from 'fast-check';

/** What is done to bytes: `at` is a part of their length, `value` whatever it needs. */
export interface Edit {
	readonly what: 'set' | 'flip' | 'insert' | 'remove' | 'repeat' | 'cut' | 'splice' | 'grow';
	readonly at: number;
	readonly value: number;
}

// fast-check likes small numbers, and would bend the first bytes of most inputs.
const place = {
	at: fc.noBias(fc.nat(0xffffff)).map((part) => part / 0x1000000),
	value: fc.noBias(fc.nat(0xffff)),
};

/** Any damage: lines lost, bytes twice, one file run into another. */
const coarse = fc.record<Edit>({
	what: fc.constantFrom('set', 'flip', 'insert', 'remove', 'repeat', 'cut', 'splice', 'grow'),
	...place,
});

/** A byte that changed: what is around it stays where it was, so that readers get to it. */
const fine = fc.record<Edit>({what: fc.constantFrom('set', 'flip'), ...place});

export const edits: fc.Arbitrary<Edit[]> = fc.oneof(
	fc.array(coarse, {minLength: 1, maxLength: 3}),
	fc.array(fine, {minLength: 1, maxLength: 2}),
);

/** Bends `bytes`; `donor` is what a splice goes on with. */
export function mutate(bytes: Buffer, edits: readonly Edit[], donor: Buffer): Buffer {
	return edits.reduce((bent, edit) => apply(bent, edit, donor), bytes);
}

function apply(bytes: Buffer, {what, at, value}: Edit, donor: Buffer): Buffer {
	const index = Math.floor(at * bytes.length);
	const [before, after] = [bytes.subarray(0, index), bytes.subarray(index)];
	const length = 1 + (value % 64);
	const parts: Record<Edit['what'], () => Buffer[]> = {
		set: () => [before, Buffer.from([value]), after.subarray(1)],
		flip: () => [before, Buffer.from([(after[0] ?? 0) ^ (1 << (value % 8))]), after.subarray(1)],
		insert: () => [before, Buffer.alloc(length, value), after],
		remove: () => [before, after.subarray(length)],
		repeat: () => [before, after.subarray(0, length), after],
		cut: () => [before],
		splice: () => [before, donor.subarray(Math.floor(at * donor.length))],
		// The octets of a length in DER, of more than is there.
		grow: () => [before, Buffer.from([0x84, 0, 0, 0, value]), after.subarray(1)],
	};
	return Buffer.concat(parts[what]());
}
