/**
 * How often a test does what it is about: `usual` with `npm run test:all`; `short`, a fifth if not given, with
 * `npm test` and beside another Node; or `long` with LONG in the environment, for a soak.
 */
export function iterations({
	usual,
	short = Math.ceil(usual / 5),
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
