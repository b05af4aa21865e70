import {basename, isAbsolute, relative} from 'node:path';
import {quote} from './sample-commands.ts';

export interface Started {
	/** The second word of `process.argv`. */
	readonly script: string | undefined;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
}

/**
 * What to type to start this program again: `axios-mtls` where that is on the PATH, `npx axios-mtls` where
 * npm has found it, or node with the path of the script.
 */
export function programName({script = '', env, cwd}: Started): string {
	// npm sets both for `npx`, and puts node_modules/.bin on the PATH for a script of package.json.
	if (env.npm_command === 'exec' || /[\\/]node_modules[\\/]/.test(script)) return 'npx axios-mtls';
	if (basename(script) === 'axios-mtls' || script === '') return 'axios-mtls';
	const path = relative(cwd, script);
	return `node ${quote(path.startsWith('..') || isAbsolute(path) ? script : path)}`;
}
