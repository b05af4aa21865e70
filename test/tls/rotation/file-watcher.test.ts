// In a process of its own: it replaces modules.
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, onTestFinished, test, vi} from 'vitest';
import {FileWatcher, fingerprint} from '../../../src/tls/rotation/file-watcher.ts';

// What the system tells of a directory comes when the test says so.
let tell: () => void = () => {};
let watched: string[] = [];
vi.mock('node:fs', async (importOriginal) => ({
	...(await importOriginal<typeof import('node:fs')>()),
	watch: (directory: string, _: object, listener: () => void) => {
		watched.push(directory);
		tell = listener;
		return {on() {}, close() {}};
	},
}));

let file: string;
const look = vi.fn();

beforeEach(() => {
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
	onTestFinished(() => rmSync(folder, {recursive: true}));
	file = join(folder, 'client.crt');
	writeFileSync(file, 'one');
	vi.useFakeTimers();
	look.mockReset();
	watched = [];
	const watching = new FileWatcher([file], fingerprint([file]), 60_000, look);
	onTestFinished(() => watching.close());
});
afterEach(() => vi.useRealTimers());

test('a change is looked at once it is 50 ms old', () => {
	writeFileSync(file, 'three');
	tell();
	vi.advanceTimersByTime(49);
	expect(look).not.toHaveBeenCalled();
	vi.advanceTimersByTime(1);
	expect(look).toHaveBeenCalledExactlyOnceWith('change');
});

// Seen: with its CA in a directory to which others wrote all the time, a vault was asked twenty times
// a second. Why: each event of the directory was taken for one of the file. Now: the file is looked at.
test('what is written beside the file is no change of it', () => {
	for (let i = 0; i < 20; i += 1) {
		tell();
		vi.advanceTimersByTime(100);
	}
	expect(look).not.toHaveBeenCalled();
	vi.advanceTimersByTime(60_000);
	expect(look).toHaveBeenCalledExactlyOnceWith('timer');
});

// Seen: a rotation took up to a minute where the certificate lies beside a busy log. Why: each event
// began the 50 ms anew. Now: a second after the first of them the file is looked at all the same.
test('a directory that never settles hides a change for a second', () => {
	writeFileSync(file, 'three');
	for (let elapsed = 0; elapsed < 990; elapsed += 10) {
		tell();
		vi.advanceTimersByTime(10);
	}
	expect(look).not.toHaveBeenCalled();
	tell();
	vi.advanceTimersByTime(10);
	expect(look).toHaveBeenCalledExactlyOnceWith('change');
});

// Seen: a CA that was put into a directory of them was believed a minute later. Why: what happens in a
// directory its own parent does not hear of.
test('a directory is listened to as well as the one that it is in', () => {
	const folder = join(file, '..');
	const watching = new FileWatcher([folder], '', 60_000, look);
	onTestFinished(() => watching.close());
	expect(watched.slice(1)).toEqual([join(folder, '..'), folder]);
});

// Seen: the look at a directory of CAs with two links to itself never ended. Why: it followed them
// down, where no file is read. Now: it looks no deeper than what is read.
test('a directory is looked at no deeper than its certificates are read', () => {
	const folder = join(file, '../ca');
	mkdirSync(join(folder, 'old'), {recursive: true});
	writeFileSync(join(folder, 'old/one.pem'), 'one');
	for (const name of ['here', 'there']) symlinkSync('.', join(folder, name));
	expect(fingerprint([folder]).split(/[ \n]/)).toHaveLength(5);
});
