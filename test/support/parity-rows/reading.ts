/*
 * What an app does with a streamed answer: reads it in some way, leaves it, breaks it off, hands it on.
 */
import {once} from 'node:events';
import {createWriteStream, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PassThrough, type Readable, Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setImmediate} from 'node:timers/promises';
import zlib from 'node:zlib';
import type {AxiosRequestConfig} from 'axios';
import {type Answer, inChunks, type Row} from '../parity.ts';
import {describeStreamError, readWhole} from '../parity-suite.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const stream: AxiosRequestConfig = {responseType: 'stream'};
const large = Buffer.alloc(1_000_000, 'large ');

type Reader = NonNullable<Row['read']>;

const readers: Readonly<Record<string, Reader>> = {
	'reads in events': () => async (data) => {
		let text = '';
		data.on('data', (chunk: Buffer) => {
			text += chunk.toString('latin1');
		});
		await once(data, 'end');
		return text.length;
	},
	'reads by read()': () => async (data) => {
		let length = 0;
		data.on('readable', () => {
			for (let chunk = data.read(); chunk !== null; chunk = data.read()) length += chunk.length;
		});
		await once(data, 'end');
		return length;
	},
	'reads text': () => async (data) => {
		data.setEncoding('utf8');
		const chunks: unknown[] = [];
		for await (const chunk of data) chunks.push(typeof chunk);
		return [...new Set(chunks)];
	},
	'reads slowly': () => async (data) => {
		let length = 0;
		for await (const chunk of data) {
			await setImmediate();
			length += chunk.length;
		}
		return length;
	},
	'pauses and goes on': () => async (data) => {
		let length = 0;
		data.on('data', (chunk: Buffer) => {
			length += chunk.length;
			data.pause();
			globalThis.setImmediate(() => data.resume());
		});
		await once(data, 'end');
		return length;
	},
	'drops it': () => async (data) => {
		data.resume();
		await once(data, 'end');
	},
	'pipes it to a file': () => async (data) => {
		const folder = mkdtempSync(join(tmpdir(), 'parity-'));
		try {
			await pipeline(data, createWriteStream(join(folder, 'x')));
			return readFileSync(join(folder, 'x'), 'latin1').length;
		} finally {
			rmSync(folder, {recursive: true});
		}
	},
	'pipes it through a transform': () => async (data) => {
		const upper = new Transform({
			transform(chunk, _, done) {
				done(null, String(chunk).toUpperCase());
			},
		});
		return readWhole(data.pipe(upper));
	},
	'pipes it without an end': () => async (data) => {
		const target = new PassThrough();
		data.pipe(target, {end: false});
		target.resume();
		await once(data, 'end');
		return target.writableEnded;
	},
};

const whole: Answer[] = [{body: 'some text'}];
export const readings = Object.entries(readers).flatMap(([title, read]): Row[] => [
	{
		title: `a streamed answer of an app that ${title}`,
		config: () => stream,
		answers: () => whole,
		read,
		ends: 200,
	},
	{
		title: `1 MB in chunks for an app that ${title}`,
		config: () => stream,
		answers: () => [inChunks([large])],
		read,
		ends: 200,
	},
	{
		title: `1 MB in gzip for an app that ${title}`,
		config: () => stream,
		answers: () => [{headers: ['Content-Encoding', 'gzip'], body: zlib.gzipSync(large)}],
		read,
		ends: 200,
	},
]);

const stalled: Answer = {raw: `${ok}Content-Length: 90\r\n\r\nsome`};
const stalledGzip: Answer = {
	raw: [
		`${ok}Content-Encoding: gzip\r\nContent-Length: 900\r\n\r\n`,
		zlib.gzipSync('some').subarray(0, 12),
	],
};

