/**
 * @param {readonly number[]} values at least one
 * @returns {number}
 */
export function median(values) {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The list turned by `by` places, so that over the rounds nobody always comes first or always after
 * the same neighbour.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {number} by
 * @returns {T[]}
 */
export function rotate(list, by) {
	const start = by % list.length;
	return [...list.slice(start), ...list.slice(0, start)];
}

/**
 * The median of `ours / theirs`, each taken within one round, where the machine was the same for
 * both.
 *
 * @param {readonly number[]} ours by round
 * @param {readonly number[]} theirs by round
 */
export function medianRatio(ours, theirs) {
	return median(ratios(ours, theirs));
}

/**
 * Between which two values half of the ratios are: their first and third quartile.
 *
 * @param {readonly number[]} ours by round
 * @param {readonly number[]} theirs by round
 * @returns {[low: number, high: number]}
 */
export function spreadOfRatio(ours, theirs) {
	const sorted = ratios(ours, theirs).toSorted((a, b) => a - b);
	const quarter = Math.floor((sorted.length - 1) / 4);
	return [sorted[quarter], sorted[sorted.length - 1 - quarter]];
}

function ratios(ours, theirs) {
	return ours.map((value, round) => value / theirs[round]);
}
