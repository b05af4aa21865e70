import {execFile} from 'node:child_process';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	type ClientConfig,
	createClient,
	type IdentityEvent,
	type IdentityMaterial,
} from '../../src/index.ts';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {day} from '../../src/util/day.ts';

// Seen: a certificate that had 30 days and 3 seconds left when it was loaded was never told of, and a
// short-lived one whose renewal had stopped ended in silence.

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const pki = await createTestPki();

/** In whole seconds, as certificates have it. */
const start = Math.floor(Date.now() / 1_000) * 1_000;
const at = (days: number) => new Date(start + days * DAY_MS);
/** As it is written in a message `told` days after the start. */
const date = (days: number, told: number) => day(at(days).toISOString(), at(told).getTime());
const valid = (name: string, from: number, to: number) =>
	pki.client({commonName: name, validFrom: at(from), validTo: at(to)});

beforeEach(() => {
	vi.useFakeTimers({now: start, toFake: ['Date', 'setTimeout', 'clearTimeout']});
	onTestFinished(() => {
		vi.useRealTimers();
	});
});

/** A client, and what is logged and published of its certificates: days since the start, and what. */
function telling(config: ClientConfig) {
	const told: string[] = [];
	const events: (readonly [days: number, string])[] = [];
	const now = () => Math.round((Date.now() - start) / HOUR_MS) / 24;
	const listen = (event: unknown) => {
		const {event: name, identity} = event as IdentityEvent;
		if (name.startsWith('identity_expir')) events.push([now(), `${name} ${identity?.subject}`]);
	};
	subscribe('axios-mtls:identity', listen);
	const warn = vi.fn((_fields: object, message: string) => told.push(message));
	const client = createClient({logger: {error: vi.fn(), warn}, proxy: false, ...config});
	onTestFinished(async () => {
		unsubscribe('axios-mtls:identity', listen);
		await client.mtls.close();
	});
	return {client, told, events, warn};
}

const pass = (days: number) => vi.advanceTimersByTime(days * DAY_MS);

test('a certificate that is good for long when it is loaded is warned about when its end comes near', async () => {
	const {cert, key} = await valid('alice', -300, 40);
	const {told, events, warn} = telling({mtls: {cert, key}});
	pass(9.9);
	expect(told).toEqual([]);
	pass(60);
	expect(told).toEqual([
		`our certificate 'CN=alice' expires on ${date(40, 10)}, in 30 days: renew it`,
		`our certificate 'CN=alice' expires on ${date(40, 33)}, in 7 days: renew it this week`,
		`our certificate 'CN=alice' expires on ${date(40, 39)}, in 1 day: renew it today`,
		`our certificate 'CN=alice' expired on ${date(40, 40)}`,
	]);
	expect(events).toEqual([
		[10, 'identity_expiring CN=alice'],
		[33, 'identity_expiring CN=alice'],
		[39, 'identity_expiring CN=alice'],
		[40, 'identity_expired CN=alice'],
	]);
	expect(warn).toHaveBeenNthCalledWith(
		2,
		expect.objectContaining({
			event: 'identity_expiring',
			validTo: at(40).toISOString(),
			daysLeft: 7,
			shownTo: 'server',
			identity: expect.objectContaining({subject: 'CN=alice'}),
		}),
		expect.any(String),
	);
	expect(vi.getTimerCount()).toBe(0);
});

describe('a certificate of 24 hours', () => {
	/** Gives the newest that there is at the time. */
	const loader = (credentials: readonly Credential[]) => (): IdentityMaterial => {
		const hours = (Date.now() - start) / HOUR_MS;
		const {cert, key} = credentials[
			Math.min(Math.floor(hours / 12), credentials.length - 1)
		] as Credential;
		return {cert, key};
	};
	const renewals = () =>
		Promise.all(Array.from({length: 6}, (_, index) => valid(`${index}`, index / 2, index / 2 + 1)));

	test('a certificate of 24 hours is not warned about as long as it is renewed', async () => {
		const credentials = await renewals();
		const {client, told} = telling({mtls: {identity: loader(credentials)}});
		for (const index of credentials.keys()) {
			expect(client.mtls.identity?.subject).toBe(`CN=${index}`);
			pass(0.5);
			await client.mtls.reload();
		}
		expect(told).toEqual([]);
	});

	test('a certificate of 24 hours is warned about once its renewal has stopped, and when it expires', async () => {
		const credentials = await renewals();
		const {client, told, events} = telling({mtls: {identity: loader(credentials.slice(0, 2))}});
		pass(0.5);
		await client.mtls.reload();
		expect(client.mtls.identity?.subject).toBe('CN=1');
		expect(told).toEqual([]);
		pass(2);
		const why = '; `mtls.identity` has brought no newer one';
		expect(told).toEqual([
			`our certificate 'CN=1' expires on ${date(1.5, 1.25)}, in 6 hours: renew it today${why}`,
			`our certificate 'CN=1' expired on ${date(1.5, 1.5)}${why}`,
		]);
		expect(events).toEqual([
			[1.25, 'identity_expiring CN=1'],
			[1.5, 'identity_expired CN=1'],
		]);
	});

	test('a certificate of 24 hours that nothing renews is warned about in the same way', async () => {
		const {cert, key} = await valid('alice', 0, 1);
		const {told} = telling({mtls: {cert, key}});
		expect(told).toEqual([]);
		pass(2);
		expect(told).toEqual([
			`our certificate 'CN=alice' expires on ${date(1, 0.75)}, in 6 hours: renew it today`,
			`our certificate 'CN=alice' expired on ${date(1, 1)}`,
		]);
	});
});

