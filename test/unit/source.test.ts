import {expect, test, vi} from 'vitest';
import type {IdentityMaterial, MtlsOptions} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {SnapshotSource} from '../../src/tls/source.ts';

const pki = await createTestPki();
const alice = await pki.client({commonName: 'alice'});
const bob = await pki.client({commonName: 'bob'});
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

test('what is there at once is loaded by the constructor, and told', () => {
	const {source, events} = sourceOf(pick(alice));
	expect(source.current?.identity?.subject).toBe('CN=alice');
	expect(source.current?.epoch).toBe(0);
	expect(events.onSnapshot).toHaveBeenCalledExactlyOnceWith(source.current, undefined);
	expect(source.take()).toBe(source.current);
});

test('a reload raises the epoch, retires the old snapshot, and tells both', async () => {
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

test.each<[string, unknown, string]>([
	['nothing', undefined, 'mtls.identity'],
	['a text', 'client.pem', 'mtls.identity'],
	['a list', [alice], 'mtls.identity'],
	['what has an unknown field', {...pick(alice), pins: 'x'}, 'mtls.identity.pins'],
	['a context without its certificate', {secureContext: {}}, 'mtls.cert'],
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
