/*
 * Cancellation and `timeout` in each phase of a request: while it connects, sends, waits, and reads.
 */
import {PassThrough, Readable} from 'node:stream';
import zlib from 'node:zlib';
import axios, {type AxiosRequestConfig} from 'axios';
import {type Answer, anyEnd, type Row, redirect, type Stage} from '../parity.ts';
import {describeStreamError, readWhole} from '../parity-suite.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const silence: Answer = {raw: ''};
const stalled: Answer = {raw: `${ok}Content-Length: 90\r\n\r\nsome`};
const stalledGzip: Answer = {
	raw: [
		`${ok}Content-Encoding: gzip\r\nContent-Length: 900\r\n\r\n`,
		zlib.gzipSync('some').subarray(0, 12),
	],
};

function bySignal(s: Stage): AxiosRequestConfig {
	const controller = new AbortController();
	s.onCancel = () => controller.abort(new Error('a reason'));
	return {signal: controller.signal};
}

function byToken(s: Stage): AxiosRequestConfig {
	const {token, cancel} = axios.CancelToken.source();
	s.onCancel = () => cancel('not wanted');
	return {cancelToken: token};
}

function byBoth(s: Stage): AxiosRequestConfig {
	const first = byToken(s);
	const {onCancel} = s;
	const second = bySignal(s);
	const abort = s.onCancel;
	s.onCancel = () => {
		onCancel();
		abort();
	};
	return {...first, ...second};
}

type Arm = (s: Stage) => AxiosRequestConfig;
const arms: Readonly<Record<string, Arm>> = {
	'a signal': bySignal,
	'a token': byToken,
	both: byBoth,
};

async function* endless() {
	yield 'the first of it';
	await new Promise(() => {});
}

/** Requests of different shapes. */
const shapes: Readonly<Record<string, () => AxiosRequestConfig>> = {
	'a GET for a stream': () => ({responseType: 'stream'}),
	'a HEAD': () => ({method: 'head'}),
	'a POST of text': () => ({method: 'post', data: 'text'}),
	'a POST of a stream': () => ({method: 'post', data: Readable.from(['one', 'two'])}),
	'a POST of a form': () => {
		const data = new FormData();
		data.append('a', '1');
		return {method: 'post', data};
	},
};

/** A name that is never found, so that no kept connection serves. */
const lookingUp = (s: Stage, url: string): AxiosRequestConfig => ({
	url: url.replace('localhost', 'looked-up.test'),
	// In this turn axios knows of no request yet.
	lookup: () => setImmediate(() => s.onCancel()),
});

export const beforeTheHead = Object.entries(arms).flatMap(([arm, by]) =>
	Object.entries(shapes).flatMap(([shape, make]): Row[] => {
		const common = {
			ends: 'ERR_CANCELED',
			looseWire: true,
			requests: anyEnd,
			looseBody: true,
		} as const;
		const config = (s: Stage, more: AxiosRequestConfig = {}) => ({...make(), ...by(s), ...more});
		return [
			{
				...common,
				title: `${arm} before ${shape}`,
				config: (s) => {
					const made = config(s);
					s.onCancel();
					return made;
				},
				answers: () => [],
			},
			{
				...common,
				title: `${arm} just after ${shape}`,
				config: (s) => {
					const made = config(s);
					queueMicrotask(() => s.onCancel());
					return made;
				},
				answers: () => [],
			},
			{
				...common,
				title: `${arm} a turn after ${shape}`,
				config: (s) => {
					const made = config(s);
					setImmediate(() => s.onCancel());
					return made;
				},
				answers: () => [silence],
			},
			{
				...common,
				title: `${arm} while ${shape} looks a name up`,
				config: (s, url) => config(s, lookingUp(s, url)),
				answers: () => [],
			},
			{
				...common,
				title: `${arm} while ${shape} waits for the head`,
				config: (s) => config(s),
				answers: () => [{raw: '', next: 'cancel'}],
				requests: 1,
				looseWire: false,
			},
			{
				...common,
				title: `${arm} within the head of the answer to ${shape}`,
				config: (s) => config(s),
				answers: () => [{raw: `${ok}Content-`, next: 'cancel'}],
				requests: 1,
				looseWire: false,
			},
			{
				...common,
				title: `${arm} after an interim answer to ${shape}`,
				config: (s) => config(s),
				answers: () => [{raw: 'HTTP/1.1 103 Early\r\n\r\n', next: 'cancel'}],
				requests: 1,
				looseWire: false,
			},
		];
	}),
);

