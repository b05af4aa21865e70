// Slow: it starts a process for each error, to read its last words.
import assert from 'node:assert';
import {fork} from 'node:child_process';
import {Console} from 'node:console';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {once} from 'node:events';
import {PassThrough} from 'node:stream';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {format, inspect} from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import {MessageChannel, receiveMessageOnPort, Worker} from 'node:worker_threads';
import axios from 'axios';
import {expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {secret, wrappedError, wrappedKinds} from '../support/wrapped-errors.ts';

// Seen: the last words of a process printed the token that a loader had thrown, and so did whoever got
// the error by `postMessage`: `cause` was not enumerable, and Node prints and copies it all the same.

const everything = {showHidden: true, depth: null} as const;

/** Everything of a value that arrived somewhere else. */
const all = (value: unknown) =>
	inspect(value, {...everything, getters: true, customInspect: false, maxStringLength: null});

/** Where errors end up, each as the text that is then to be read. */
const sinks: Readonly<Record<string, (error: Error) => string>> = {
	'String()': String,
	'its message': ({message}) => message,
	'its stack': ({stack = ''}) => stack,
	'JSON.stringify': (error) => JSON.stringify([error, {error}]),
	'util.inspect': (error) => inspect(error) + inspect({deep: [error]}, {depth: 9}),
	'util.inspect with hidden fields': (error) => inspect([error], everything),
	'util.inspect with hidden fields and getters': (error) =>
		inspect([error], {...everything, getters: true}),
	"Node's own print, which asks no `inspect.custom`": (error) =>
		inspect([error], {depth: null, customInspect: false}),
	'the same with hidden fields': (error) => inspect([error], {...everything, customInspect: false}),
	'util.format': (error) => format('%s %o %O %j', error, error, error, error),
	'console.error, console.dir and console.table': printed,
	'an error around it': (error) =>
		inspect([new Error('outer', {cause: error}), new AggregateError([error])], {depth: null}),
	'its enumerable fields': (error) => {
		const fields: unknown[] = [{...error}];
		for (const name in error) fields.push(error[name as keyof Error]);
		return all(fields);
	},
	structuredClone: (error) => all(structuredClone(error)),
	postMessage: (error) => {
		const {port1, port2} = new MessageChannel();
		port1.postMessage({error});
		const received = receiveMessageOnPort(port2);
		port1.close();
		return all(received);
	},
	'v8.serialize': (error) => {
		const bytes = v8.serialize(error);
		return bytes.toString('latin1') + bytes.toString('utf16le');
	},
	'an assertion that fails': (error) => {
		const failures = [() => assert.strictEqual(error, 1), () => assert.ifError(error)];
		return failures.map((fail) => String(caught(fail))).join('\n');
	},
	'another realm': (error) =>
		vm.runInNewContext('String(error) + JSON.stringify(error) + print({error})', {
			error,
			print: (value: unknown) => inspect(value, everything),
		}),
};

function caught(fail: () => void): unknown {
	try {
		fail();
	} catch (error) {
		return error;
	}
	throw new Error('it held');
}

function printed(error: Error): string {
	const stream = new PassThrough();
	const console = new Console(stream);
	console.error(error);
	console.dir(error);
	console.table([error]);
	return String(stream.read());
}

const kinds = Object.entries(wrappedKinds);

test.each(kinds)(
	'the error of %s holds no secret, wherever it is printed or copied',
	async (kind, {code, byAxios}) => {
		const heard: unknown[] = [];
		const channels = ['handshake', 'failure', 'identity', 'login'].map(
			(name) => `axios-mtls:${name}`,
		);
		const listen = (event: unknown) => heard.push(event);
		for (const channel of channels) subscribe(channel, listen);
		onTestFinished(() => {
			for (const channel of channels) unsubscribe(channel, listen);
		});
		const {error, told} = await wrappedError(kind);
		expect(error).toMatchObject({code});
		const places: typeof sinks = {
			...sinks,
			'the logger': () => all(told),
			'the channels': () => all(heard),
		};
		const leaks = Object.entries(places).filter(([, print]) => print(error).includes(secret));
		// `assert` calls getters, and asks no `inspect.custom`.
		const asked = byAxios ? ['an assertion that fails'] : [];
		expect(leaks.map(([sink]) => sink).filter((sink) => !asked.includes(sink))).toEqual([]);
	},
);

test.each(kinds.filter(([, {depth}]) => depth !== undefined))(
	'the cause of the error of %s is what the app threw',
	async (kind, {depth = 0}) => {
		let {error} = (await wrappedError(kind)) as {error: unknown};
		for (let down = 0; down < depth; down += 1) error = (error as Error).cause;
		expect(error).toMatchObject({token: secret, cause: {message: secret}});
	},
);

test("the error of an invalid URL is Node's, as in axios, and says where it may be wrong", async () => {
	const url = (password: string) => `https://alice:${password}@localhost:99999/a?token=${password}`;
	const theirs = await axios.get(url('S')).catch((error) => error);
	const ours = await createClient({logger: false})
		.get(url(secret))
		.catch((error) => error);
	expect(theirs).toMatchObject({
		name: 'TypeError',
		code: 'ERR_INVALID_URL',
		message: 'Invalid URL',
	});
	expect(ours).toBeInstanceOf(TypeError);
	expect(ours).toMatchObject({...theirs, name: 'TypeError', input: 'https:[redacted]'});
});

test('every sink shows the secret of an error that is not redacted', () => {
	const cause = Object.assign(new Error(secret), {toJSON: () => secret});
	const error = Object.assign(new Error(secret), {cause, toJSON: () => secret});
	const blind = Object.entries(sinks).filter(([, print]) => !print(error).includes(secret));
	expect(blind.map(([sink]) => sink)).toEqual([]);
});

const child = fileURLToPath(new URL('../support/child-wrapped.ts', import.meta.url));

/** All that a process that ends by the error leaves behind: its words, its report, and what it sent. */
async function lastWords(kind: string, how = 'thrown'): Promise<string> {
	const process = fork(child, [kind, how], {
		execArgv: ['--trace-warnings'],
		serialization: 'advanced',
		silent: true,
	});
	const sent: unknown[] = [];
	process.on('message', (message) => sent.push(message));
	const [out, errors, [code]] = await Promise.all([
		text(process.stdout as NodeJS.ReadableStream),
		text(process.stderr as NodeJS.ReadableStream),
		once(process, 'close'),
	]);
	expect(code).toBe(1);
	expect(sent).toHaveLength(1);
	expect(out).toContain('javascriptStack');
	return [out, errors, all(sent)].join('\n');
}

// One of each code: a process takes its time.
const byCode = [...new Map(kinds.map((kind) => [kind[1].code, kind])).values()];

test.each(byCode)('a process that ends by the error of %s prints no secret', async (kind) => {
	expect(await lastWords(kind)).not.toContain(secret);
});

test('a process that ends by a rejected promise prints no secret', async () => {
	expect(await lastWords('a loader that rejects', 'rejected')).not.toContain(secret);
});

async function fromWorker(kind: string, how = 'thrown'): Promise<unknown> {
	const worker = new Worker(child, {argv: [kind, how], stderr: true, stdout: true});
	const [error] = await once(worker, 'error');
	return error;
}

// Node hands on what each getter of the error gives, unless a function is somewhere in it: in the config of
// an AxiosError there always is. So of a mistake in the options the cause goes with it, to the app's own code.
test.each(byCode.filter(([, {code}]) => code !== 'ERR_MTLS_BAD_OPTION'))(
	'a worker that ends by the error of %s hands no secret on',
	async (kind) => {
		expect(all(await fromWorker(kind))).not.toContain(secret);
	},
);

test('a process and a worker do print the secret of an error that is not redacted', async () => {
	expect(await lastWords('twin', 'twin')).toContain(secret);
	expect(all(await fromWorker('twin', 'twin'))).toContain(secret);
});
