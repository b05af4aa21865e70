import {execFileSync} from 'node:child_process';
import {
	chmodSync,
	chownSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {
	acquireLock,
	acquireLockSync,
	type FileLock,
	isStale,
	lockName,
} from '../../../src/cookies/file/file-lock.ts';
import {tempFile} from '../../support/temp-file.ts';

function take(target: string): FileLock {
	const lock = acquireLockSync(target, 0);
	if (lock === undefined) throw new Error('it is taken');
	return lock;
}

/** The lock of a process that has ended; its name differs from ours in that alone. */
function draftOfDead(target: string): string {
	const pid = execFileSync(process.execPath, ['-p', 'process.pid'], {encoding: 'utf8'}).trim();
	return foreignDraft(target, lockName().replace(/^\d+/, pid));
}

function foreignDraft(target: string, name: string): string {
	mkdirSync(`${target}.lock`, {recursive: true, mode: 0o700});
	const path = join(`${target}.lock`, name);
	writeFileSync(path, 'half of');
	return path;
}

test('a lock becomes the file when it is committed, for the owner alone, and leaves nothing else', async () => {
	const target = tempFile('jar');
	writeFileSync(target, 'old', {mode: 0o644});
	const lock = take(target);
	await lock.write(Buffer.from('new'));
	expect(readFileSync(target, 'utf8')).toBe('old');

	lock.commit();
	lock.release();
	expect(readFileSync(target, 'utf8')).toBe('new');
	expect(statSync(target).mode & 0o777).toBe(0o600);
	expect(readdirSync(dirname(target))).toEqual(['jar']);
});

test('a lock that is released leaves the file, and nothing else', () => {
	const target = tempFile('jar');
	const lock = take(target);
	lock.writeSync(Buffer.from('new'));
	lock.release();
	expect(readdirSync(dirname(target))).toEqual([]);
});

test('a file has one lock at a time, also for those who do not wait', async () => {
	const target = tempFile('jar');
	const lock = take(target);
	expect(acquireLockSync(target, 0)).toBeUndefined();
	expect(await acquireLock(target, 0)).toBeUndefined();

	const next = acquireLock(target, 5_000);
	lock.release();
	(await next)?.release();
	expect(await next).toBeDefined();
});

test('the locks of two files do not wait for each other', () => {
	const target = tempFile('jar');
	take(target);
	expect(acquireLockSync(`${target}2`, 0)).toBeDefined();
});

test('the lock of a process that was killed is removed at once', () => {
	const target = tempFile('jar');
	const dead = draftOfDead(target);
	take(target).release();
	expect(existsSync(dead)).toBe(false);
	expect(readdirSync(dirname(target))).toEqual([]);
});

test('the lock of another machine is respected for ten seconds, and no longer', () => {
	const target = tempFile('jar');
	const elsewhere = foreignDraft(target, '4194305-000000000000-000000000000');
	expect(acquireLockSync(target, 0)).toBeUndefined();

	const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
	utimesSync(elsewhere, ago(9), ago(9));
	expect(acquireLockSync(target, 0)).toBeUndefined();
	utimesSync(elsewhere, ago(11), ago(11));
	expect(acquireLockSync(target, 0)).toBeDefined();
	expect(existsSync(elsewhere)).toBe(false);
});

test('a lock from the future counts as written before a clock was set back', () => {
	const target = tempFile('jar');
	const name = '4194305-000000000000-000000000000';
	const path = foreignDraft(target, name);
	utimesSync(path, new Date(Date.now() + 60_000), new Date(Date.now() + 60_000));
	expect(isStale(path, name)).toBe(true);
});

// Seen: nothing was saved on a file server whose clock went a minute ahead, nor in the tests of an app
// that set the time. Why: each lock looked given up from its beginning, also to who had made it.
test.each([-3_600, -11, 11, 3_600])(
	'a clock that is %d s from that of the files does not keep a process from saving',
	async (seconds) => {
		vi.useFakeTimers({toFake: ['Date'], now: Date.now() + seconds * 1_000});
		onTestFinished(() => void vi.useRealTimers());
		const target = tempFile('jar');
		const lock = take(target);
		await lock.write(Buffer.from('new'));
		lock.commit();
		lock.release();
		expect(readFileSync(target, 'utf8')).toBe('new');
		expect(readdirSync(dirname(target))).toEqual(['jar']);
	},
);

// A process that was stopped, or slept with its laptop, comes back when another has saved.
test('a process whose lock was taken over overwrites nothing, and fails', async () => {
	const target = tempFile('jar');
	const late = take(target);
	await late.write(Buffer.from('late'));
	const [name = ''] = readdirSync(`${target}.lock`);
	utimesSync(join(`${target}.lock`, name), new Date(0), new Date(0));
	const next = take(target);
	next.writeSync(Buffer.from('next'));
	next.commit();

	const lost = (act: () => void) => {
		try {
			act();
		} catch (error) {
			return late.wasStolen(error);
		}
		return false;
	};
	expect(lost(() => late.commit())).toBe(true);
	expect(lost(() => late.writeSync(Buffer.from('late')))).toBe(true);
	late.release();
	next.release();
	expect(readFileSync(target, 'utf8')).toBe('next');
});

test('an error other than a stolen lock is not reported as one', () => {
	const lock = take(tempFile('jar'));
	expect(lock.wasStolen(Object.assign(new Error('no'), {code: 'ENOENT'}))).toBe(false);
	expect(lock.wasStolen(Object.assign(new Error('no'), {code: 'ENOSPC'}))).toBe(false);
	lock.release();
	expect(lock.wasStolen(Object.assign(new Error('no'), {code: 'ENOSPC'}))).toBe(false);
});

// In a folder such as /tmp a stranger could make the lock first, and put a file of his own where we
// are about to write the cookies.
test('a lock that belongs to another user is not used, and one of this user is', () => {
	const codeFor = (prepare: (lock: string) => void) => {
		const target = tempFile('jar');
		prepare(`${target}.lock`);
		try {
			acquireLockSync(target, 0)?.release();
		} catch (error) {
			return (error as NodeJS.ErrnoException).code;
		}
		return 'taken';
	};
	const folder = (mode: number) => (lock: string) => {
		mkdirSync(lock);
		chmodSync(lock, mode);
	};
	expect(codeFor(folder(0o777))).toBe('EPERM');
	expect(codeFor(folder(0o720))).toBe('EPERM');
	expect(codeFor((lock) => symlinkSync(dirname(lock), lock))).toBe('ENOTDIR');
	expect(codeFor(folder(0o700))).toBe('taken');
	expect(codeFor(folder(0o755))).toBe('taken');
});

test.runIf(process.getuid?.() === 0)('the lock of another user is not used', () => {
	const target = tempFile('jar');
	mkdirSync(`${target}.lock`, {mode: 0o700});
	chownSync(`${target}.lock`, 65_534, 65_534);
	expect(() => acquireLockSync(target, 0)).toThrow(expect.objectContaining({code: 'EPERM'}));
});

test("foreign files in the lock's place are not removed, and do not block a save", () => {
	const target = tempFile('jar');
	const foreign = foreignDraft(target, '.DS_Store');
	take(target).release();
	expect(existsSync(foreign)).toBe(true);
});