export const connecting = Object.entries(arms).flatMap(([arm, by]) =>
	Object.entries(shapes).map(
		([shape, make]): Row => ({
			title: `${arm} while ${shape} waits for a handshake`,
			config: (s) => ({...make(), ...by(s), url: s.url('silent')}),
			answers: () => [],
			ends: 'ERR_CANCELED',
		}),
	),
);

export const uploading = Object.entries(arms).flatMap(([arm, by]): Row[] => [
	{
		title: `${arm} while a stream is sent`,
		config: (s) => ({
			method: 'post',
			data: Readable.from(endless()),
			responseType: 'stream',
			...by(s),
		}),
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		looseBody: true,
		ends: 'ERR_CANCELED',
	},
	{
		title: `${arm} while a stream of known length is sent`,
		config: (s) => ({
			method: 'post',
			data: new PassThrough().resume(),
			headers: {'Content-Length': '5', Expect: '100-continue'},
			...by(s),
		}),
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		looseBody: true,
		ends: 'ERR_CANCELED',
	},
	{
		title: `${arm} while 8 MB are sent`,
		config: (s) => ({method: 'post', data: Buffer.alloc(8_000_000), ...by(s)}),
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		looseBody: true,
		ends: 'ERR_CANCELED',
	},
	{
		title: `${arm} while a form with 8 MB is sent`,
		config: (s) => {
			const data = new FormData();
			data.append('f', new Blob([Buffer.alloc(8_000_000)]));
			return {method: 'post', data, ...by(s)};
		},
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		looseBody: true,
		ends: 'ERR_CANCELED',
	},
]);

export const buffered = Object.entries(arms).flatMap(([arm, by]) =>
	[
		['of known length', stalled],
		['in chunks', {raw: `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n`}],
		['in gzip', stalledGzip],
		['of an error page', {raw: 'HTTP/1.1 500 No\r\nContent-Length: 90\r\n\r\nsome'}],
	].map(
		([title, answer]): Row => ({
			title: `${arm} within a body ${title}`,
			config: (s) => by(s),
			answers: () => [{...(answer as {raw: string}), next: 'cancel'}],
			ends: 'ERR_CANCELED',
		}),
	),
);

// What axios gives to an app that begins to read only then depends on the way: an end, or an error.
async function readLate(data: Readable): Promise<unknown> {
	const {text} = (await readWhole(data)) as {text: string};
	return text;
}

const acts: Readonly<Record<string, (data: Readable, s: Stage) => Promise<unknown>>> = {
	'before it is read': async (data, s) => {
		s.onCancel();
		return readLate(data);
	},
	'after its first chunk, in the loop': async (data, s) => {
		try {
			for await (const _ of data) s.onCancel();
			return 'ended';
		} catch (error) {
			return describeStreamError(error);
		}
	},
	twice: async (data, s) => {
		s.onCancel();
		s.onCancel();
		return readLate(data);
	},
	'after the app has destroyed it': async (data, s) => {
		data.destroy();
		s.onCancel();
	},
	'a turn after the app has destroyed it': async (data, s) => {
		data.destroy(new Error('enough'));
		await s.quiet();
		s.onCancel();
	},
};

