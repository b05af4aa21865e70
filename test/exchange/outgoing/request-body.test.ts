import {once} from 'node:events';
import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import axios, {AxiosError} from 'axios';
import {describe, expect, test} from 'vitest';
import {makeBody, replayLimitBytes} from '../../../src/exchange/outgoing/request-body.ts';

/** Reads until `bytes` have come, and leaves the rest. */
async function readSome(stream: Readable, bytes: number): Promise<string> {
	let text = '';
	while (text.length < bytes) {
		const chunk: Buffer | null = stream.read();
		if (chunk === null) await once(stream, 'readable');
		else text += chunk;
	}
	return text;
}

/** Resolves however the stream is closed. */
const closed = (stream: Readable) => new Promise((resolve) => stream.once('close', resolve));

const text = async (stream: unknown) => (await buffer(stream as Readable)).toString();

test.each([
	['a string', 'text'],
	['a buffer', Buffer.from('bytes')],
	['URLSearchParams', new URLSearchParams('a=1')],
	['nothing', undefined],
	['null', null],
	['a Blob', new Blob(['x'])],
	['a form', new globalThis.FormData()],
])('a body of %s is given out as it is, each time', (_, data) => {
	const body = makeBody(data, true);
	expect(body.open()).toBe(data);
	expect(body.open()).toBe(data);
	expect(body.data).toBe(data);
});

describe('a stream', () => {
	test('a stream is given out whole, again and again', async () => {
		const body = makeBody(Readable.from(['one ', 'two ', 'three'], {objectMode: false}), true);
		expect(await text(body.open())).toBe('one two three');
		expect(await text(body.open())).toBe('one two three');
		expect(await text(body.open())).toBe('one two three');
	});

	test('a stream of strings is given out as bytes', async () => {
		const source = new PassThrough();
		source.setEncoding('utf8');
		source.end('ä€');
		const body = makeBody(source, true);
		expect(await text(body.open())).toBe('ä€');
		expect(await text(body.open())).toBe('ä€');
	});

	test('a stream is not read before its attempt is read', () => {
		let asked = 0;
		const source = new Readable({
			read() {
				asked += 1;
			},
		});
		makeBody(source, true).open();
		expect(asked).toBe(0);
	});

	test('a stream that was read in part is replayed from its beginning and goes on', async () => {
		const source = new PassThrough();
		const body = makeBody(source, true);
		source.write('one ');
		const first = body.open() as Readable;
		expect(await readSome(first, 4)).toBe('one ');

		const second = body.open();
		source.end('two');
		expect(await text(second)).toBe('one two');
	});

	// Seen: the attempt that was given up was still waiting for a chunk, took it when it came, and
	// the attempt after it never saw it: the upload arrived with a hole.
	test('a stream loses nothing to an attempt that was waiting for it when it was given up', async () => {
		const source = new PassThrough();
		const body = makeBody(source, true);
		const first = body.open() as Readable;
		first.read();
		await Promise.resolve();

		const second = body.open() as Readable;
		second.read();
		source.write('one ');
		expect(await readSome(second, 4)).toBe('one ');
		source.end('two');
		expect(await text(second)).toBe('two');
		expect(first.readableEnded).toBe(false);
		expect(first.read()).toBeNull();
	});

	test('a stream does not end an attempt that was given up', async () => {
		const body = makeBody(Readable.from(['all'], {objectMode: false}), true);
		const first = body.open() as Readable;
		const ended: string[] = [];
		first.on('end', () => ended.push('first'));
		first.read();
		await text(body.open());
		first.read();
		await Promise.resolve();
		expect(ended).toEqual([]);
	});

	test('a stream with empty chunks is given out whole', async () => {
		const source = new PassThrough();
		source.write('');
		source.write('one ');
		source.write('');
		source.end('two');
		expect(await text(makeBody(source, true).open())).toBe('one two');
	});

	test('a stream without a byte can be given out twice', async () => {
		const body = makeBody(Readable.from([]), true, 0);
		expect(await text(body.open())).toBe('');
		expect(await text(body.open())).toBe('');
	});
});