const quitters: Readonly<Record<string, (data: Readable) => Promise<unknown>>> = {
	'destroys it at once': async (data) => {
		data.destroy();
	},
	'destroys it with an error': async (data) => {
		data.destroy(new Error('enough'));
	},
	'destroys it twice': async (data) => {
		data.destroy(new Error('enough'));
		data.destroy(new Error('more than enough'));
	},
	'destroys it after the first chunk': async (data) => {
		await once(data, 'data');
		data.destroy();
	},
	'destroys it in the first chunk': async (data) => {
		data.once('data', () => data.destroy(new Error('enough')));
		await new Promise((done) => data.once('close', done));
	},
	'breaks out of the loop': async (data) => {
		for await (const chunk of data) return chunk.length;
	},
	'throws out of the loop': async (data) => {
		try {
			for await (const _ of data) throw new TypeError('not wanted');
		} catch (error) {
			return describeStreamError(error);
		}
	},
	'ends the iterator': async (data) => {
		const iterator = data[Symbol.asyncIterator]();
		await iterator.next();
		return iterator.return?.();
	},
	'pipes it to what fails': async (data) => {
		const target = new Transform({
			transform(_, __, done) {
				done(new Error('disk is full'));
			},
		});
		return pipeline(data, target).catch(describeStreamError);
	},
};

export const quitting = Object.entries(quitters).flatMap(([title, quit]): Row[] => {
	// The server sees that the rest is not wanted.
	const read: Reader = (s) => async (data) => {
		const outcome = await quit(data);
		await s.hungUp();
		return outcome;
	};
	const common = {config: () => stream, read, ends: 200};
	return [
		{...common, title: `a stalled answer of an app that ${title}`, answers: () => [stalled]},
		{
			...common,
			title: `1 MB for an app that ${title}`,
			answers: () => [{body: large}],
		},
		...(title.includes('first chunk') || title.includes('loop') || title.includes('iterator')
			? []
			: [
					{...common, title: `stalled gzip for an app that ${title}`, answers: () => [stalledGzip]},
				]),
		{
			...common,
			title: `a stalled error page of an app that ${title}`,
			answers: () => [{raw: 'HTTP/1.1 500 No\r\nContent-Length: 90\r\n\r\nsome'}],
			ends: 'ERR_BAD_RESPONSE',
		},
	];
});

export const unread: Row[] = [
	{
		title: 'a streamed answer that is not read',
		config: () => stream,
		answers: () => whole,
		read: (s) => () => s.quiet(),
		ends: 200,
	},
	{
		title: 'a streamed answer that is read after a while',
		config: () => stream,
		answers: () => whole,
		read: (s) => async (data) => {
			await s.quiet();
			return readWhole(data);
		},
		ends: 200,
	},
	{
		title: '1 MB that are read after a while',
		config: () => stream,
		answers: () => [{body: large}],
		read: (s) => async (data) => {
			await s.quiet();
			return readWhole(data).then(({length = 0}: {length?: number}) => length);
		},
		ends: 200,
	},
	{
		title: 'a streamed answer that is destroyed after its end',
		config: () => stream,
		answers: () => whole,
		read: () => async (data) => {
			await readWhole(data);
			data.destroy(new Error('late'));
		},
		ends: 200,
	},
	{
		title: 'two answers on one connection, as the first is read to its end',
		config: () => stream,
		answers: () => [{body: 'one'}, {body: 'two'}],
		read:
			(_, client) =>
			async (data, {config}) => {
				await readWhole(data);
				const {url} = config;
				return (await client.get(String(url))).data;
			},
		ends: 200,
	},
];

/* A body that the app hands on: an answer becomes the body of the next request. */
export const handed: Row[] = [
	['a streamed answer', {body: 'handed on'}, {}],
	['a streamed answer in chunks', inChunks(['handed', ' on']), {}],
	['1 MB', {body: large}, {}],
	['gzip', {headers: ['Content-Encoding', 'gzip'], body: zlib.gzipSync('handed on')}, {}],
	['an answer whose length is known', {body: 'handed on'}, {'Content-Length': '9'}],
].map(([title, answer, headers]) => ({
	title: `${title} that becomes the body of another request`,
	config: () => stream,
	answers: () => [answer as Answer, {}],
	read: (s, client) => async (data) => {
		const {status} = await client.post(s.url('b', '/next'), data, {headers: headers as object});
		return status;
	},
	ends: 200,
}));
