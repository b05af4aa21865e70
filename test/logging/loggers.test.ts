/*
 * How the usual loggers take a failure: each gets its text and, unless a person reads it, all fields.
 */
import {Console} from 'node:console';
import {PassThrough} from 'node:stream';
import {setImmediate} from 'node:timers/promises';
import {AxiosError, AxiosHeaders} from 'axios';
import pino from 'pino';
import {expect, onTestFinished, test} from 'vitest';
import winston from 'winston';
import {createClient, isMtlsError, type Logger, logFailures, MtlsError} from '../../src/index.ts';
import {callLogger} from '../../src/logging/logger.ts';

const config = {method: 'get', url: 'https://bank.example/', headers: new AxiosHeaders()};

function failure(): MtlsError {
	return new MtlsError('it expired', {
		code: 'CERT_HAS_EXPIRED',
		config,
		failure: {
			kind: 'expired',
			phase: 'verify',
			side: 'server',
			certain: true,
			host: 'bank.example',
			port: 443,
			servername: 'bank.example',
			url: 'https://bank.example/',
			chain: [],
			identity: null,
			reasons: ['it is old'],
			hint: 'have it renewed',
		},
	});
}

const message = 'GET https://bank.example/ failed: it expired. What to do: have it renewed';
const fields = {
	event: 'connection_failed',
	method: 'GET',
	url: 'https://bank.example/',
	code: 'CERT_HAS_EXPIRED',
	kind: 'expired',
	reasons: ['it is old'],
	hint: 'have it renewed',
};

/** What a client with that logger writes of a failed connection and of a failed response. */
async function logged(make: (out: PassThrough) => Logger): Promise<string[]> {
	const out = new PassThrough();
	const client = createClient({logger: make(out), proxy: false});
	const answered = {status: 503, statusText: '', data: '', headers: {}, config};
	for (const error of [
		failure(),
		new AxiosError('Request failed with status code 503', 'ERR_BAD_RESPONSE', config, {}, answered),
	]) {
		client.defaults.adapter = async () => {
			throw error;
		};
		await client.get('https://bank.example/').catch((thrown) => expect(thrown).toBe(error));
	}
	await client.mtls.close();
	out.end();
	const chunks = await out.toArray();
	return Buffer.concat(chunks).toString().trimEnd().split('\n');
}

test('pino gets the text and the fields', async () => {
	const lines = (await logged((out) => pino(out))).map((line) => JSON.parse(line));
	expect(lines).toMatchObject([
		{...fields, level: 50, msg: message},
		{event: 'request_failed', level: 40, status: 503, msg: expect.stringMatching(/code 503$/)},
	]);
});

test('a child of pino gets the text and the fields', async () => {
	const [line = ''] = await logged((out) => pino(out).child({service: 'bank'}));
	expect(JSON.parse(line)).toMatchObject({...fields, msg: message, service: 'bank'});
});

const transport = (stream: PassThrough) => new winston.transports.Stream({stream, eol: '\n'});

test('winston gets the text and the fields', async () => {
	const lines = await logged((out) =>
		winston.createLogger({format: winston.format.json(), transports: transport(out)}),
	);
	expect(lines.map((line) => JSON.parse(line))).toMatchObject([
		{...fields, level: 'error', message},
		{event: 'request_failed', level: 'warn', status: 503},
	]);
});

test('a child of winston gets the text and the fields', async () => {
	const [line = ''] = await logged((out) => {
		const format = winston.format.json();
		return winston.createLogger({format, transports: transport(out)}).child({service: 'bank'});
	});
	expect(JSON.parse(line)).toMatchObject({...fields, message, service: 'bank'});
});

test('winston prints the text in its simple format', async () => {
	const [line] = await logged((out) =>
		winston.createLogger({format: winston.format.simple(), transports: transport(out)}),
	);
	expect(line).toContain(`error: ${message}`);
});

test('a console of the app gets lines to read', async () => {
	expect(await logged((out) => new Console(out) as unknown as Logger)).toEqual([
		'axios-mtls: GET https://bank.example/ failed: it expired',
		'  cause: it is old',
		'  what to do: have it renewed',
		'  code: CERT_HAS_EXPIRED, kind: expired',
		'axios-mtls: GET https://bank.example/ failed: Request failed with status code 503 (ERR_BAD_RESPONSE)',
	]);
});

test('a console prints a text with percent signs and control characters as it is meant', () => {
	const out = new PassThrough();
	callLogger(new Console(out) as unknown as Logger, 'warn', {}, 'a %s of %d%% \u001b[2J\nend');
	expect(String(out.read())).toBe('axios-mtls: a %s of %d%% \\x1b[2J end\n');
});

class MessageFirst {
	readonly calls: unknown[][] = [];
	error(...args: unknown[]) {
		this.calls.push(args);
	}
	warn(...args: unknown[]) {
		this.calls.push(args);
	}
}

test('a logger with a method `log` gets the message first, as the one of NestJS', () => {
	class NestLike extends MessageFirst {
		log() {}
	}
	const logger = new NestLike();
	callLogger(logger, 'warn', {event: 'x'}, 'a message');
	expect(logger.calls).toEqual([['a message', {event: 'x'}]]);
});

test('a logger without a method `log` gets the fields first', () => {
	const logger = new MessageFirst();
	callLogger(logger, 'warn', {event: 'x'}, 'a message');
	expect(logger.calls).toEqual([[{event: 'x'}, 'a message']]);
});

test('logFailures logs to winston as a client does', async () => {
	const out = new PassThrough();
	const instance = createClient({logger: false, proxy: false});
	const logger = winston.createLogger({format: winston.format.json(), transports: transport(out)});
	logFailures(instance, logger);
	instance.defaults.adapter = async () => {
		throw failure();
	};
	const error: unknown = await instance.get('https://bank.example/').catch((thrown) => thrown);
	expect(isMtlsError(error)).toBe(true);
	await instance.mtls.close();
	expect(JSON.parse(String(out.read()))).toMatchObject({...fields, message});
});

test.each([
	['a logger', {}],
	['a logger with a method `log`', {log() {}}],
])('%s whose methods reject leaves no unhandled rejection', async (_, more) => {
	const unhandled: unknown[] = [];
	const onUnhandled = (reason: unknown) => unhandled.push(reason);
	process.on('unhandledRejection', onUnhandled);
	onTestFinished(() => void process.off('unhandledRejection', onUnhandled));
	let calls = 0;
	const rejects = async () => {
		calls += 1;
		throw new Error('the log is full');
	};
	callLogger({error: rejects, warn: rejects, ...more}, 'warn', {}, 'a message');
	// Node reports them after the microtasks.
	await setImmediate();
	expect(calls).toBe(1);
	expect(unhandled).toEqual([]);
});
