import type {Cookie} from 'tough-cookie';
import type {Entry} from './format.ts';

/** What two processes have made of one file. All by `idOf`. */
export interface Versions {
	/** The texts of the file as we last read or wrote it. */
	readonly base: ReadonlyMap<string, string>;
	/** The file as it is now. */
	readonly theirs: ReadonlyMap<string, Entry>;
	/** What we have set or removed since. */
	readonly changed: ReadonlySet<string>;
	/** The text of a cookie of ours; `undefined` for one that is no longer, or is not for the file. */
	ours(id: string): string | undefined;
}

export interface Merged {
	/** What the file becomes. */
	readonly texts: ReadonlyMap<string, string>;
	/** What others have set. */
	readonly arrived: readonly Cookie[];
	/** What others have removed. */
	readonly gone: readonly string[];
}

/** Unites two versions: who writes last has his way with a cookie, and with no other. */
export function mergeVersions({base, theirs, changed, ours}: Versions): Merged {
	const texts = new Map<string, string>();
	const arrived: Cookie[] = [];
	for (const [id, {text, cookie}] of theirs) {
		texts.set(id, text);
		if (!changed.has(id) && base.get(id) !== text) arrived.push(cookie);
	}
	for (const id of changed) {
		const text = ours(id);
		if (text === undefined) texts.delete(id);
		else texts.set(id, text);
	}
	const gone = [...base.keys()].filter((id) => !theirs.has(id) && !changed.has(id));
	return {texts, arrived, gone};
}
