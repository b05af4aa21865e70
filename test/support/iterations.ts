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

/**
 * Which rows of a table are tried: all with `npm run test:all`, one of `oneOf` with `npm test` and beside
 * another Node. Node 22, 24 and 26 begin with another row each, and try all of three together.
 */
export function sample<Row>(rows: readonly Row[], oneOf = 3): readonly Row[] {
	if (!process.env.SHORT || rows.length < oneOf) return rows;
	const nth = (Number.parseInt(process.versions.node, 10) >> 1) % oneOf;
	return rows.filter((_, index) => index % oneOf === nth);
}
