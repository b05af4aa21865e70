import {statSync} from 'node:fs';

/**
 * The mode of a file that users besides its owner may read; `undefined` for any other. As in ssh, it skips
 * Windows, where the mode has no meaning, and files of another user, who decides about them.
 */
export function exposedMode(path: string): number | undefined {
	if (process.platform === 'win32') return undefined;
	const stat = statSync(path, {throwIfNoEntry: false});
	if (stat === undefined || !stat.isFile() || stat.uid !== process.getuid?.()) return undefined;
	const mode = stat.mode & 0o777;
	return (mode & 0o077) === 0 ? undefined : mode;
}
