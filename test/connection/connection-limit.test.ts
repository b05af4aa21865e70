import {AsyncLocalStorage} from 'node:async_hooks';
import {getEventListeners} from 'node:events';
import {PassThrough} from 'node:stream';
import fc from 'fast-check';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {TimeoutError} from '../../src/connection/connect-timeout.ts';
import {ConnectionLimit, type WaitingRequest} from '../../src/connection/connection-limit.ts';
import type {ConnectionSlot} from '../../src/connection/connection-slot.ts';
import {connectionLimit} from '../../src/connection/connections.ts';

afterEach(() => {
	vi.useRealTimers();
});

const turn = () => new Promise(setImmediate);

/** A connection in a place, as a pool has it. */
interface Connection {
	readonly name: string;
	readonly place: ConnectionSlot;
	readonly socket: PassThrough;
}

/** A pool of one kind of connection on `limit`, which writes down what it does. */
function poolOn(limit: ConnectionLimit) {
	const log: string[] = [];
	const open: Connection[] = [];
	const idle = new Map<string, Connection[]>();
	let most = 0;

	async function connect(name: string, route: string, place: ConnectionSlot): Promise<Connection> {
		const socket = new PassThrough();
		const connection = {name, route, place, socket};
		open.push(connection);
		most = Math.max(most, open.length);
		socket.once('close', () => open.splice(open.indexOf(connection), 1));
		await place.hold(async () => socket);
		return connection;
	}
	const takeIdle = (route: string) => idle.get(route)?.shift();

	/** Asks for a connection. */
	function ask(name: string, route = 'a', given: Partial<WaitingRequest> = {}) {
		const {promise, resolve, reject} = Promise.withResolvers<Connection>();
		const leave = limit.wait({
			route,
			host: `${route}:443`,
			connectMs: undefined,
			fresh: false,
			reuse() {
				const found = takeIdle(route);
				if (found === undefined) return false;
				found.place.use();
				log.push(`${name} reuses ${found.name}`);
				resolve(found);
				return true;
			},
			begin(place) {
				log.push(`${name} begins`);
				resolve(connect(name, route, place));
			},
			expire: reject,
			...given,
		});
		return {promise, leave};
	}
	function rest(connection: Connection, route = 'a') {
		const list = idle.get(route) ?? [];
		idle.set(route, [...list, connection]);
		connection.place.rest(() => {
			log.push(`${connection.name} ends`);
			idle.set(route, idle.get(route)?.filter((other) => other !== connection) ?? []);
			connection.socket.destroy();
		});
	}
	return {
		ask,
		rest,
		log,
		get open() {
			return open.length;
		},
		get most() {
			return most;
		},
	};
}

