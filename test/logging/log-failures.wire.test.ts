import axios, {type AxiosError, isAxiosError} from 'axios';
import {beforeAll, beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {createClient, type Logger, logFailures, withMtls} from '../../src/index.ts';
import type {MtlsServer} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
} from '../support/fixture.ts';

let fixture: Fixture;
/** Not trusted. */
let impostor: MtlsServer;
/** Answers 401 to everybody. */
let bank: MtlsServer;
beforeAll(async () => {
	fixture = await createFixture();
});
beforeEach(async () => {
	const credential = await fixture.pki.server({selfSigned: true});
	impostor = await fixture.server({credential});
	bank = await fixture.server({
		handler: pages({'/': (_, response) => response.writeHead(401).end('{}')}),
	});
});

function recorder() {
	const told: {level: 'error' | 'warn'; fields: Record<string, unknown>; message: string}[] = [];
	const level = (level: 'error' | 'warn') => (fields: object, message: string) => {
		told.push({level, fields: {...fields}, message});
	};
	return {told, logger: {error: level('error'), warn: level('warn')} satisfies Logger};
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a connection that failed is logged as an error, as (fields, message)', async () => {
		const {told, logger} = recorder();
		const client = fixture.client({...options, logger});
		const error = await failureOf(client.post(impostor.url('/pay?card=MARK'), {pin: 'MARK'}));

		expect(told).toHaveLength(1);
		expect(told).toMatchObject([
			{
				level: 'error',
				fields: {
					event: 'connection_failed',
					method: 'POST',
					url: impostor.url('/pay?card=[redacted]'),
					code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
					kind: 'self-signed',
					phase: 'verify',
					side: 'server',
					certain: true,
					host: 'localhost',
					port: impostor.port,
					peer: {subject: 'CN=localhost'},
					identity: {subject: 'CN=alice'},
				},
				message: `POST ${impostor.url('/pay?card=[redacted]')} failed: ${error.message}`,
			},
		]);
		expect(JSON.stringify(told)).not.toContain('MARK');
	});

	test('a response with a failed status is logged as a warning', async () => {
		const {told, logger} = recorder();
		await failureOf(fixture.client({...options, logger}).get(bank.url()));
		expect(told).toEqual([
			{
				level: 'warn',
				fields: {
					event: 'request_failed',
					method: 'GET',
					url: bank.url(),
					code: 'ERR_BAD_REQUEST',
					status: 401,
				},
				message: `GET ${bank.url()} failed: Request failed with status code 401`,
			},
		]);
	});

	test('a successful request is not logged', async () => {
		const {told, logger} = recorder();
		const client = fixture.client({...options, logger});
		await client.get(bank.url('/whoami'));
		await client.get(bank.url(), {validateStatus: (status) => status === 401});
		expect(told).toEqual([]);
	});

	test('a request that the app cancelled is not logged', async () => {
		const {told, logger} = recorder();
		const abort = new AbortController();
		const waiting = await fixture.server({
			handler() {
				abort.abort();
				return true;
			},
		});
		const client = fixture.client({...options, logger});
		const cancelled = [
			client.get(waiting.url(), {signal: abort.signal}),
			client.get(impostor.url(), {signal: AbortSignal.abort()}),
		].map(failureOf);

		for (const error of await Promise.all(cancelled)) expect(axios.isCancel(error)).toBe(true);
		expect(told).toEqual([]);
	});

	test('each attempt of a retry is a failure of its own', async () => {
		const {told, logger} = recorder();
		const client = fixture.client({...options, logger});
		let attempts = 1;
		client.interceptors.response.use(null, (error: AxiosError) => {
			if (attempts === 3 || !error.config) throw error;
			attempts++;
			return client.request(error.config);
		});
		await failureOf(client.get(impostor.url()));

		expect(told).toHaveLength(3);
		expect(impostor.connections).toHaveLength(3);
		expect(impostor.requests).toEqual([]);
	});
});

describe('a failure is told once', () => {
	test('a failure is logged once, whatever other interceptors the instance has', async () => {
		const [first, second] = [recorder(), recorder()];
		const client = fixture.client({logger: first.logger});
		logFailures(client, first.logger);
		logFailures(client, second.logger);
		await failureOf(client.get(impostor.url()));

		expect(first.told).toHaveLength(1);
		expect(second.told).toEqual([]);
	});

	test('a failure of an instance that a client made is logged once, to the logger of the client', async () => {
		const {told, logger} = recorder();
		const child = fixture.client({logger}).create({headers: {'X-Child': '1'}});
		await failureOf(child.get(impostor.url()));
		expect(told).toHaveLength(1);
	});

	test('a failure of an instance with a logger of its own is logged there once', async () => {
		const [parent, child] = [recorder(), recorder()];
		const client = fixture.client({logger: parent.logger}).create({logger: child.logger});
		await failureOf(client.get(impostor.url()));
		expect(child.told).toHaveLength(1);
		expect(parent.told).toEqual([]);
	});

	test('a failure is logged once though an interceptor of the app rewrites it', async () => {
		const {told, logger} = recorder();
		const wrapped = fixture.client({logger});
		wrapped.interceptors.response.use(null, (cause: Error) => {
			throw new Error('the bank is away', {cause});
		});
		logFailures(wrapped, logger);
		await expect(wrapped.get(impostor.url())).rejects.toThrow('the bank is away');
		expect(told).toHaveLength(1);
	});

	test('two requests that fail alike are logged once each', async () => {
		const {told, logger} = recorder();
		const client = fixture.client({logger});
		await Promise.all([failureOf(client.get(bank.url())), failureOf(client.get(bank.url()))]);
		expect(told).toHaveLength(2);
	});
});

