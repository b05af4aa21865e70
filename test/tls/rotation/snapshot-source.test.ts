import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {runInNewContext} from 'node:vm';
import {expect, onTestFinished, test, vi} from 'vitest';
import type {IdentityMaterial, MtlsOptions} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {SnapshotSource} from '../../../src/tls/rotation/snapshot-source.ts';

const pki = await createTestPki();
const alice = await pki.client({commonName: 'alice'});
const bob = await pki.client({commonName: 'bob'});
const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const pick = ({cert, key}: IdentityMaterial): IdentityMaterial => ({cert, key}) as IdentityMaterial;

function sourceOf(options: MtlsOptions, when: 'now' | 'later' = 'now') {
	const events = {
		counts: {fullHandshakes: 0, resumedHandshakes: 0, tunnels: 0},
		report: vi.fn(),
		onSnapshot: vi.fn(),
		onFailure: vi.fn(),
		onRetire: vi.fn(),
	};
	return {source: new SnapshotSource(options, 'mtls', events, when), events};
}

test('material that is available at once is loaded by the constructor, and published', () => {
	const {source, events} = sourceOf(pick(alice));
	expect(source.current?.identity?.subject).toBe('CN=alice');
	expect(source.current?.epoch).toBe(0);
	expect(events.onSnapshot).toHaveBeenCalledExactlyOnceWith(source.current, undefined);
	expect(source.take()).toBe(source.current);
});

test('a reload raises the epoch, retires the old snapshot, and publishes both', async () => {
	const {source, events} = sourceOf(pick(alice));
	const old = source.current;
	const next = await source.reload();
	expect(source.current).toBe(next);
	expect([old?.epoch, next.epoch]).toEqual([0, 1]);
	expect(old?.id).not.toBe(next.id);
	expect(old?.sessions).not.toBe(next.sessions);
	expect(events.onRetire).toHaveBeenCalledExactlyOnceWith(old);
	expect(events.onSnapshot).toHaveBeenLastCalledWith(next, old);
});

test('what is loaded later is checked now, and made when it is asked for', () => {
	const {source, events} = sourceOf(pick(alice), 'later');
	expect(source.current).toBeUndefined();
	expect(events.onSnapshot).not.toHaveBeenCalled();
	expect(source.take()).toBe(source.current);
	expect(() => sourceOf({cert: alice.cert, key: bob.key}, 'later')).toThrow(
		expect.objectContaining({code: 'ERR_MTLS_KEY_MISMATCH', option: 'mtls.key'}),
	);
});

test('what is released is retired, and loaded anew under another epoch when it is asked for', () => {
	const {source, events} = sourceOf(pick(alice));
	const old = source.current;
	source.release();
	expect(source.current).toBeUndefined();
	expect(events.onRetire).toHaveBeenCalledExactlyOnceWith(old);
	source.take();
	expect(source.current?.epoch).toBe(1);
	source.release();
	source.release();
	expect(events.onRetire).toHaveBeenCalledTimes(2);
});

test('all who wait for a loader wait for one answer', async () => {
	const identity = vi.fn(async () => pick(alice));
	const {source} = sourceOf({identity});
	expect(source.current).toBeUndefined();
	const [one, two] = await Promise.all([source.take(), source.take()]);
	expect(one).toBe(two);
	expect(identity).toHaveBeenCalledOnce();
});

test('a loader that failed at first is left alone for a second', async () => {
	const failure = new Error('sealed');
	const identity = vi.fn(() => Promise.reject(failure));
	const {source} = sourceOf({identity});
	await expect(source.take()).rejects.toBe(failure);
	await expect(source.take()).rejects.toBe(failure);
	expect(identity).toHaveBeenCalledOnce();

	const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_001);
	identity.mockResolvedValue(pick(alice) as never);
	expect((await source.take()).identity?.subject).toBe('CN=alice');
	now.mockRestore();
});

