import {type FSWatcher, readdirSync, statSync, watch} from 'node:fs';
import {dirname, join} from 'node:path';
import type {MtlsOptions} from '../../options/mtls.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {isDirectory, pathOf} from '../credentials/read-input.ts';
import {isCaSet} from '../trust/ca.ts';

/** The files and directories that `options` name. */
export function filesOf({cert, key, pfx, ca, crl, proxy}: MtlsOptions): string[] {
	const sources = [cert, key, pfx, ca, crl].flat();
	const own = sources
		.filter((source) => !isCaSet(source))
		.map(pathOf)
		.filter((path) => path !== undefined);
	return proxy === undefined ? own : [...own, ...filesOf(proxy)];
}

/**
 * Identifies the state of files and directories by their metadata: it changes when one was written or
 * replaced, also behind a symbolic link.
 */
export function fingerprint(paths: readonly string[]): string {
	return paths.map((path) => [path, ...statOf(path)].join(' ')).join('\n');
}

function statOf(path: string, within?: string): string[] {
	try {
		const stat = statSync(path, {bigint: true});
		const {dev, ino, size, mtimeNs, ctimeNs} = stat;
		const own = [dev, ino, size, mtimeNs, ctimeNs].join(':');
		// One level only: a link may lead back up.
		return stat.isDirectory() && within === undefined
			? [own, ...readdirSync(path).flatMap((name) => statOf(join(path, name), path))]
			: [own];
	} catch (error) {
		return [(error as NodeJS.ErrnoException).code ?? 'unknown'];
	}
}

// How long to wait after the last event: a rotation is several steps, each with an event of its own.
const settleMs = 50;

// The longest wait: a directory that is written to all the time never settles.
const unsettledMs = 1_000;

/**
 * Calls `poll` at each interval, and when one of the files has changed; events of other files in the same
 * directory are ignored. Does not keep the process alive.
 */
export class FileWatcher {
	readonly #watchers: FSWatcher[] = [];
	readonly #timer: NodeJS.Timeout;
	#settled: NodeJS.Timeout | undefined;
	/** When the first event since the last check came. */
	#since: number | undefined;

	/** @param seen - The {@link fingerprint} of what was loaded. */
	constructor(
		paths: readonly string[],
		seen: string,
		everyMs: number,
		poll: (why: 'timer' | 'change') => void,
	) {
		this.#timer = setInterval(() => poll('timer'), everyMs).unref();
		let last = seen;
		const onSettled = () => {
			this.#since = undefined;
			const now = fingerprint(paths);
			if (now === last) return;
			last = now;
			poll('change');
		};
		// Watches the directory, because a file that is renamed over the old one is another file.
		const directories = paths.flatMap((path) => [
			dirname(path),
			...(isDirectory(path) ? [path] : []),
		]);
		for (const directory of new Set(directories)) {
			this.#listen(directory, () => {
				const now = performance.now();
				this.#since ??= now;
				clearTimeout(this.#settled);
				const restMs = Math.min(settleMs, this.#since + unsettledMs - now);
				this.#settled = setTimeout(onSettled, Math.max(0, restMs)).unref();
			});
		}
	}

	close(): void {
		clearInterval(this.#timer);
		clearTimeout(this.#settled);
		for (const watcher of this.#watchers) watcher.close();
	}

	#listen(directory: string, onChange: () => void): void {
		try {
			const watcher = watch(directory, withoutPrototype({persistent: false}), onChange);
			// A directory was removed, for example: the interval remains.
			watcher.on('error', () => watcher.close());
			this.#watchers.push(watcher);
		} catch {
			// No such directory, or no inotify left: the interval remains.
		}
	}
}