export const streamed = Object.entries(arms).flatMap(([arm, by]) =>
	Object.entries(acts).flatMap(([title, act]): Row[] => {
		const read: Row['read'] = (s) => async (data) => {
			const outcome = await act(data, s);
			await s.hungUp();
			return outcome;
		};
		const config = (s: Stage) => ({...by(s), responseType: 'stream' as const});
		const rows: Row[] = [
			{
				title: `${arm} for a streamed answer ${title}`,
				config,
				answers: () => [stalled],
				read,
				ends: 200,
			},
		];
		if (title.includes('chunk')) return rows;
		return [
			...rows,
			{
				title: `${arm} for a streamed answer in gzip ${title}`,
				config,
				answers: () => [stalledGzip],
				read,
				ends: 200,
			},
		];
	}),
);

// axios stops listening where it rejects, and the error page goes on.
export const errorPages = Object.entries(arms).map(
	([arm, by]): Row => ({
		title: `${arm} for a streamed error page`,
		config: (s) => ({...by(s), responseType: 'stream'}),
		answers: () => [{raw: 'HTTP/1.1 404 No\r\nContent-Length: 90\r\n\r\nsome'}],
		read: (s) => async (data) => {
			s.onCancel();
			await s.quiet();
			const {destroyed} = data;
			data.destroy();
			return destroyed;
		},
		ends: 'ERR_BAD_REQUEST',
		differs: 'a cancelled request ends, whatever its status is',
	}),
);

export const late = Object.entries(arms).flatMap(([arm, by]): Row[] => [
	{
		title: `${arm} after a streamed answer was read`,
		config: (s) => ({...by(s), responseType: 'stream'}),
		read: (s) => async (data) => {
			const outcome = await readWhole(data);
			s.onCancel();
			return outcome;
		},
		ends: 200,
	},
	{
		title: `${arm} after a streamed answer was read, and a second one on its connection`,
		config: (s) => ({...by(s), responseType: 'stream'}),
		answers: () => [{}, {}],
		read:
			(s, client) =>
			async (data, {config}) => {
				await readWhole(data);
				s.onCancel();
				return (await client.get(String(config.url))).data;
			},
		ends: 200,
	},
	{
		title: `${arm} after a redirect, within a streamed answer`,
		config: (s) => ({...by(s), responseType: 'stream', method: 'post', data: Readable.from(['x'])}),
		answers: (s, server) => [redirect(s.url(server, '/to'), 307), stalled],
		read: (s) => async (data) => {
			s.onCancel();
			return readLate(data);
		},
		ends: 200,
	},
]);

/* The time is up. */
const timeout = 120;
export const timeouts = Object.entries(shapes).flatMap(([shape, make]): Row[] => [
	{
		title: `a timeout while ${shape} looks a name up`,
		config: (s, url) => ({...make(), ...lookingUp(s, url), timeout}),
		answers: () => [],
		ends: 'ECONNABORTED',
	},
	{
		title: `a timeout while ${shape} waits for the head`,
		config: () => ({...make(), timeout}),
		answers: () => [silence],
		looseBody: true,
		ends: 'ECONNABORTED',
	},
]);
export const timeoutsWithin: Row[] = [
	...Object.entries(shapes).map(
		([shape, make]): Row => ({
			title: `a timeout while ${shape} waits for a handshake`,
			config: (s) => ({...make(), url: s.url('silent'), timeout}),
			answers: () => [],
			ends: 'ECONNABORTED',
		}),
	),
];
export const timeoutsOfUploads: Row[] = [
	{
		title: 'a timeout while a stream is sent',
		config: () => ({method: 'post', data: Readable.from(endless()), timeout}),
		answers: () => [{raw: '', early: true}],
		looseBody: true,
		ends: 'ECONNABORTED',
	},
	{
		title: 'a timeout while a stream gives nothing',
		config: () => ({method: 'post', data: new PassThrough(), timeout}),
		answers: () => [],
		looseBody: true,
		ends: 'ECONNABORTED',
	},
	{
		title: 'a timeout that is longer than a streamed answer takes',
		config: () => ({responseType: 'stream', timeout: 5_000}),
		ends: 200,
	},
];
