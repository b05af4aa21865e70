/*
 * A streamed body with a `Content-Length`: the server gets no byte more, and no other request fails.
 */
import {Readable} from 'node:stream';
import {beforeAll, describe, expect, test} from 'vitest';
import {createFixture, type Fixture, failureOf} from '../../support/fixture.ts';
import {startH2Server} from '../../support/h2-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

describe.each([1, 2] as const)('over HTTP/%d', (httpVersion) => {
	async function start() {
		const server = httpVersion === 2 ? await startH2Server(fixture.pki) : await fixture.server();
		const client = fixture.client({baseURL: server.origin, httpVersion});
		const send = (length: number) =>
			client.put('/echo', Readable.from(['12345', '67890'], {objectMode: false}), {
				headers: {'Content-Length': String(length)},
			});
		return {server, client, send};
	}

	test('a stream of 10 bytes is sent with a Content-Length of 10', async () => {
		const {send} = await start();
		expect((await send(10)).status).toBe(200);
	});

	test.each([9, 11])('a stream of 10 bytes fails with a Content-Length of %d', async (length) => {
		const {send} = await start();
		const error = await failureOf(send(length));
		expect(error).toMatchObject({
			code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
			message: 'the body of the request is not as long as its Content-Length header says',
		});
		expect(error.response).toBeUndefined();
	});
});

test('a stream that is too long does not end the other requests of its HTTP/2 connection', async () => {
	let answer = () => {};
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/slow': ({stream}) => {
				answer = () => {
					stream.respond({':status': 200});
					stream.end('slow');
				};
			},
		},
	});
	const client = fixture.client({baseURL: server.origin, httpVersion: 2});
	const slow = client.get('/slow');
	await expect.poll(() => server.requests.length).toBe(1);
	const headers = {'Content-Length': '9'};
	const body = Readable.from(['12345', '67890'], {objectMode: false});
	const error = await failureOf(client.put('/', body, {headers}));
	expect(error.code).toBe('ERR_HTTP_CONTENT_LENGTH_MISMATCH');
	answer();
	expect(await slow).toMatchObject({status: 200, data: 'slow'});
	expect(server.connections).toHaveLength(1);
});