test('the same certificate, loaded again and again, is warned about once a day', async () => {
	const {cert, key} = await valid('alice', -300, 20);
	const {client, told, events} = telling({mtls: {cert, key}});
	for (let hour = 0; hour < 49; hour++) {
		await client.mtls.reload();
		pass(1 / 24);
	}
	expect(events.map(([day]) => day)).toEqual([0, 1, 2]);
	expect(told).toHaveLength(3);
});

test('a certificate that was replaced is warned about no more, and the new one is', async () => {
	const [old, next] = await Promise.all([valid('old', -300, 35), valid('next', -300, 50)]);
	let current = old;
	const identity = () => ({cert: current.cert, key: current.key});
	const {client, events} = telling({mtls: {identity}});
	pass(1);
	current = next;
	await client.mtls.reload();
	pass(30);
	expect(events).toEqual([[20, 'identity_expiring CN=next']]);
});

test('a client that is closed warns no more, and leaves no timer', async () => {
	const {cert, key} = await valid('alice', -300, 35);
	const {client, told} = telling({mtls: {cert, key}});
	expect(vi.getTimerCount()).toBe(1);
	await client.mtls.close();
	expect(vi.getTimerCount()).toBe(0);
	pass(50);
	expect(told).toEqual([]);
});

describe('of several identities', () => {
	const names = ['a', 'b', 'c', 'd'];
	const several = async (maxIdentities: number) => {
		const credentials = await Promise.all(
			names.map((name, index) => valid(name, -300, 31 + index)),
		);
		const mtls = credentials.map(({cert, key}, index) => ({
			cert,
			key,
			origins: [`https://${names[index]}.test`],
		}));
		const telling_ = telling({mtls, maxIdentities});
		const use = (name: string) =>
			telling_.client.mtls.agent.getName({host: `${name}.test`, port: 443});
		return {...telling_, use};
	};

	test('each identity in use is warned about, by one timer for all', async () => {
		const {events, use} = await several(10);
		expect(vi.getTimerCount()).toBe(0);
		for (const name of ['a', 'b', 'd']) {
			use(name);
			expect(vi.getTimerCount()).toBe(1);
		}
		pass(10);
		expect(events).toEqual([
			[1, 'identity_expiring CN=a'],
			[2, 'identity_expiring CN=b'],
			[4, 'identity_expiring CN=d'],
		]);
	});

	test('an identity that was dropped is warned about no more until it is used again', async () => {
		const {events, use} = await several(1);
		use('a');
		use('b');
		pass(3);
		expect(events).toEqual([[2, 'identity_expiring CN=b']]);
		use('a');
		expect(events.at(-1)).toEqual([3, 'identity_expiring CN=a']);
		expect(vi.getTimerCount()).toBe(1);
	});
});

test('the certificate for an https proxy is warned about as such, also when it is loaded', async () => {
	const {cert, key} = await valid('porter', -300, 10);
	const {told, warn} = telling({mtls: {proxy: {cert, key}}});
	pass(4);
	expect(told).toEqual([
		`our certificate for the proxy 'CN=porter' expires on ${date(10, 0)}, in 10 days: renew it`,
		`our certificate for the proxy 'CN=porter' expires on ${date(10, 3)}, in 7 days: renew it this week`,
	]);
	expect(warn).toHaveBeenLastCalledWith(
		expect.objectContaining({shownTo: 'proxy', daysLeft: 7}),
		expect.any(String),
	);
});

test('a process ends although its certificate is watched', async () => {
	vi.useRealTimers();
	const {cert, key} = await valid('alice', -300, 40);
	const program = `
		import {createClient} from '${new URL('../../src/index.ts', import.meta.url).href}';
		const client = createClient({mtls: ${JSON.stringify({cert, key})}});
		console.log(client.mtls.identity.subject);
	`;
	const argv = ['--no-warnings', '--input-type=module', '--eval', program];
	const cwd = fileURLToPath(new URL('../..', import.meta.url));
	const {stdout} = await promisify(execFile)(process.execPath, argv, {cwd, timeout: 15_000});
	expect(stdout).toBe('CN=alice\n');
});
