/*
 * Through proxies: what arrives and what comes back is as without them.
 */
import {over, parity, type Row} from '../support/parity.ts';
import * as aborts from '../support/parity-rows/aborts.ts';
import * as limits from '../support/parity-rows/body-limits.ts';
import * as forms from '../support/parity-rows/forms.ts';
import * as reading from '../support/parity-rows/reading.ts';
import * as streamed from '../support/parity-rows/streamed.ts';
import * as encodings from '../support/parity-rows/streamed-encodings.ts';
import * as uploads from '../support/parity-rows/upload-streams.ts';
import {forwardedWay, tunnelledWay} from '../support/parity-ways.ts';

const rows: readonly Row[] = [
	...streamed.byAnswer,
	...streamed.bare,
	...streamed.byBreak,
	...streamed.redirected,
	...uploads.whole.filter((_, index) => index % 2 === 0),
	...uploads.byMethod,
	...uploads.byHeader,
	...uploads.failing,
	...limits.byLimit.slice(0, 30),
	...limits.chains,
	...encodings.atLimit,
	...encodings.limitAfterRedirect,
	...encodings.byCoding.slice(0, 11),
	...forms.byWebForm.slice(0, 6),
	...forms.byNpmForm,
	...forms.redirected,
	...reading.quitting,
	...reading.unread,
	...reading.handed,
	...aborts.beforeTheHead.slice(0, 35),
	...aborts.uploading,
	...aborts.buffered,
	...aborts.streamed,
	...aborts.late,
	...aborts.timeouts,
];

/** The proxy looks the name up; of 1 MB, the way decides how large the first chunk is; one way to cancel serves for all. */
const leftOut = /looks a name up|^1 MB for an app|^(a token|both) |"(responseType|maxBodyLength)"/;

parity(
	over(
		rows.filter(({title}) => !leftOut.test(title)),
		[forwardedWay, tunnelledWay],
	),
);
