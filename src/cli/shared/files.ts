import {randomBytes} from 'node:crypto';
import {
	closeSync,
	fsyncSync,
	openSync,
	realpathSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';

/** Readable by its owner alone. */
export const privateMode = 0o600;

/** Makes a file that does not exist yet; `EEXIST` when it does. */
export function writeNew(path: string, content: string, mode: number): void {
	const file = openSync(path, 'wx', mode);
	try {
		writeFileSync(file, content);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

/**
 * Puts a whole new file in the place of an old one, or of none: a reader sees the one or the other,
 * never half of it, and the mode is the new one's.
 */
export function replaceFile(path: string, content: string, mode: number): void {
	const target = resolveLink(path);
	const draft = `${target}.${randomBytes(6).toString('hex')}.tmp`;
	try {
		writeNew(draft, content, mode);
		renameSync(draft, target);
	} catch (error) {
		rmSync(draft, {force: true});
		throw error;
	}
}

// A rename onto a symbolic link would replace the link and leave the file that it names as it was.
function resolveLink(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}

/** `ENOENT`, or what else a file operation failed with; never the content of the file. */
export function fileErrorCode(error: unknown): string {
	const {code} = error as NodeJS.ErrnoException;
	return typeof code === 'string' ? code : 'unknown error';
}
