/*
 * What an app does with a streamed answer: reads it in some way, leaves it, breaks it off, hands it on.
 */
import {over, parity, plainWay, ways} from '../support/parity.ts';
import {handed, quitting, readings, unread} from '../support/parity-rows/reading.ts';

const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(readings, twoWays),
	...over(quitting, twoWays),
	...over(unread),
	...over(handed, [plainWay]),
]);