describe('the bounds', () => {
	test.each([
		[{}, undefined],
		[{maxSockets: Number.POSITIVE_INFINITY}, undefined],
		[{maxTotalSockets: Number.POSITIVE_INFINITY}, undefined],
		[{maxSockets: 1}, expect.any(ConnectionLimit)],
		[{maxTotalSockets: 1}, expect.any(ConnectionLimit)],
		[{maxSockets: 2, maxTotalSockets: Number.POSITIVE_INFINITY}, expect.any(ConnectionLimit)],
	])('the bounds %o make a limit, or none', (bounds, limit) => {
		expect(connectionLimit(bounds)).toEqual(limit);
	});

	test.each([
		[{maxSockets: 2}, 'a'],
		[{maxTotalSockets: 2}, 'b'],
	])('the bounds %o let two connections begin, and the third wait', async (bounds, route) => {
		const limit = new ConnectionLimit(bounds);
		const pool = poolOn(limit);
		for (const [asked, open] of [
			[1, 1],
			[2, 2],
			[3, 2],
		] as const) {
			pool.ask(`${asked}`, asked === 2 ? route : 'a');
			await turn();
			expect(pool.open).toBe(open);
			expect(limit.contended).toBe(asked > 2);
		}
	});

	test('the bound of one route leaves the others alone', async () => {
		const pool = poolOn(new ConnectionLimit({maxSockets: 1}));
		for (const name of ['a1', 'a2', 'b1', 'b2', 'c1']) pool.ask(name, name[0]);
		await turn();
		expect(pool.log).toEqual(['a1 begins', 'b1 begins', 'c1 begins']);
	});

	test('a connection counts from its attempt to the close of its socket', async () => {
		const limit = new ConnectionLimit({maxSockets: 1});
		const place = limit.take('a') as ConnectionSlot;
		expect(limit.take('a')).toBeUndefined();
		const connecting = Promise.withResolvers<PassThrough>();
		const held = place.hold(() => connecting.promise);
		expect(limit.take('a')).toBeUndefined();
		const socket = new PassThrough();
		connecting.resolve(socket);
		await held;
		expect(limit.take('a')).toBeUndefined();
		socket.destroy();
		expect(limit.take('a')).toBeUndefined();
		await turn();
		expect(limit.take('a')).toBeDefined();
	});

	test('a slot is freed by a failed attempt, by a closed socket, and when it is released unused', async () => {
		const limit = new ConnectionLimit({maxSockets: 1});
		const failed = limit.take('a')?.hold(() => Promise.reject(new Error('refused')));
		await expect(failed).rejects.toThrow('refused');
		const closed = new PassThrough().destroy();
		await turn();
		await limit.take('a')?.hold(async () => closed);
		limit.take('a')?.releaseUnused();
		const held = limit.take('a');
		await held?.hold(async () => new PassThrough());
		held?.releaseUnused();
		expect(limit.take('a')).toBeUndefined();
	});
});

