/*
 * What an app sees of the client over HTTP/2 is what it sees of axios over HTTP/1.1.
 */
import {sample} from '../support/iterations.ts';
import {anyEnd, over, parity, type Row} from '../support/parity.ts';
import * as aborts from '../support/parity-rows/aborts.ts';
import * as limits from '../support/parity-rows/body-limits.ts';
import * as forms from '../support/parity-rows/forms.ts';
import * as reading from '../support/parity-rows/reading.ts';
import * as streamed from '../support/parity-rows/streamed.ts';
import * as encodings from '../support/parity-rows/streamed-encodings.ts';
import * as uploads from '../support/parity-rows/upload-streams.ts';
import {http2Way, racingHttp2Way} from '../support/parity-ways.ts';

/** Faults that the framing of HTTP/2 does not have; one way to cancel serves for all that is not a race. */
const leftOut =
	/a chunk that is none|bytes after its end|^(a token|both) (?!.*(before it is read|twice|within a streamed))|^a stream of .* and a 303|^maxContentLength (-1|0) .* as (text|arraybuffer)|in (x-gzip|GZIP|compress|x-compress)\b|^maxBodyLength (101|1000) and/;

const rows: readonly Row[] = [
	...streamed.byAnswer,
	...streamed.byStatus,
	...streamed.bare,
	...streamed.byBreak,
	...streamed.redirected,
	...streamed.byType,
	...uploads.whole,
	...uploads.byMethod,
	...uploads.byHeader,
	...uploads.failing,
	...limits.byLimit,
	...limits.afterRedirect,
	...limits.zero,
	...limits.empty,
	...limits.replayed,
	...limits.chains,
	...encodings.byCoding,
	...encodings.byFault,
	...encodings.byLimit,
	...encodings.atLimit,
	...encodings.limitAfterRedirect,
	...forms.byWebForm,
	...forms.byNpmForm,
	...forms.redirected,
	...forms.failing,
	...reading.readings,
	...reading.quitting,
	...reading.unread,
	...reading.handed,
	...aborts.beforeTheHead,
	...aborts.uploading,
	...aborts.buffered,
	...aborts.streamed,
	...aborts.late,
	...aborts.timeouts,
];

/** Depend on how much of the body is there. */
const racing =
	/^(a token|both|a signal) .*(before it is read|twice|within a streamed answer)$|breaks out of the loop/;

// The same rows are compared over HTTP/1.1 in files of their own.
const all = sample(rows, 2).filter(({title}) => !leftOut.test(title));
parity([
	...over(
		all.filter(({title}) => !racing.test(title)),
		[http2Way],
	),
	...over(
		all.filter(({title}) => racing.test(title)),
		[racingHttp2Way],
	),
	// HTTP/1.1 sends the head with the first bytes of the body, HTTP/2 a frame of its own before.
	...over(
		aborts.timeoutsOfUploads.map((row): Row => ({...row, looseWire: true, requests: anyEnd})),
		[http2Way],
	),
]);
