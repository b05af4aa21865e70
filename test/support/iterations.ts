/**
 * How often a test does what it is about: `usual`; or `short` with SHORT in the environment, where the
 * same tests run once more beside another Node or axios; or `long` with LONG, for a soak.
 */
export function iterations({
	usual,
	short = usual,
	long = usual,
}: {
	readonly usual: number;
	readonly short?: number;
	readonly long?: number;
}): number {
	const {SHORT, LONG} = process.env;
	if (LONG) return long;
	return SHORT ? short : usual;
}
