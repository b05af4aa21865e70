import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {type ConnectTimeouts, ConnectTimer} from '../../src/connection/connect-timeout.ts';

beforeEach(() => {
	vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
});
afterEach(() => {
	vi.useRealTimers();
});

function watch(timeouts: ConnectTimeouts) {
	const expire = vi.fn<(error: Error) => void>();
	const watched = new ConnectTimer('a.test:443', timeouts, expire);
	return {
		watched,
		/** What expires within `ms`, in words. */
		after(ms: number) {
			vi.advanceTimersByTime(ms);
			return expire.mock.calls.map(([error]) => error.message);
		},
	};
}

test('a connection and its handshake share 60,000 ms by default', () => {
	const {watched, after} = watch({});
	expect(after(40_000)).toEqual([]);
	watched.connected();
	expect(after(19_999)).toEqual([]);
	expect(after(1)).toEqual(['no TLS handshake with a.test:443 within 60000 ms']);
});

test('the error of a connect timeout names the host and the limit', () => {
	const {after} = watch({});
	expect(after(59_999)).toEqual([]);
	expect(after(1)).toEqual(['no connection to a.test:443 within 60000 ms']);
});

test('connectMs and handshakeMs are separate deadlines where both are given', () => {
	const {watched, after} = watch({connectMs: 100, handshakeMs: 50});
	expect(after(99)).toEqual([]);
	watched.connected();
	expect(after(49)).toEqual([]);
	expect(after(1)).toEqual(['no TLS handshake with a.test:443 within 50 ms']);
});

test('a second attempt to connect has what is left of the first', () => {
	const {watched, after} = watch({connectMs: 100, handshakeMs: 50});
	watched.connected();
	expect(after(30)).toEqual([]);
	watched.connected();
	expect(after(19)).toEqual([]);
	expect(after(1)).toEqual(['no TLS handshake with a.test:443 within 50 ms']);
});

test('the step without an option of its own has 60,000 ms', () => {
	const slow = watch({connectMs: 100_000});
	expect(slow.after(99_999)).toEqual([]);
	slow.watched.connected();
	expect(slow.after(59_999)).toEqual([]);
	expect(slow.after(1)).toEqual(['no TLS handshake with a.test:443 within 60000 ms']);
	expect(watch({handshakeMs: 1}).after(59_999)).toEqual([]);
});

test('a limit of 0 waits for ever', () => {
	const {watched, after} = watch({connectMs: 0, handshakeMs: 0});
	expect(vi.getTimerCount()).toBe(0);
	watched.connected();
	expect(after(1_000_000)).toEqual([]);
});

test('a connect timer that is stopped leaves no timer behind', () => {
	const {watched} = watch({connectMs: 100});
	expect(vi.getTimerCount()).toBe(1);
	watched.connected();
	expect(vi.getTimerCount()).toBe(1);
	watched.stop();
	expect(vi.getTimerCount()).toBe(0);
});