describe('the logger', () => {
	function spyOnConsole() {
		const spies = ['error', 'warn', 'log', 'info'] as const;
		const calls: unknown[][] = [];
		for (const name of spies) {
			vi.spyOn(console, name).mockImplementation((...args) => {
				calls.push([name, ...args]);
			});
		}
		onTestFinished(() => {
			vi.restoreAllMocks();
		});
		return calls;
	}

	test('the logger is the console by default', async () => {
		const calls = spyOnConsole();
		const client = createClient({mtls: {ca: fixture.pki.ca}, proxy: false});
		const {summary, failure, code} = await mtlsFailureOf(client.get(impostor.url()));
		await client.mtls.close();
		const fingerprint = failure.peer?.fingerprint256 ?? 'none';
		expect(calls).toEqual([['error', expect.any(String)]]);
		const lines = String(calls[0]?.[1]).split('\n');
		expect(lines[0]).toBe(`axios-mtls: GET ${impostor.url()} failed: ${summary}`);
		expect(lines[1]).toBe(`  cause: ${failure.reasons[0]}`);
		expect(lines).toContain(`  what to do: ${failure.hint}`);
		expect(lines).toContain(`  code: ${code}, kind: self-signed`);
		expect(lines).toContain(`  its SHA-256 fingerprint: ${fingerprint}`);
		expect(lines.length).toBeLessThanOrEqual(12);
	});

	test('the console gets a response that was not wanted in one line', async () => {
		const calls = spyOnConsole();
		const client = createClient({mtls: {ca: fixture.pki.ca}, proxy: false});
		const open = await fixture.server({
			handler: pages({'/': (_, response) => response.writeHead(503).end()}),
			clientAuth: 'none',
		});
		await failureOf(client.get(open.url()));
		await client.mtls.close();
		const why = 'Request failed with status code 503 (ERR_BAD_RESPONSE)';
		expect(calls).toEqual([['warn', `axios-mtls: GET ${open.url()} failed: ${why}`]]);
	});

	test('logger: false is silence, for instances that the client makes too', async () => {
		const calls = spyOnConsole();
		const client = fixture.client({logger: false});
		await failureOf(client.get(impostor.url()));
		await failureOf(client.create().get(impostor.url()));
		await failureOf(withMtls(axios.create(), {logger: false}).get(impostor.url()));
		expect(calls).toEqual([]);
	});

	test("the logger's functions are called as its methods", async () => {
		class Counting {
			count = 0;
			error() {
				this.count++;
			}
			warn() {
				this.count++;
			}
		}
		const logger = new Counting();
		const client = fixture.client({logger});
		await failureOf(client.get(impostor.url()));
		await failureOf(client.get(bank.url()));
		expect(logger.count).toBe(2);
	});

	test('a logger that throws does not replace the failure', async () => {
		const broken = () => {
			throw new Error('disk full');
		};
		const client = fixture.client({logger: {error: broken, warn: broken}});
		const error = await failureOf(client.get(impostor.url()));
		expect(error).toMatchObject({name: 'MtlsError', failure: {kind: 'self-signed'}});
	});
});

describe('logFailures alone', () => {
	test('logFailures logs for any axios instance until it is removed', async () => {
		const {told, logger} = recorder();
		const instance = axios.create({proxy: false, httpsAgent: fixture.client().mtls.agent});
		const takeOff = logFailures(instance, logger);

		const error: unknown = await instance.get(bank.url()).catch((e) => e);
		expect(isAxiosError(error)).toBe(true);
		await instance.get(bank.url('/whoami'));
		expect(told).toMatchObject([{level: 'warn', fields: {status: 401, url: bank.url()}}]);

		takeOff();
		await failureOf(instance.get(bank.url()));
		expect(told).toHaveLength(1);
	});

	test('logFailures logs a failure that never became a request without inventing one', async () => {
		const {told, logger} = recorder();
		const instance = axios.create();
		instance.interceptors.request.use(() => {
			throw new TypeError('no token yet');
		});
		logFailures(instance, logger);
		await expect(instance.get(bank.url())).rejects.toThrow('no token yet');
		expect(told).toEqual([
			{
				level: 'error',
				fields: {event: 'request_failed'},
				message: 'request failed: no token yet',
			},
		]);
	});
});
