import {type FSWatcher, readdirSync, statSync, watch} from 'node:fs';
import {dirname, join} from 'node:path';
import type {MtlsOptions} from '../options.ts';
import {isPath} from './read-source.ts';
import {isCaSet} from './trust.ts';

/** The files that `options` are read from. */
export function filesOf({cert, key, pfx, ca, crl, proxy}: MtlsOptions): string[] {
	const sources = [cert, key, pfx, ca, crl].flat();
	const own = sources.filter((source) => isPath(source) && !isCaSet(source)) as string[];
	return proxy === undefined ? own : [...own, ...filesOf(proxy)];
}

/**
 * What files and directories look like from outside; it differs when one was written, or put in the
 * place of another, behind a symbolic link too.
 */
export function fingerprint(paths: readonly string[]): string {
	return paths.map((path) => [path, ...looks(path)].join(' ')).join('\n');
}

function looks(path: string): string[] {
	try {
		const stat = statSync(path, {bigint: true});
		const {dev, ino, size, mtimeNs, ctimeNs} = stat;
		const own = [dev, ino, size, mtimeNs, ctimeNs].join(':');
		return stat.isDirectory()
			? [own, ...readdirSync(path).flatMap((name) => looks(join(path, name)))]
			: [own];
	} catch (error) {
		return [(error as NodeJS.ErrnoException).code ?? 'unknown'];
	}
}

// A rotation is several steps, which tell of themselves one by one.
const settleMs = 50;

/** Calls `look` each time that files may have changed. Keeps no process alive. */
export class FileWatch {
	readonly #watchers: FSWatcher[] = [];
	readonly #timer: NodeJS.Timeout;
	#soon: NodeJS.Timeout | undefined;

	constructor(paths: readonly string[], everyMs: number, look: () => void) {
		this.#timer = setInterval(look, everyMs).unref();
		// The directory, not the file: what is renamed into its place is another file.
		for (const directory of new Set(paths.map((path) => dirname(path)))) {
			this.#listen(directory, () => {
				clearTimeout(this.#soon);
				this.#soon = setTimeout(look, settleMs).unref();
			});
		}
	}

	close(): void {
		clearInterval(this.#timer);
		clearTimeout(this.#soon);
		for (const watcher of this.#watchers) watcher.close();
	}

	#listen(directory: string, onChange: () => void): void {
		try {
			const watcher = watch(directory, {persistent: false}, onChange);
			// Such as a directory that is removed: then there is the interval.
			watcher.on('error', () => watcher.close());
			this.#watchers.push(watcher);
		} catch {
			// No such directory, or no inotify left: then there is the interval.
		}
	}
}
