/*
 * Cancellation and `timeout` in each phase of a request: while it connects, sends, waits, and reads.
 */
import {over, parity, ways} from '../support/parity.ts';
import {
	beforeTheHead,
	buffered,
	connecting,
	errorPages,
	late,
	streamed,
	timeouts,
	timeoutsOfUploads,
	timeoutsWithin,
	uploading,
} from '../support/parity-rows/aborts.ts';

const direct = {
	title: 'over http, without redirects',
	server: 'a',
	config: {maxRedirects: 0},
} as const;
const twoWays = ways.filter(({config}) => config === undefined);
const http = twoWays.slice(0, 1);

parity([
	...over(beforeTheHead, twoWays),
	...over(connecting, http),
	...over(uploading),
	...over(buffered, [...twoWays, direct]),
	...over(streamed, [...twoWays, direct]),
	...over(errorPages),
	...over(late, twoWays),
	...over(timeouts, http),
	...over(timeoutsWithin, http),
	...over(timeoutsOfUploads, [...http, direct]),
]);