test('a loader that fails is asked at ever longer intervals, and the old identity stays', () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	let broken = false;
	const identity = vi.fn(() => {
		if (broken) throw new Error('sealed');
		return pick(alice);
	});
	const {source, events} = sourceOf({identity, reload: {everyMs: 100}});
	broken = true;
	vi.advanceTimersByTime(100 * 63);
	// After 1, 3, 7 and 15 turns off: in all 63 turns it was asked 6 times, not 63.
	expect(events.onFailure.mock.calls.length).toBeLessThanOrEqual(7);
	expect(events.onFailure.mock.calls.length).toBeGreaterThanOrEqual(4);
	expect(source.current?.identity?.subject).toBe('CN=alice');
	expect(events.onRetire).not.toHaveBeenCalled();
	source.close();
	vi.useRealTimers();
});

test('a loader that takes its time is not asked again meanwhile', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	let give: (material: IdentityMaterial) => void = () => {};
	const identity = vi.fn(
		(): IdentityMaterial | Promise<IdentityMaterial> =>
			new Promise((resolve) => {
				give = resolve;
			}),
	);
	identity.mockReturnValueOnce(pick(alice));
	const {source} = sourceOf({identity, reload: {everyMs: 100}});
	vi.advanceTimersByTime(1_000);
	expect(identity).toHaveBeenCalledTimes(2);
	give(pick(bob));
	await vi.waitFor(() => expect(source.current?.identity?.subject).toBe('CN=bob'));
	source.close();
	vi.useRealTimers();
});

// Seen: after `reload()` had taken up a new certificate the old one came back. Why: the loader had been
// asked at its turn before, and answered later. Now: an answer that was overtaken is dropped.
test('a loader that answers after a reload does not bring the old identity back', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	const gives: ((material: IdentityMaterial) => void)[] = [];
	const identity = vi.fn(
		(): IdentityMaterial | Promise<IdentityMaterial> =>
			new Promise((resolve) => {
				gives.push(resolve);
			}),
	);
	identity.mockReturnValueOnce(pick(alice));
	const {source, events} = sourceOf({identity, reload: {everyMs: 100}});
	vi.advanceTimersByTime(100);
	const reloaded = source.reload();
	await vi.waitFor(() => expect(gives).toHaveLength(2));
	gives[1]?.(pick(bob));
	await reloaded;
	gives[0]?.(pick(await pki.client({commonName: 'stale'})));
	await new Promise(setImmediate);
	expect(source.current?.identity?.subject).toBe('CN=bob');
	expect(events.onSnapshot).toHaveBeenCalledTimes(2);
	source.close();
	vi.useRealTimers();
});

// Seen: no rotation any more, and no word of it. Why: the loader had hung once, and was waited for for
// ever. Now: after 15 turns it is told, and asked again.
test('a loader that never answers is asked again', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	const identity = vi.fn((): IdentityMaterial | Promise<IdentityMaterial> => pick(bob));
	identity.mockReturnValueOnce(pick(alice)).mockReturnValueOnce(new Promise(() => {}));
	const {source, events} = sourceOf({identity, reload: {everyMs: 100}});
	vi.advanceTimersByTime(100 * 15);
	expect(identity).toHaveBeenCalledTimes(2);
	expect(events.onFailure).not.toHaveBeenCalled();
	vi.advanceTimersByTime(100);
	expect(events.onFailure).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({code: 'ETIMEDOUT'}),
		0,
	);
	vi.advanceTimersByTime(100 * 2);
	expect(source.current?.identity?.subject).toBe('CN=bob');
	source.close();
	vi.useRealTimers();
});

// Seen: no rotation any more, neither by itself nor by `reload()`. Why: one `reload()` had met a loader
// that hung, and each look and each later `reload()` waited for it. Now: it is given up as a look is.
test('a reload whose loader never answers is given up after 15 turns, and the looks go on', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	const identity = vi.fn((): IdentityMaterial | Promise<IdentityMaterial> => pick(bob));
	identity.mockReturnValueOnce(pick(alice)).mockReturnValueOnce(new Promise(() => {}));
	const {source, events} = sourceOf({identity, reload: {everyMs: 100}});
	const hung = source.reload();
	await vi.waitFor(() => expect(identity).toHaveBeenCalledTimes(2));
	vi.advanceTimersByTime(100 * 15);
	await expect(hung).rejects.toMatchObject({code: 'ETIMEDOUT'});
	expect(events.onFailure).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({code: 'ETIMEDOUT'}),
		0,
	);
	vi.advanceTimersByTime(100 * 2);
	expect(source.current?.identity?.subject).toBe('CN=bob');
	source.close();
	vi.useRealTimers();
});

