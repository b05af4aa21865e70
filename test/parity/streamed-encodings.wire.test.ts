/*
 * Streamed answers in a content coding, and `maxContentLength`.
 */
import {over, parity, plainWay, ways} from '../support/parity.ts';
import {
	atLimit,
	byCoding,
	byEncoding,
	byFault,
	byLimit,
	limitAfterRedirect,
} from '../support/parity-rows/streamed-encodings.ts';

const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(byCoding, twoWays),
	...over(byFault, twoWays),
	...over(byLimit, [plainWay]),
	...over(atLimit),
	...over(limitAfterRedirect, twoWays),
	...over(byEncoding, [plainWay]),
]);
