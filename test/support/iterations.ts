/**
 * How often a test does what it is about: `full`, or `short` where the same tests run once more beside
 * another Node or axios.
 */
export function iterations(full: number, short: number): number {
	return process.env.SHORT ? short : full;
}
