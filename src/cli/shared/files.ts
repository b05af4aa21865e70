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
 * Creates or replaces a file. A reader sees the old or the new file, never half of one; a replaced file
 * gets the new mode.
 */
export function replaceFile(path: string, content: string, mode: number): void {
	const target = resolveLink(path);
	const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
	try {
		writeNew(temporary, content, mode);
		renameSync(temporary, target);
	} catch (error) {
		rmSync(temporary, {force: true});
		throw error;
	}
}

// A rename to the path of a symbolic link would replace the link.
function resolveLink(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}

/** The code of a failed file operation, such as `ENOENT`. */
export function fileErrorCode(error: unknown): string {
	const {code} = error as NodeJS.ErrnoException;
	return typeof code === 'string' ? code : 'unknown error';
}
