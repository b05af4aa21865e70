import assert from 'node:assert/strict';
import {getEventListeners} from 'node:events';
import {finished, Readable} from 'node:stream';
import {setTimeout} from 'node:timers/promises';
import {createClient} from '../../dist/index.js';
import {readFile} from '../server/file.js';
import {usedMemory} from './used-memory.js';

const inFlight = 16;
const samples = 16;

/** What streams leave in memory: while they flow, and when ever so many were given up. */
export async function run({target: {origin, ca, cert, key}, bytes, aborts}) {
	const before = countResources();
	const client = createClient({mtls: {cert, key, ca}, jar: true, logger: false});
	const lasting = new AbortController();

	/** @type {Record<string, {heap: number, resident: number}>} */
	const growth = {
		download: await download(client, `${origin}/download?size=${bytes}`, bytes),
		upload: await upload(client, `${origin}/upload`, bytes),
		redirect: await upload(client, `${origin}/moved`, bytes),
	};
	await abortMany(client, origin, lasting.signal, aborts / 5);
	const settled = await settledMemory(client);
	await abortMany(client, origin, lasting.signal, aborts - aborts / 5);
	growth.aborts = growthSince(settled, await settledMemory(client));

	const listeners = getEventListeners(lasting.signal, 'abort').length;
	const {active, queued} = client.mtls.stats().sockets;
	await client.mtls.close();
	await until(() => countResources().sockets <= before.sockets);
	const after = countResources();
	return {
		growth,
		left: {
			requests: active + queued,
			sockets: after.sockets - before.sockets,
			timers: after.timers - before.timers,
			listeners,
		},
	};
}

async function download(client, url, bytes) {
	const {data} = await client.get(url, {responseType: 'stream'});
	const watch = new Watch(bytes);
	for await (const chunk of data) watch.pass(chunk.length);
	assert.equal(watch.passed, bytes);
	return watch.growth();
}

async function upload(client, url, bytes) {
	const watch = new Watch(bytes);
	const {data} = await client.post(url, Readable.from(watch.passing(readFile(bytes))));
	assert.equal(data.size, bytes);
	return watch.growth();
}

/** Samples the memory as a stream goes by. The first eighth fills the buffers that it needs. */
class Watch {
	passed = 0;
	/** @type {{heap: number, resident: number}[]} */
	taken = [];

	constructor(bytes) {
		this.every = bytes / samples;
	}

	pass(length) {
		this.passed += length;
		if (this.passed >= this.every * (this.taken.length + 1)) this.taken.push(usedMemory());
	}

	*passing(chunks) {
		for (const chunk of chunks) {
			this.pass(chunk.length);
			yield chunk;
		}
	}

	growth() {
		const [settled, ...later] = this.taken.slice(samples / 8 - 1);
		const all = later.map((one) => growthSince(settled, one));
		return {
			heap: Math.max(...all.map(({heap}) => heap)),
			resident: Math.max(...all.map(({resident}) => resident)),
		};
	}
}

function growthSince(start, end) {
	return {heap: end.heap - start.heap, resident: end.resident - start.resident};
}

/** A third each: by its own signal in the answer, by `destroy()`, and by its own signal before it. */
async function abortMany(client, origin, lasting, count) {
	const left = Array.from({length: count}).keys();
	const url = `${origin}/download`;
	const ways = [
		async () => {
			const own = new AbortController();
			const {data} = await client.get(url, {responseType: 'stream', signal: own.signal});
			own.abort();
			await closed(data);
		},
		async () => {
			const {data} = await client.get(url, {responseType: 'stream', signal: lasting});
			data.destroy();
			await closed(data);
		},
		async () => {
			const own = new AbortController();
			const answer = client.get(url, {responseType: 'stream', signal: own.signal});
			own.abort();
			await assert.rejects(answer, {code: 'ERR_CANCELED'});
		},
	];
	const abortSome = async () => {
		for (const index of left) await ways[index % ways.length]();
	};
	await Promise.all(Array.from({length: inFlight}, abortSome));
}

/** @param {Readable} stream */
function closed(stream) {
	return new Promise((resolve) => {
		finished(stream, () => resolve());
	});
}

async function settledMemory(client) {
	await until(() => client.mtls.stats().sockets.active === 0);
	return usedMemory();
}

/** What was given up last has its sockets closed a moment later. Whoever asks sees if that is not so. */
async function until(holds) {
	for (let turn = 0; turn < 100 && !holds(); turn += 1) await setTimeout(20);
}

function countResources() {
	const all = process.getActiveResourcesInfo();
	const count = (name) => all.filter((one) => one === name).length;
	return {sockets: count('TCPSocketWrap'), timers: count('Timeout')};
}