describe('who waits', () => {
	test('waiting requests are served in the order in which they came, over all routes', async () => {
		const pool = poolOn(new ConnectionLimit({maxTotalSockets: 1}));
		const asked = ['a1', 'b1', 'a2', 'c1', 'b2'].map((name) => pool.ask(name, name[0]));
		for (const {promise} of asked) (await promise).socket.destroy();
		expect(pool.log).toEqual(['a1', 'b1', 'a2', 'c1', 'b2'].map((name) => `${name} begins`));
		expect(pool.most).toBe(1);
	});

	test('a waiting request gets an idle connection rather than a new one', async () => {
		const pool = poolOn(new ConnectionLimit({maxSockets: 1}));
		const asked = ['1', '2', '3'].map((name) => pool.ask(name));
		for (const {promise} of asked) pool.rest(await promise);
		expect(pool.log).toEqual(['1 begins', '2 reuses 1', '3 reuses 1']);
	});

	test('a waiting request closes the connection of another route that is idle for longest', async () => {
		vi.useFakeTimers({toFake: ['performance']});
		const limit = new ConnectionLimit({maxTotalSockets: 3});
		const pool = poolOn(limit);
		const names = ['a', 'b', 'c'];
		const made = await Promise.all(names.map((name) => pool.ask(name, name).promise));
		for (const index of [1, 0, 2]) {
			pool.rest(made[index] as Connection, names[index]);
			vi.advanceTimersByTime(1);
		}
		await pool.ask('d', 'd').promise;
		await pool.ask('e', 'e').promise;
		expect(pool.log.slice(3)).toEqual(['b ends', 'd begins', 'a ends', 'e begins']);
		expect(pool.most).toBe(3);
	});

	test('a waiting request closes an idle connection of its own route that another pool keeps', async () => {
		const limit = new ConnectionLimit({maxSockets: 1});
		const [one, other] = [poolOn(limit), poolOn(limit)];
		one.rest(await one.ask('one').promise);
		await other.ask('other').promise;
		expect([...one.log, ...other.log]).toEqual(['one begins', 'one ends', 'other begins']);
	});

	test('a waiting request is not overtaken by a later one that could be served at once', async () => {
		const limit = new ConnectionLimit({maxTotalSockets: 1});
		const pool = poolOn(limit);
		const first = await pool.ask('a1', 'a').promise;
		const waiting = pool.ask('b1', 'b');
		pool.rest(first, 'a');
		pool.ask('a2', 'a');
		(await waiting.promise).socket.destroy();
		await turn();
		expect(pool.log).toEqual(['a1 begins', 'a1 ends', 'b1 begins', 'a2 begins']);
	});

	test('a request that waits for a full route lets the others pass', async () => {
		const pool = poolOn(new ConnectionLimit({maxSockets: 1, maxTotalSockets: 2}));
		for (const name of ['a1', 'a2', 'b1']) pool.ask(name, name[0]);
		await turn();
		expect(pool.log).toEqual(['a1 begins', 'b1 begins']);
	});

	test('a request that was given a stale connection goes first', async () => {
		const pool = poolOn(new ConnectionLimit({maxTotalSockets: 1}));
		const {socket} = await pool.ask('a1', 'a').promise;
		pool.ask('a2', 'a');
		pool.ask('b1', 'b');
		const again = [pool.ask('b2', 'b', {fresh: true}), pool.ask('a3', 'a', {fresh: true})];
		socket.destroy();
		for (const {promise} of again) (await promise).socket.destroy();
		await turn();
		expect(pool.log).toEqual(['a1 begins', 'b2 begins', 'a3 begins', 'a2 begins']);
	});

	test('a request that stops waiting leaves no slot and no turn behind', async () => {
		const limit = new ConnectionLimit({maxTotalSockets: 1});
		const pool = poolOn(limit);
		const {socket} = await pool.ask('a1', 'a').promise;
		const [leaving, staying] = [pool.ask('a2', 'a'), pool.ask('b1', 'b')];
		leaving.leave();
		leaving.leave();
		socket.destroy();
		(await staying.promise).socket.destroy();
		await turn();
		expect(pool.log).toEqual(['a1 begins', 'b1 begins']);
		expect(limit.contended).toBe(false);
		expect(limit.take('c')).toBeDefined();
	});

	test('a request that stops waiting makes way for those behind it', async () => {
		const pool = poolOn(new ConnectionLimit({maxSockets: 1, maxTotalSockets: 2}));
		await pool.ask('a1', 'a').promise;
		const blocked = await pool.ask('b1', 'b').promise;
		const leaving = pool.ask('c1', 'c');
		const behind = pool.ask('b2', 'b');
		leaving.leave();
		pool.rest(blocked, 'b');
		await behind.promise;
		expect(pool.log).toEqual(['a1 begins', 'b1 begins', 'b2 reuses b1']);
	});

	test('a waiting request is served in its own asynchronous context', async () => {
		const trace = new AsyncLocalStorage<string>();
		const limit = new ConnectionLimit({maxSockets: 1});
		const pool = poolOn(limit);
		const contexts: unknown[] = [];
		const note = () => contexts.push(trace.getStore());
		const first = trace.run('first', () => pool.ask('1'));
		const {socket} = await first.promise;
		trace.run('second', () =>
			pool.ask('2', 'a', {
				reuse: () => note() < 0,
				begin: (place) => {
					note();
					place.release();
				},
			}),
		);
		trace.run('first', () => socket.destroy());
		await turn();
		expect(new Set(contexts)).toEqual(new Set(['second']));
	});

	test('a request that waits for too long fails, and waits no more', async () => {
		vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
		const limit = new ConnectionLimit({maxSockets: 1});
		const pool = poolOn(limit);
		const {socket} = await pool.ask('1').promise;
		const late = pool.ask('2', 'a', {connectMs: 50}).promise.catch((error) => error);
		const patient = pool.ask('3', 'a', {connectMs: 0}).promise;
		vi.advanceTimersByTime(49);
		await turn();
		expect(vi.getTimerCount()).toBe(1);
		vi.advanceTimersByTime(1);
		const error = await late;
		expect(error).toBeInstanceOf(TimeoutError);
		expect(error).toMatchObject({
			code: 'ERR_MTLS_CONNECT_TIMEOUT',
			limitMs: 50,
			message: 'no free connection to a:443 within 50 ms',
		});
		socket.destroy();
		expect((await patient).place.waitedMs).toBe(50);
		expect(pool.log).toEqual(['1 begins', '3 begins']);
	});
});

