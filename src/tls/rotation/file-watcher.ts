import {type FSWatcher, readdirSync, statSync, watch} from 'node:fs';
import {dirname, join} from 'node:path';
import type {MtlsOptions} from '../../options.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {isDirectory, isPath} from '../credentials/read-input.ts';
import {isCaSet} from '../trust/ca.ts';

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

function looks(path: string, within?: string): string[] {
	try {
		const stat = statSync(path, {bigint: true});
		const {dev, ino, size, mtimeNs, ctimeNs} = stat;
		const own = [dev, ino, size, mtimeNs, ctimeNs].join(':');
		// Of what is below it no more is read than of files; a link may lead back up.
		return stat.isDirectory() && within === undefined
			? [own, ...readdirSync(path).flatMap((name) => looks(join(path, name), path))]
			: [own];
	} catch (error) {
		return [(error as NodeJS.ErrnoException).code ?? 'unknown'];
	}
}

// A rotation is several steps, which tell of themselves one by one.
const settleMs = 50;

// In a directory where something is written all the time it never settles.
const unsettledMs = 1_000;

/**
 * Calls `look` at each turn, and each time that files have changed: there may be other files in their
 * directories. Keeps no process alive.
 */
export class FileWatch {
	readonly #watchers: FSWatcher[] = [];
	readonly #timer: NodeJS.Timeout;
	#soon: NodeJS.Timeout | undefined;
	/** When the first event came that nobody has looked at. */
	#since: number | undefined;

	/** @param seen - The {@link fingerprint} of what was loaded. */
	constructor(
		paths: readonly string[],
		seen: string,
		everyMs: number,
		look: (why: 'turn' | 'change') => void,
	) {
		this.#timer = setInterval(() => look('turn'), everyMs).unref();
		let last = seen;
		const onSettled = () => {
			this.#since = undefined;
			const now = fingerprint(paths);
			if (now === last) return;
			last = now;
			look('change');
		};
		// The directory, not the file: what is renamed into its place is another file.
		const directories = paths.flatMap((path) => [
			dirname(path),
			...(isDirectory(path) ? [path] : []),
		]);
		for (const directory of new Set(directories)) {
			this.#listen(directory, () => {
				const now = performance.now();
				this.#since ??= now;
				clearTimeout(this.#soon);
				const restMs = Math.min(settleMs, this.#since + unsettledMs - now);
				this.#soon = setTimeout(onSettled, Math.max(0, restMs)).unref();
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
			const watcher = watch(directory, withoutPrototype({persistent: false}), onChange);
			// Such as a directory that is removed: then there is the interval.
			watcher.on('error', () => watcher.close());
			this.#watchers.push(watcher);
		} catch {
			// No such directory, or no inotify left: then there is the interval.
		}
	}
}
