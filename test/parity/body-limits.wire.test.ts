/*
 * `maxBodyLength` for every kind of body, and bodies across redirects.
 */
import {over, parity, ways} from '../support/parity.ts';
import {
	afterRedirect,
	byLimit,
	chains,
	empty,
	methods,
	oddLimits,
	replayed,
	zero,
} from '../support/parity-rows/body-limits.ts';

const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(byLimit),
	...over(afterRedirect, twoWays),
	...over(zero),
	...over(empty),
	...over(oddLimits, twoWays.slice(0, 1)),
	...over(replayed, twoWays),
	...over(methods, twoWays.slice(0, 1)),
	...over(chains, twoWays),
]);
