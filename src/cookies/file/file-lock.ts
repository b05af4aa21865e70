/*
 * A lock under which several processes replace one file as a whole without losing each other's changes.
 *
 * The lock of NAME is the folder NAME.lock: the process with the only file in it may replace NAME. The
 * new content is written to that lock file, and renaming it to NAME releases the lock. So a process
 * that was too slow and lost its lock has lost its lock file too, and can overwrite nothing. The next
 * process removes the lock file of a killed one.
 *
 * proper-lockfile is no substitute: it listens to the signals of the whole process, decides by age alone
 * that an owner is dead, and two processes that find it dead can both take the lock.
 */
import {createHash, randomBytes} from 'node:crypto';
import {
	closeSync,
	existsSync,
	lstatSync,
	mkdirSync,
	openSync,
	readdirSync,
	readlinkSync,
	renameSync,
	rmdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {open, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout} from 'node:timers/promises';

/** The right to replace a file, and its new content. */
export class FileLock {
	readonly #target: string;
	readonly #path: string;

	constructor(target: string, path: string) {
		this.#target = target;
		this.#path = path;
	}

	/** Writes the new content, and flushes it to the disk. */
	async write(bytes: Buffer): Promise<void> {
		await writeFile(this.#path, bytes, {flag: 'r+', flush: true});
	}

	writeSync(bytes: Buffer): void {
		writeFileSync(this.#path, bytes, {flag: 'r+', flush: true});
	}

	/** Replaces the target, atomically, and so releases the lock. */
	commit(): void {
		renameSync(this.#path, this.#target);
	}

	/** Releases the lock; does nothing after {@link commit}. */
	release(): void {
		rmSync(this.#path, {force: true});
		try {
			rmdirSync(lockFolder(this.#target));
		} catch {
			// Another process has a file in it, or has removed it already.
		}
	}

	/** Whether `error` means that another process took this one for dead. */
	wasStolen(error: unknown): boolean {
		return codeOf(error) === 'ENOENT' && !existsSync(this.#path);
	}
}

/**
 * Waits for the lock of `target`.
 *
 * @returns `undefined` when another process still has it after `timeoutMs`.
 */
export async function acquireLock(
	target: string,
	timeoutMs: number,
): Promise<FileLock | undefined> {
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const lock = tryAcquire(target);
		if (lock !== undefined || performance.now() > deadline) return lock;
		await setTimeout(retryMs());
	}
}

/** The same, but blocks the event loop. */
export function acquireLockSync(target: string, timeoutMs: number): FileLock | undefined {
	const deadline = performance.now() + timeoutMs;
	const never = new Int32Array(new SharedArrayBuffer(4));
	for (;;) {
		const lock = tryAcquire(target);
		if (lock !== undefined || performance.now() > deadline) return lock;
		Atomics.wait(never, 0, 0, retryMs());
	}
}

/** Flushes the renames in the folder of `target`, where the system can, against a power failure. */
export async function flushFolder(target: string): Promise<void> {
	try {
		const folder = await open(dirname(target));
		await folder.sync().finally(() => folder.close());
	} catch {
		// Windows cannot open folders, and some file systems cannot flush them.
	}
}

// Two processes that begin at once may both find the folder empty; but then the one that looks last,
// after it made its file, sees the file of the first.
function tryAcquire(target: string): FileLock | undefined {
	const folder = lockFolder(target);
	if (locksOfOthers(folder).length > 0) return undefined;
	makeFolder(folder);
	const own = lockName();
	const path = join(folder, own);
	try {
		closeSync(openSync(path, 'wx', 0o600));
	} catch (error) {
		// The previous owner has just removed the folder.
		if (codeOf(error) === 'ENOENT') return undefined;
		throw error;
	}
	if (locksOfOthers(folder, own).length === 0) return new FileLock(target, path);
	rmSync(path, {force: true});
	return undefined;
}

function makeFolder(folder: string): void {
	try {
		mkdirSync(folder, {mode: 0o700});
	} catch (error) {
		if (codeOf(error) !== 'EEXIST') throw error;
		assertPrivate(folder);
	}
}

// Security: in /tmp any user can make the folder first, and then replace the lock file with one of his
// own, to which the cookies would be written.
function assertPrivate(folder: string): void {
	const stat = lstatSync(folder, {throwIfNoEntry: false});
	// Removed by the previous owner of the lock; or on Windows, where files have no such owner.
	if (stat === undefined || process.getuid === undefined) return;
	const isPrivate = stat.uid === process.getuid() && (stat.mode & 0o022) === 0;
	if (stat.isDirectory() && isPrivate) return;
	const code = stat.isDirectory() ? 'EPERM' : 'ENOTDIR';
	const message = `'${folder}' is not a folder of this user`;
	throw Object.assign(new Error(message), {code, path: folder});
}

/**
 * The lock files of other processes. Stale ones are removed, each by its own name. This process's file,
 * `own`, is not checked: by the clock of a file server it may look old from the start.
 */
function locksOfOthers(folder: string, own?: string): string[] {
	return readNames(folder).filter((name) => {
		if (name === own || !isLockName(name)) return false;
		const path = join(folder, name);
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

function lockFolder(target: string): string {
	return `${target}.lock`;
}

// Random, or processes that collide would collide again.
function retryMs(): number {
	return 2 + Math.random() * 15;
}

/** A lock file this old is stale. If that is wrong, its owner has to acquire the lock again. */
const staleMs = 10_000;

// Process, machine, and a random number.
const lockNamePattern = /^(\d+)-([0-9a-f]{12})-[0-9a-f]{12}$/;

/** A unique name for a lock file of this process. */
export function lockName(): string {
	return `${process.pid}-${machineId()}-${randomBytes(6).toString('hex')}`;
}

function isLockName(name: string): boolean {
	return lockNamePattern.test(name);
}

/** Whether the owner of a lock file will not finish: its process has ended, or had enough time. */
export function isStale(path: string, name: string): boolean {
	const [, pid, machine] = lockNamePattern.exec(name) ?? [];
	if (machine === machineId() && !isAlive(Number(pid))) return true;
	const stat = statSync(path, {throwIfNoEntry: false});
	// A time in the future: the clock was set back.
	return stat === undefined || Math.abs(Date.now() - stat.mtimeMs) > staleMs;
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it runs as another user.
		return codeOf(error) !== 'ESRCH';
	}
}

let ownMachineId: string | undefined;

/** Identifies the machine and container within which process ids are comparable. */
function machineId(): string {
	ownMachineId ??= createHash('sha256')
		.update(`${hostname()}\n${processNamespace()}`)
		.digest('hex')
		.slice(0, 12);
	return ownMachineId;
}

function processNamespace(): string {
	try {
		return readlinkSync('/proc/self/ns/pid');
	} catch {
		// Only Linux has them.
		return '';
	}
}

function codeOf(error: unknown): string | undefined {
	return (error as NodeJS.ErrnoException | null)?.code;
}