describe('a connection that requests share', () => {
	const shared = (activeStreams: number) => ({activeStreams, retire: vi.fn()});

	test('a shared connection takes no more requests when another waits for its slot and none is idle', async () => {
		const limit = new ConnectionLimit({maxTotalSockets: 3});
		const pool = poolOn(limit);
		const [much, little, own] = await Promise.all(
			['a', 'b', 'c'].map((name) => pool.ask(name, name).promise),
		);
		const [busy, quiet] = [shared(5), shared(2)];
		much?.place.share(busy);
		little?.place.share(quiet);
		await turn();
		expect(quiet.retire).not.toHaveBeenCalled();
		const waiting = pool.ask('d', 'd');
		await turn();
		expect(quiet.retire).toHaveBeenCalledOnce();
		expect(busy.retire).not.toHaveBeenCalled();
		// What is idle by then is quicker.
		pool.rest(own as Connection, 'c');
		await waiting.promise;
		expect(pool.log.slice(3)).toEqual(['c ends', 'd begins']);
		expect(quiet.retire).toHaveBeenCalledOnce();
		expect(busy.retire).not.toHaveBeenCalled();
	});

	test('a shared connection goes on where an idle one can make room', async () => {
		const limit = new ConnectionLimit({maxTotalSockets: 2});
		const pool = poolOn(limit);
		const [one, other] = await Promise.all(['a', 'b'].map((name) => pool.ask(name, name).promise));
		const session = shared(1);
		one?.place.share(session);
		pool.rest(other as Connection, 'b');
		await pool.ask('c', 'c').promise;
		expect(session.retire).not.toHaveBeenCalled();
	});
});

describe('a place that is waited for by its signal', () => {
	const request = {route: 'a', host: 'a:443', connectMs: undefined, fresh: false};

	test('a slot is given in turn, not to a request that was cancelled, whose listener is gone', async () => {
		const limit = new ConnectionLimit({maxSockets: 1});
		const {signal} = new AbortController();
		const first = await limit.slotFor(request, signal);
		const controller = new AbortController();
		const given = limit.slotFor(request, controller.signal);
		const next = limit.slotFor(request, signal);
		controller.abort(new Error('enough'));
		await expect(given).rejects.toThrow('enough');
		first?.release();
		expect(await next).toBeDefined();
		expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
		expect(getEventListeners(signal, 'abort')).toHaveLength(0);
		await expect(limit.slotFor(request, AbortSignal.abort(new Error('before')))).rejects.toThrow(
			'before',
		);
		expect(limit.contended).toBe(false);
	});
});

test('random requests never have more connections than the bounds, and all are served', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({min: 1, max: 3}),
			fc.integer({min: 1, max: 5}),
			fc.array(
				fc.record({
					route: fc.constantFrom('a', 'b', 'c', 'd'),
					fresh: fc.boolean(),
					ending: fc.constantFrom('rest', 'close', 'leave'),
					pause: fc.boolean(),
				}),
				{maxLength: 40},
			),
			async (maxSockets, maxTotalSockets, story) => {
				const limit = new ConnectionLimit({maxSockets, maxTotalSockets});
				const pool = poolOn(limit);
				const ends = story.map(async ({route, fresh, ending, pause}, index) => {
					const {promise, leave} = pool.ask(`${route}${index}`, route, {fresh});
					if (ending === 'leave') {
						leave();
						return;
					}
					const connection = await promise;
					if (pause) await turn();
					if (ending === 'rest') pool.rest(connection, route);
					else connection.socket.destroy();
				});
				await Promise.all(ends);
				await turn();
				expect(pool.most).toBeLessThanOrEqual(maxTotalSockets);
				expect(limit.contended).toBe(false);
			},
		),
		{numRuns: 300},
	);
});
