import {createHash, randomBytes} from 'node:crypto';
import {readlinkSync, statSync} from 'node:fs';
import {hostname} from 'node:os';

/** A draft this old has been given up. To be wrong costs its owner another attempt. */
const staleMs = 10_000;

// Process, place, and a number of its own.
const pattern = /^(\d+)-([0-9a-f]{12})-[0-9a-f]{12}$/;

/** A name for a draft of this process, which no other draft has. */
export function lockName(): string {
	return `${process.pid}-${place()}-${randomBytes(6).toString('hex')}`;
}

export function isLockName(name: string): boolean {
	return pattern.test(name);
}

/** Whether nobody will finish a draft any more: its process has ended, or had time enough. */
export function isStale(path: string, name: string): boolean {
	const [, pid, where] = pattern.exec(name) ?? [];
	if (where === place() && !isAlive(Number(pid))) return true;
	const stat = statSync(path, {throwIfNoEntry: false});
	// A time in the future is a clock that was set back.
	return stat === undefined || Math.abs(Date.now() - stat.mtimeMs) > staleMs;
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it is there, and another user's.
		return (error as NodeJS.ErrnoException).code !== 'ESRCH';
	}
}

let known: string | undefined;

/** Where our process numbers mean something: this machine, and of its containers this one. */
function place(): string {
	known ??= createHash('sha256')
		.update(`${hostname()}\n${processSpace()}`)
		.digest('hex')
		.slice(0, 12);
	return known;
}

function processSpace(): string {
	try {
		return readlinkSync('/proc/self/ns/pid');
	} catch {
		// Only Linux has several.
		return '';
	}
}
