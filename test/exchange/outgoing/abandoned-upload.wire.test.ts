/*
 * What becomes of the app's stream when its request fails: nothing else reads it, so it must not keep a
 * file open, and an iterator must not wait for ever.
 */
import {createReadStream, writeFileSync} from 'node:fs';
import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import type {AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {createFixture, type Fixture, failureOf} from '../../support/fixture.ts';
import {startH2Server} from '../../support/h2-server.ts';
import {tempFile} from '../../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const megabytes = Buffer.alloc(4 * 1024 * 1024, 'x');
const asIs = {transformRequest: [(data: unknown) => data]};

/** Answers `/early`, `/loop` and `/cut`; calls `onSilent` for a request that it never answers. */
async function start(httpVersion: number, onSilent: () => void): Promise<string> {
	if (httpVersion === 2) {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/silent': onSilent,
				'/early': ({stream}) => {
					stream.respond({':status': 200});
					stream.end('early');
				},
				'/loop': ({stream}) => {
					stream.respond({':status': 307, location: '/loop'});
					stream.end();
				},
				'/cut': ({session}) => session.destroy(),
			},
		});
		return server.origin;
	}
	const server = await fixture.server({
		handler(request, response) {
			if (request.url === '/early') response.end('early');
			else if (request.url === '/loop') response.writeHead(307, {location: '/loop'}).end();
			else if (request.url === '/cut') request.socket.destroy();
			else onSilent();
			return true;
		},
	});
	return server.origin;
}

describe.each([1, 2] as const)('over HTTP/%d', (httpVersion) => {
	async function upload(path: string, data: unknown, config: AxiosRequestConfig = {}) {
		const baseURL = await start(httpVersion, () => {});
		return fixture.client({baseURL, httpVersion}).put(path, data, {...asIs, ...config});
	}

	/** Cancelled once the server has the head of the request. */
	async function cancelled(data: unknown) {
		const controller = new AbortController();
		const baseURL = await start(httpVersion, () => controller.abort());
		const {signal} = controller;
		const request = fixture.client({baseURL, httpVersion}).put('/silent', data, {...asIs, signal});
		expect(await failureOf(request)).toMatchObject({code: 'ERR_CANCELED'});
	}

	function openFile() {
		const path = tempFile('upload');
		writeFileSync(path, megabytes);
		const file = createReadStream(path);
		const closed = new Promise<void>((resolve) => file.once('close', resolve));
		return {file, closed};
	}

	/** An iterator without an end, and a promise of its end. */
	function endless() {
		let end = () => {};
		const ended = new Promise<void>((resolve) => {
			end = resolve;
		});
		async function* parts() {
			try {
				for (;;) yield megabytes.subarray(0, 65_536);
			} finally {
				end();
			}
		}
		return {parts: parts(), ended};
	}

	test.each([
		['ECONNABORTED', '/silent', {timeout: 400}],
		['ERR_FR_TOO_MANY_REDIRECTS', '/loop', {maxRedirects: 1}],
		['ECONNRESET', '/cut', {}],
	] as const)('a file is closed after %s', async (code, path, config) => {
		const {file, closed} = openFile();
		expect(await failureOf(upload(path, file, config))).toMatchObject({code});
		await closed;
	});

	test('a file is closed after its request was cancelled', async () => {
		const {file, closed} = openFile();
		await cancelled(file);
		await closed;
	});

	test('an early response ends an iterator without an end', async () => {
		const {parts, ended} = endless();
		expect(await upload('/early', parts)).toMatchObject({status: 200, data: 'early'});
		await ended;
	});

	test('a cancelled request ends an iterator without an end', async () => {
		const {parts, ended} = endless();
		await cancelled(parts);
		await ended;
	});

	test('a cancelled request cancels its web stream', async () => {
		let end = () => {};
		const ended = new Promise<void>((resolve) => {
			end = resolve;
		});
		const stream = new ReadableStream({
			pull: (controller) => controller.enqueue(megabytes.subarray(0, 65_536)),
			cancel: () => end(),
		});
		await cancelled(stream);
		await ended;
	});

	test('a web stream that another reader has locked fails with an error of axios', async () => {
		const stream = new ReadableStream();
		stream.getReader();
		const error = await failureOf(upload('/silent', stream));
		expect(error).toMatchObject({code: 'ERR_BAD_REQUEST', config: {data: stream}});
		expect(error.request).toBeUndefined();
	});

	test('any other stream is read to its end, and not destroyed with an error', async () => {
		const source = Readable.from([megabytes, megabytes, megabytes], {objectMode: false});
		const passed = source.pipe(new PassThrough());
		const ended = new Promise<void>((resolve) => passed.once('end', resolve));
		await cancelled(passed);
		await ended;
		expect(passed.errored).toBeNull();
	});

	test('a stream of which nothing was read is left to the app', async () => {
		const source = Readable.from([megabytes], {objectMode: false});
		const client = fixture.client({httpVersion});
		const other = await fixture.server();
		await other.close();
		const error = await failureOf(client.put(other.origin, source));
		expect(error.code).toBe('ECONNREFUSED');
		expect(await buffer(source)).toHaveLength(megabytes.length);
	});
});