describe('the replay limit', () => {
	const limit = 1000;

	test.each([
		[limit - 1, true],
		[limit, true],
		[limit + 1, false],
	])(
		'a stream of which %i bytes of 1000 were read can be given out again: %s',
		async (bytes, again) => {
			const sent = 'x'.repeat(bytes);
			const halves = [sent.slice(0, 500), sent.slice(500)];
			const body = makeBody(Readable.from(halves, {objectMode: false}), true, limit);
			expect(await text(body.open())).toBe(sent);
			if (again) {
				expect(await text(body.open())).toBe(sent);
				return;
			}
			const open = () => body.open();
			expect(open).toThrow(AxiosError);
			expect(open).toThrow(
				expect.objectContaining({
					code: 'ERR_BODY_NOT_REPLAYABLE',
					message:
						'a redirect asks for the streamed body again, and more than 1000 bytes of it were sent',
				}),
			);
		},
	);

	test('the replay limit counts the bytes that were read, not those that there are', async () => {
		const source = new PassThrough({highWaterMark: 10_000});
		const body = makeBody(source, true, limit);
		source.write('a'.repeat(600));
		expect(await readSome(body.open() as Readable, 600)).toBe('a'.repeat(600));

		source.end('b'.repeat(600));
		expect(await text(body.open())).toBe('a'.repeat(600) + 'b'.repeat(600));
		expect(() => body.open()).toThrow(AxiosError);
	});

	test('the replay limit is 10 MiB by default, and there is none where no redirect is followed', async () => {
		expect(replayLimitBytes).toBe(10_485_760);
		const body = makeBody(Readable.from(['x'], {objectMode: false}), false);
		expect(await text(body.open())).toBe('x');
		expect(() => body.open()).toThrow(AxiosError);
	});
});

describe('a source that fails', () => {
	test('a source that fails ends the attempt with its error', async () => {
		const source = new PassThrough();
		const attempt = makeBody(source, true).open();
		source.write('some');
		const reason = new Error('disk');
		const read = text(attempt);
		source.destroy(reason);
		await expect(read).rejects.toBe(reason);
	});

	test('a source that fails before it is read causes no uncaught exception, and fails the reader', async () => {
		const source = new PassThrough();
		const body = makeBody(source, true);
		const reason = new Error('no such file');
		source.destroy(reason);
		await closed(source);
		await expect(text(body.open())).rejects.toBe(reason);
	});

	test('a source that is closed early closes the attempt without an end', async () => {
		const source = new PassThrough();
		const attempt = makeBody(source, true).open() as Readable;
		const events: string[] = [];
		attempt.on('end', () => events.push('end')).on('error', () => events.push('error'));
		attempt.resume();
		source.destroy();
		await closed(attempt);
		expect(events).toEqual([]);
	});

	test('a source stays open under an attempt that is given up, and is closed by one that fails', async () => {
		const source = new PassThrough();
		const body = makeBody(source, true);
		(body.open() as Readable).destroy();
		expect(source.destroyed).toBe(false);

		const last = body.open() as Readable;
		last.on('error', () => {});
		last.destroy(new Error('too large'));
		await closed(last);
		expect(source.destroyed).toBe(true);
	});
});

describe('a stream that an attempt leaves unread', () => {
	const chunks = ['one ', 'two ', 'three'];
	const source = () => Readable.from(chunks, {objectMode: false});

	test('an unread stream is drained once the last attempt is over', async () => {
		const stream = source();
		const body = makeBody(stream, true);
		const attempt = body.open() as Readable;
		expect(await readSome(attempt, 4)).toBe('one ');
		body.last();
		body.stop(attempt);
		await closed(stream);
		expect(stream.readableEnded).toBe(true);
	});

	test('an unread stream is drained too where the attempt is over first', async () => {
		const stream = source();
		const body = makeBody(stream, true);
		body.stop(body.open());
		body.last();
		await closed(stream);
		expect(stream.readableEnded).toBe(true);
	});

	test('an unread stream is left to the last attempt while that goes on', async () => {
		const body = makeBody(source(), true);
		const attempt = body.open();
		body.last();
		expect(await text(attempt)).toBe('one two three');
	});

	test('an unread stream is left to the next attempt while there may be one', async () => {
		const stream = source();
		const body = makeBody(stream, true);
		const first = body.open() as Readable;
		expect(await readSome(first, 4)).toBe('one ');
		body.stop(first);
		expect(stream.readableEnded).toBe(false);
		expect(await text(body.open())).toBe('one two three');
	});

	test('the end of an attempt does not take the stream from the next one', async () => {
		const body = makeBody(source(), true);
		const first = body.open();
		const second = body.open();
		body.last();
		body.stop(first);
		expect(await text(second)).toBe('one two three');
	});
});

/** A form as `axios.postForm` makes it: npm's `form-data`, a stream of the old kind. */
interface Form extends Readable {
	getHeaders(): Record<string, string>;
	getLength(callback: (error: Error | null, length: number) => void): void;
}

test('a form of axios can be given out twice, with its headers and length', async () => {
	const form = axios.toFormData({field: 'value', file: Buffer.from('content')});
	const expected = (form as unknown as Form).getHeaders();
	const body = makeBody(form, true);

	const attempts: string[] = [];
	for (let count = 0; count < 2; count += 1) {
		const attempt = body.open() as Form;
		expect(`${attempt}`).toBe('[object FormData]');
		expect(attempt.getHeaders()).toEqual(expected);
		const length = await new Promise<number>((resolve, reject) =>
			attempt.getLength((error, value) => (error ? reject(error) : resolve(value))),
		);
		const sent = await text(attempt);
		expect(sent).toHaveLength(length);
		attempts.push(sent);
	}
	expect(attempts[0]).toContain('content');
	expect(attempts[1]).toBe(attempts[0]);
});
