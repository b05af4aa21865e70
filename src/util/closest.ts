/** The candidate that a word was most likely meant to be; `undefined` when none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
	const wanted = word.toLowerCase();
	let best: string | undefined;
	// A third of the letters may be wrong: in `get` one, in `inspect` two.
	let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
	for (const candidate of candidates) {
		const distance = editDistance(wanted, candidate.toLowerCase());
		if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
	}
	return best;
}

/** Letters to insert, delete, replace or swap with the next one (optimal string alignment). */
export function editDistance(a: string, b: string): number {
	// Three rows of the table are enough: this one, the last and the one before.
	let before: number[] = [];
	let last = Array.from({length: b.length + 1}, (_, column) => column);
	for (let row = 1; row <= a.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= b.length; column += 1) {
			const same = a[row - 1] === b[column - 1] ? 0 : 1;
			const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			current[column] = Math.min(
				at(last, column) + 1,
				at(current, column - 1) + 1,
				at(last, column - 1) + same,
				isSwap ? at(before, column - 2) + 1 : Infinity,
			);
		}
		[before, last] = [last, current];
	}
	return at(last, b.length);
}

const at = (row: readonly number[], column: number) => row[column] ?? Infinity;
