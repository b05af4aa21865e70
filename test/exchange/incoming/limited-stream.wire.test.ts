/*
 * A streamed response with `maxContentLength`, over both kinds of connection: no way to give it up may
 * hold its connection, and none may end the process.
 */
import {once} from 'node:events';
import type {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {AxiosError} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import type {MtlsClient} from '../../../src/index.ts';
import {createFixture, type Fixture, failureOf, pages} from '../../support/fixture.ts';
import {startH2Server} from '../../support/h2-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const body = '12345678901';

/** Answers `/whole`, the beginning of `/endless`, and breaks `/broken` off. */
async function start(httpVersion: number) {
	if (httpVersion === 2) {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/whole': ({stream}) => {
					stream.respond({':status': 200});
					stream.end(body);
				},
				'/endless': ({stream}) => {
					stream.respond({':status': 200});
					stream.write(body);
				},
				'/broken': ({stream}) => {
					stream.respond({':status': 200, 'content-length': 1_000});
					stream.write(body, () => stream.close());
				},
			},
		});
		return server.origin;
	}
	const server = await fixture.server({
		handler: pages({
			'/whole': (_, response) => response.end(body),
			'/endless': (_, response) => response.write(body),
			'/broken': (_, response) => {
				response.writeHead(200, {'Content-Length': 1_000});
				response.write(body, () => response.destroy());
			},
		}),
	});
	return server.origin;
}

/** Listens for `close` alone; `once` would listen for errors too. */
function closed(data: Readable): Promise<void> {
	return new Promise((resolve) => data.once('close', resolve));
}

async function atRest({mtls}: MtlsClient) {
	await expect.poll(() => mtls.stats().sockets.active).toBe(0);
}

describe.each([1, 2] as const)('over HTTP/%d', (httpVersion) => {
	async function stream(path: string, maxContentLength: number) {
		const client = fixture.client({baseURL: await start(httpVersion), httpVersion});
		const {data} = await client.get<Readable>(path, {responseType: 'stream', maxContentLength});
		return {client, data};
	}

	test.each([body.length, body.length + 1])(
		'a body of 11 bytes passes a limit of %d',
		async (limit) => {
			const {client, data} = await stream('/whole', limit);
			expect(await text(data)).toBe(body);
			await atRest(client);
		},
	);

	test('a body of 11 bytes fails at a limit of 10', async () => {
		const {client, data} = await stream('/endless', body.length - 1);
		const error = await failureOf(text(data));
		expect(error.config?.maxContentLength).toBe(body.length - 1);
		expect(error).toMatchObject({
			code: AxiosError.ERR_BAD_RESPONSE,
			message: 'maxContentLength size of 10 exceeded',
		});
		await atRest(client);
	});

	test.each(['/whole', '/endless', '/broken'])(
		'an app that listens for no error survives that of %s',
		async (path) => {
			const {client, data} = await stream(path, path === '/broken' ? 1_000 : 10);
			const gone = closed(data);
			data.resume();
			await gone;
			await atRest(client);
		},
	);

	test.each([undefined, new Error('of the app')])(
		'a stream that is destroyed before it was read frees its connection, with %s',
		async (error) => {
			const {client, data} = await stream('/endless', 100);
			const gone = closed(data);
			data.destroy(error);
			await gone;
			await atRest(client);
		},
	);

	test('a stream that is destroyed while the server is silent frees its connection', async () => {
		const {client, data} = await stream('/endless', 100);
		const [chunk] = await once(data, 'data');
		expect(String(chunk)).toBe(body);
		data.destroy();
		await closed(data);
		await atRest(client);
	});
});
