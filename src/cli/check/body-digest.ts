import {createHash} from 'node:crypto';
import type {Readable} from 'node:stream';
import {onAbort} from '../../util/abortable.ts';

/** Tells two bodies apart. Security: no report contains a body. */
export interface BodyDigest {
	readonly sha256: string;
	/** How many bytes were read: all of them, or the first {@link maxBytes}. */
	readonly bytes: number;
}

const maxBytes = 64 * 1024;

/** A stream of events never ends. */
const limitMs = 2_000;

/** Reads the beginning of a body and ends the stream; `undefined` when it did not come in time. */
export function digestBody(body: Readable, signal: AbortSignal): Promise<BodyDigest | undefined> {
	const hash = createHash('sha256');
	let bytes = 0;
	return new Promise((resolve) => {
		const finish = (digest?: BodyDigest) => {
			stop();
			body.destroy();
			resolve(digest);
		};
		const digest = () => ({sha256: hash.digest('hex'), bytes});
		body.on('error', () => finish());
		body.on('data', (chunk: Buffer) => {
			const taken = chunk.subarray(0, maxBytes - bytes);
			hash.update(taken);
			bytes += taken.length;
			if (bytes === maxBytes) finish(digest());
		});
		body.once('end', () => finish(digest()));
		const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
		let stop = () => {};
		stop = onAbort(limit, () => finish());
	});
}
