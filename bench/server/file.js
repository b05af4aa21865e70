import {createHash} from 'node:crypto';

const chunkSize = 64 * 1024;
const chunk = Buffer.alloc(chunkSize, 'one hundred megabytes, sixty-four kilobytes at a time. ');

/** 100 MB, to the next whole chunk. */
export const fileSize = Math.ceil(100e6 / chunkSize) * chunkSize;

/** The file, or so many bytes like it, chunk by chunk, without holding it. */
export function* readFile(size = fileSize) {
	let left = size;
	for (; left >= chunkSize; left -= chunkSize) yield chunk;
	if (left > 0) yield chunk.subarray(0, left);
}

const hash = createHash('sha256');
for (const part of readFile()) hash.update(part);

/** SHA-256 of the file. */
export const digest = hash.digest('hex');
