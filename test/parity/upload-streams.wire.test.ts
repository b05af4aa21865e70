/*
 * Bodies that are streams: how they are framed, how they end, and what becomes of them.
 */
import {over, parity, plainWay, ways} from '../support/parity.ts';
import {
	byHeader,
	byMethod,
	emptyString,
	failing,
	whole,
} from '../support/parity-rows/upload-streams.ts';

const direct = {title: 'without redirects', server: 'a', config: {maxRedirects: 0}} as const;
const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(whole),
	...over(byMethod),
	...over(byHeader),
	...over(failing, [
		...twoWays,
		{title: 'without redirects', server: 'a', config: {maxRedirects: 0}},
	]),
	...over([emptyString], [plainWay]),
	...over(
		[{...emptyString, differs: 'the empty chunk is not sent: no body, not an empty one in chunks'}],
		[direct],
	),
]);
