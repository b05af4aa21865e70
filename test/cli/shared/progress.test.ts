import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {startProgress} from '../../../src/cli/shared/progress.ts';
import {fakeIo} from '../../support/fake-io.ts';

beforeEach(() => {
	vi.useFakeTimers({
		toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
	});
});
afterEach(() => {
	vi.useRealTimers();
});

function terminal(columns = 80) {
	const io = fakeIo();
	Object.assign(io.stderr, {isTTY: true, columns});
	return io;
}

/** What a terminal shows after a text with its erasures. */
const shown = (text: string) => text.split('\r\u001b[K').at(-1);

test('work of less than 400 ms shows nothing, and longer work shows itself', () => {
	const io = terminal();
	const progress = startProgress(io, 'making keys');
	vi.advanceTimersByTime(399);
	expect(io.err()).toBe('');
	vi.advanceTimersByTime(1);
	expect(shown(io.err())).toBe('making keys …');
	vi.advanceTimersByTime(2000);
	expect(shown(io.err())).toBe('making keys … 2 s');
	progress.update('signing');
	expect(shown(io.err())).toBe('signing … 2 s');
	progress.stop();
	expect(shown(io.err())).toBe('');
	expect(io.out()).toBe('');
});

test('work that ended in time leaves nothing, and no timer', () => {
	const io = terminal();
	startProgress(io, 'making keys').stop();
	vi.advanceTimersByTime(10_000);
	expect(io.err()).toBe('');
	expect(vi.getTimerCount()).toBe(0);
});

test('nothing is written after the end', () => {
	const io = terminal();
	const progress = startProgress(io, 'making keys');
	vi.advanceTimersByTime(1000);
	progress.stop();
	const before = io.err();
	vi.advanceTimersByTime(10_000);
	progress.stop();
	expect(io.err()).toBe(before);
	expect(vi.getTimerCount()).toBe(0);
});

test('a file or a pipe gets nothing', () => {
	const io = fakeIo();
	const progress = startProgress(io, 'making keys');
	vi.advanceTimersByTime(10_000);
	progress.update('signing');
	progress.stop();
	expect(io.err()).toBe('');
	expect(vi.getTimerCount()).toBe(0);
});

test('the line is cut to the width of the terminal, so that it can be erased', () => {
	const io = terminal(12);
	const progress = startProgress(io, 'making many keys');
	vi.advanceTimersByTime(400);
	expect(shown(io.err())).toBe('making many');
	progress.stop();
});
