import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {Readable} from 'node:stream';
import {digest, fileSize, readFile} from '../server/file.js';

const wholeFile = Buffer.concat([...readFile()]);

/** Each moves the file once; with `check`, it looks at every byte too. */
const transfers = {
	async 'download buffered'(client, origin, check) {
		const {data} = await client.get(`${origin}/download`, {responseType: 'arraybuffer'});
		assert.equal(data.length, fileSize);
		if (check) assert.equal(createHash('sha256').update(data).digest('hex'), digest);
	},
	async 'download streamed'(client, origin, check) {
		const {data} = await client.get(`${origin}/download`, {responseType: 'stream'});
		const hash = check ? createHash('sha256') : undefined;
		let size = 0;
		for await (const chunk of data) {
			size += chunk.length;
			hash?.update(chunk);
		}
		assert.equal(size, fileSize);
		if (hash) assert.equal(hash.digest('hex'), digest);
	},
	'upload buffered': (client, origin, check) => upload(client, origin, wholeFile, check),
	'upload streamed': (client, origin, check) =>
		upload(client, origin, Readable.from(readFile()), check),
};

async function upload(client, origin, body, check) {
	const url = `${origin}/upload${check ? '?digest' : ''}`;
	const {data} = await client.post(url, body);
	assert.equal(data.size, fileSize);
	if (check) assert.equal(data.digest, digest);
}

/** As in `shape.js`: the peers take turns. */
const steps = {warm, measure, close};

const state = {};

export function run({step, ...question}) {
	return steps[step](question);
}

/** Moves the file once with a look at every byte, and then until the code is warm. */
async function warm({peer, target, transfer, warmup}) {
	const {open} = await import(`../peers/${peer}.js`);
	const client = open(target);
	const move = transfers[transfer];
	state.move = () => move(client.axios, target.origin, false);
	state.client = client;
	await move(client.axios, target.origin, true);
	await repeat(state.move, warmup);
	return {};
}

/** @returns {Promise<{speed: number, cpuSeconds: number}>} MB a second, and the CPU of 100 MB */
async function measure({seconds}) {
	const each = await repeat(state.move, seconds);
	return {speed: fileSize / 1e6 / each.seconds, cpuSeconds: (each.cpuSeconds * 100e6) / fileSize};
}

async function close() {
	await state.client.close();
	return {};
}

/** @returns {Promise<{seconds: number, cpuSeconds: number}>} the means of one */
async function repeat(run, seconds) {
	const cpuBefore = process.cpuUsage();
	const start = performance.now();
	let count = 0;
	do {
		await run();
		count += 1;
	} while (performance.now() - start < seconds * 1_000);
	const {user, system} = process.cpuUsage(cpuBefore);
	return {
		seconds: (performance.now() - start) / 1_000 / count,
		cpuSeconds: (user + system) / 1e6 / count,
	};
}