test('a reload waits for no loader that hangs, and what it brings goes to those who wait for that', async () => {
	const gives: ((material: IdentityMaterial) => void)[] = [];
	const identity = vi.fn(
		(): IdentityMaterial | Promise<IdentityMaterial> =>
			new Promise((resolve) => {
				gives.push(resolve);
			}),
	);
	const {source, events} = sourceOf({identity});
	const waiting = source.take();
	identity.mockResolvedValueOnce(pick(bob));
	const taken = await source.reload();
	expect(await waiting).toBe(taken);
	expect(taken.identity?.subject).toBe('CN=bob');

	gives[0]?.(pick(alice));
	await new Promise(setImmediate);
	expect(source.current).toBe(taken);
	expect(events.onSnapshot).toHaveBeenCalledOnce();
});

test('an older answer serves until a newer one is there', async () => {
	const gives: ((material: IdentityMaterial) => void)[] = [];
	const identity = () =>
		new Promise<IdentityMaterial>((resolve) => {
			gives.push(resolve);
		});
	const {source} = sourceOf({identity});
	const waiting = source.take();
	const reloaded = source.reload();
	await vi.waitFor(() => expect(gives).toHaveLength(2));
	gives[0]?.(pick(alice));
	expect((await waiting).identity?.subject).toBe('CN=alice');
	gives[1]?.(pick(bob));
	expect((await reloaded).identity?.subject).toBe('CN=bob');
	expect(source.current).toBe(await reloaded);
});

test('a loader that has not answered for a minute is asked again by who needs it', async () => {
	const identity = vi.fn(async () => pick(alice));
	identity.mockReturnValueOnce(new Promise(() => {}));
	const {source} = sourceOf({identity});
	const waiting = source.take();
	const begun = performance.now();
	const now = vi.spyOn(performance, 'now').mockReturnValue(begun + 59_000);
	expect(source.take()).toBe(waiting);
	now.mockReturnValue(begun + 60_001);
	const taken = await source.take();
	now.mockRestore();
	expect(taken.identity?.subject).toBe('CN=alice');
	expect(await waiting).toBe(taken);
	expect(identity).toHaveBeenCalledTimes(2);
});

test('reloads that are asked for together are one', async () => {
	const identity = vi.fn(async () => pick(alice));
	const {source} = sourceOf({identity});
	const [one, ...others] = await Promise.all(Array.from({length: 5}, () => source.reload()));
	expect(new Set(others)).toEqual(new Set([one]));
	// The first was asked before, for whoever needs an identity at all.
	expect(identity).toHaveBeenCalledTimes(2);
	await source.reload();
	expect(identity).toHaveBeenCalledTimes(3);
});

// Seen: in a test runner with a realm of its own, a client without a certificate. Why: a promise of
// another make was taken for what the loader gives. Now: whatever has `then` is waited for.
test('a loader may give a promise of any make', async () => {
	const Foreign: PromiseConstructor = runInNewContext('Promise');
	const {source} = sourceOf({identity: () => Foreign.resolve(pick(alice))});
	expect((await source.take()).identity?.subject).toBe('CN=alice');
});

// Seen: an interval and watchers that nothing could end. Why: the loader answered after the client was
// closed, and its files were then watched.
test('material that is loaded after close() is not watched', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	for (const end of ['close', 'release'] as const) {
		let give: (material: IdentityMaterial) => void = () => {};
		const identity = () =>
			new Promise<IdentityMaterial>((resolve) => {
				give = resolve;
			});
		const {source} = sourceOf({identity, reload: true});
		const taken = source.take();
		source[end]();
		give(pick(alice));
		expect((await taken).identity?.subject).toBe('CN=alice');
		expect(vi.getTimerCount()).toBe(0);
	}
	vi.useRealTimers();
});

