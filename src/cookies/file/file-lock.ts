/*
 * How several processes replace one file, each the whole of it, without losing what another wrote.
 *
 * The lock is the folder NAME.lock: whoever has the only file in it may replace NAME. That file is
 * also the draft of the new content, and to move it into place is to give the lock back. So a
 * process that was too slow and lost its lock has lost its draft with it, and can overwrite nothing;
 * and one that was killed leaves nothing behind that the next does not clear away.
 *
 * Ours, not proper-lockfile: that one listens to the signals of the whole process, judges a dead
 * owner by age alone, and two who find one dead can both take its place.
 */
import {
	closeSync,
	existsSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmdirSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {open, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {isLockName, isStale, lockName} from './lock-name.ts';

/** The next content of a file, and the right to put it there. */
export class FileLock {
	readonly #target: string;
	readonly #path: string;

	constructor(target: string, path: string) {
		this.#target = target;
		this.#path = path;
	}

	/** Writes the content, through to the disk. */
	async write(bytes: Buffer): Promise<void> {
		await writeFile(this.#path, bytes, {flag: 'r+', flush: true});
	}

	fillNow(bytes: Buffer): void {
		writeFileSync(this.#path, bytes, {flag: 'r+', flush: true});
	}

	/** Takes the place of the target, in one step. */
	commit(): void {
		renameSync(this.#path, this.#target);
	}

	/** Gives the right back; does nothing to a draft that has taken its place. */
	release(): void {
		rmSync(this.#path, {force: true});
		try {
			rmdirSync(lockOf(this.#target));
		} catch {
			// Another process has begun its draft, or has removed the folder already.
		}
	}

	/** Whether `error` means that another process took us for dead. */
	wasStolen(error: unknown): boolean {
		return codeOf(error) === 'ENOENT' && !existsSync(this.#path);
	}
}

/**
 * Waits until nobody else is about to replace `target`.
 *
 * @returns `undefined` when that is still so after `patienceMs`.
 */
export async function acquireLock(
	target: string,
	patienceMs: number,
): Promise<FileLock | undefined> {
	const deadline = performance.now() + patienceMs;
	for (;;) {
		const draft = tryDraft(target);
		if (draft !== undefined || performance.now() > deadline) return draft;
		await setTimeout(pauseMs());
	}
}

/** The same where there is no event loop to wait in. */
export function acquireLockSync(target: string, patienceMs: number): FileLock | undefined {
	const deadline = performance.now() + patienceMs;
	const never = new Int32Array(new SharedArrayBuffer(4));
	for (;;) {
		const draft = tryDraft(target);
		if (draft !== undefined || performance.now() > deadline) return draft;
		Atomics.wait(never, 0, 0, pauseMs());
	}
}

/** Makes the renames in a folder last through a power failure, where the system can. */
export async function flushFolder(target: string): Promise<void> {
	try {
		const folder = await open(dirname(target));
		await folder.sync().finally(() => folder.close());
	} catch {
		// Windows opens no folders, and some file systems flush none.
	}
}

// Of two who begin at once neither may have seen the other; but then the one who looks last does.
function tryDraft(target: string): FileLock | undefined {
	const lock = lockOf(target);
	if (livingDrafts(lock).length > 0) return undefined;
	makeFolder(lock);
	const own = lockName();
	const path = join(lock, own);
	try {
		closeSync(openSync(path, 'wx', 0o600));
	} catch (error) {
		// Whoever had the lock before has just removed its folder.
		if (codeOf(error) === 'ENOENT') return undefined;
		throw error;
	}
	if (livingDrafts(lock, own).length === 0) return new FileLock(target, path);
	rmSync(path, {force: true});
	return undefined;
}

function makeFolder(lock: string): void {
	try {
		mkdirSync(lock, {mode: 0o700});
	} catch (error) {
		if (codeOf(error) !== 'EEXIST') throw error;
		assertOurs(lock);
	}
}

// Security: in /tmp anybody can make the folder before us, and would exchange the draft for a file of
// his own, to which we would write the cookies.
function assertOurs(lock: string): void {
	const stat = lstatSync(lock, {throwIfNoEntry: false});
	// Removed by whoever had the lock; or there are no owners, on Windows.
	if (stat === undefined || process.getuid === undefined) return;
	const isOurs = stat.uid === process.getuid() && (stat.mode & 0o022) === 0;
	if (stat.isDirectory() && isOurs) return;
	const code = stat.isDirectory() ? 'EPERM' : 'ENOTDIR';
	throw Object.assign(new Error(`'${lock}' is no folder of ours`), {code, path: lock});
}

/**
 * The drafts of others in a lock, without those that were given up: these are removed, each by its
 * own name. Ours is not judged: by the clock of a file server it may look old from its beginning.
 */
function livingDrafts(lock: string, own?: string): string[] {
	return readNames(lock).filter((name) => {
		if (name === own || !isLockName(name)) return false;
		const path = join(lock, name);
		if (!isStale(path, name)) return true;
		rmSync(path, {force: true});
		return false;
	});
}

function readNames(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch (error) {
		if (codeOf(error) === 'ENOENT') return [];
		throw error;
	}
}

function lockOf(target: string): string {
	return `${target}.lock`;
}

// Not the same for all, or those who collide would collide again.
function pauseMs(): number {
	return 2 + Math.random() * 15;
}

function codeOf(error: unknown): string | undefined {
	return (error as NodeJS.ErrnoException | null)?.code;
}
