import type {AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import type {RequestHandler} from '../../src/testing/index.ts';
import {createFixture, exchanges, type Fixture} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';

/** Requests of each kind over each exchange: with LONG 10,000 of a kind. */
const size = iterations({usual: 750, long: 5_000});
const inFlight = 16;

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** Numbers from 0 to 1, the same in each run (Mulberry32). */
function chance(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Counts what it is asked for, and closes one idle connection in ten, at once or a little later. */
function reaper() {
	const random = chance(5);
	const deliveries = new Map<string, number>();
	const requests = new WeakMap<object, number>();
	let closed = 0;
	const handler: RequestHandler = ({socket, url = ''}, response) => {
		deliveries.set(url, (deliveries.get(url) ?? 0) + 1);
		const number = (requests.get(socket) ?? 0) + 1;
		requests.set(socket, number);
		const close = () => {
			if (socket.destroyed || requests.get(socket) !== number) return;
			closed += 1;
			socket.destroy();
		};
		response.once('finish', () => {
			if (random() >= 0.1) return;
			if (random() < 0.5) setImmediate(close);
			else setTimeout(close, 5 * random());
		});
		response.end(url);
		return true;
	};
	return {handler, deliveries, closed: () => closed};
}

/** Asks for `/0`, `/1`, ... and tells what became of each. */
async function ask(
	send: (path: string) => Promise<{data: unknown}>,
): Promise<Map<string, unknown>> {
	const ends = new Map<string, unknown>();
	let next = 0;
	const worker = async () => {
		while (next < size) {
			const path = `/${next++}`;
			const end = await send(path).then(
				({data}) => data,
				(error) => error.code,
			);
			ends.set(path, end);
		}
	};
	await Promise.all(Array.from({length: inFlight}, worker));
	return ends;
}

async function storm(config: AxiosRequestConfig) {
	const {handler, deliveries, closed} = reaper();
	const server = await fixture.server({handler});
	const client = fixture.client({baseURL: server.origin});
	const ends = await ask((path) => client.request({...config, url: path}));
	expect(ends.size).toBe(size);
	expect(closed()).toBeGreaterThan(size / 20);
	const failed = [...ends].filter(([path, end]) => end !== path);
	return {failed, deliveries};
}

describe.each(exchanges)('over %s', (_, options) => {
	test('each GET is answered', {timeout: 60_000}, async () => {
		const {failed} = await storm({...options, method: 'GET'});
		expect(failed).toEqual([]);
	});

	test('no POST is delivered twice, and one that fails says that its connection was closed', {
		timeout: 60_000,
	}, async () => {
		const {failed, deliveries} = await storm({...options, method: 'POST', data: 'x'});
		expect([...deliveries].filter(([, count]) => count > 1)).toEqual([]);
		// Some met a connection that was closed: the storm was one.
		expect(failed.length).toBeGreaterThan(0);
		for (const [, code] of failed) expect(code).toMatch(/^(ECONNRESET|EPIPE)$/);
		// Those that were answered were delivered.
		expect(deliveries.size).toBeGreaterThanOrEqual(size - failed.length);
	});
});