// Seen: with `maxIdentities: 1` and slow loaders any number of identities stayed loaded. Why: one that
// was released before it was there was kept when it came.
test('an identity that is released while it is loaded serves those who wait, and is not kept', async () => {
	const {source, events} = sourceOf({identity: async () => pick(alice)});
	const taken = source.take();
	source.release();
	const snapshot = await taken;
	expect(events.onRetire).toHaveBeenCalledExactlyOnceWith(snapshot);
	expect(source.current).toBeUndefined();

	const again = source.take();
	expect((await again).epoch).toBe(1);
	expect(source.current).toBe(await again);
});

test('a look that fails after the release does not stand in the way of the next load', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	let fail: (error: Error) => void = () => {};
	const identity = vi.fn((): IdentityMaterial | Promise<IdentityMaterial> => pick(alice));
	const {source, events} = sourceOf({identity, reload: {everyMs: 100}});
	identity.mockReturnValueOnce(
		new Promise((_, reject) => {
			fail = reject;
		}),
	);
	vi.advanceTimersByTime(100);
	source.release();
	fail(new Error('sealed'));
	await new Promise(setImmediate);
	expect((await source.take()).identity?.subject).toBe('CN=alice');
	expect(events.onFailure).not.toHaveBeenCalled();
	source.close();
	vi.useRealTimers();
});

// Seen: a request that failed with whatever a loader threw, token and all, and the next one with an
// AxiosError. Why: the first failure was thrown and the others were rejections.
test('a loader that throws when it is first needed rejects', async () => {
	const failure = new Error('sealed');
	const identity = () => {
		throw failure;
	};
	const {source} = sourceOf({identity}, 'later');
	await expect(source.take()).rejects.toBe(failure);
	await expect(source.take()).rejects.toBe(failure);
});

// Seen: a certificate that came a few seconds before its time, by two clocks, was never taken up. Why:
// what had failed was not tried again until its files changed.
test('files that could not be loaded are tried again, ever more rarely', async () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval', 'Date']});
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
	onTestFinished(() => rmSync(folder, {recursive: true}));
	const [cert, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
	const put = (credential: {cert: string; key: string}) => {
		writeFileSync(cert, credential.cert);
		writeFileSync(key, credential.key, {mode: 0o600});
	};
	put(alice);
	const {source, events} = sourceOf({cert, key, reload: {everyMs: 1_000}});
	const validFrom = new Date(Date.now() + 20_000);
	put(await pki.client({commonName: 'early', validFrom}));
	vi.advanceTimersByTime(1_000);
	expect(events.onFailure).toHaveBeenCalledOnce();
	vi.advanceTimersByTime(18_000);
	expect(events.onFailure.mock.calls.map(([{code}]) => code)).toEqual(
		Array.from({length: 4}, () => 'ERR_MTLS_IDENTITY_NOT_YET_VALID'),
	);
	expect(source.current?.identity?.subject).toBe('CN=alice');
	vi.advanceTimersByTime(20_000);
	expect(source.current?.identity?.subject).toBe('CN=early');
	source.close();
	vi.useRealTimers();
});

test.each<[string, unknown, string]>([
	['nothing', undefined, 'mtls.identity'],
	['a text', 'client.pem', 'mtls.identity'],
	['a list', [alice], 'mtls.identity'],
	['what has an unknown field', {...pick(alice), pins: 'x'}, 'mtls.identity.pins'],
	['a number for a certificate', {...pick(alice), cert: 5}, 'mtls.cert'],
	['null for a key', {...pick(alice), key: null}, 'mtls.key'],
	['a context without its certificate', {secureContext: {}}, 'mtls.cert'],
	['a context and a damaged certificate', {secureContext: {}, cert: damaged}, 'mtls.cert'],
	['a context and a key', {secureContext: {}, ...pick(alice)}, 'mtls.secureContext'],
])('a loader that gives %s is a mistake', async (_, given, option) => {
	const identity = () => given as IdentityMaterial;
	expect(() => sourceOf({identity})).toThrow(expect.objectContaining({option}));
	const {source} = sourceOf({identity: async () => identity()});
	await expect(source.take()).rejects.toMatchObject({name: 'MtlsConfigError', option});
});

test.each(['cert', 'key', 'pfx'] as const)('an identity that is fetched excludes %s', (name) => {
	expect(() => sourceOf({identity: () => pick(alice), [name]: alice.cert})).toThrow(
		expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.identity'}),
	);
});
