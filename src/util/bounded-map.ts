/** How much a {@link BoundedMap} keeps. */
export interface Bounds {
	readonly maxEntries: number;
	/** Of all entries together, by the sizes that `set` was given. */
	readonly maxBytes: number;
	/** A larger entry is not kept at all. @defaultValue an eighth of `maxBytes` */
	readonly maxEntryBytes?: number;
}

interface Entry<V> {
	readonly value: V;
	readonly bytes: number;
}

/**
 * A cache with a budget in entries and in bytes: what was set first goes first.
 *
 * Security: what another side can make large, or many, is counted in bytes. A bound on entries alone
 * is none.
 */
export class BoundedMap<K, V> {
	readonly #entries = new Map<K, Entry<V>>();
	readonly #maxEntries: number;
	readonly #maxBytes: number;
	readonly #maxEntryBytes: number;
	#bytes = 0;

	constructor({maxEntries, maxBytes, maxEntryBytes = maxBytes / 8}: Bounds) {
		this.#maxEntries = maxEntries;
		this.#maxBytes = maxBytes;
		this.#maxEntryBytes = Math.min(maxEntryBytes, maxBytes);
	}

	get size(): number {
		return this.#entries.size;
	}

	/** Of all entries, as `set` was told. */
	get bytes(): number {
		return this.#bytes;
	}

	get(key: K): V | undefined {
		return this.#entries.get(key)?.value;
	}

	/** @param bytes - What the entry holds in memory, its key included; a good estimate will do. */
	set(key: K, value: V, bytes: number): void {
		this.delete(key);
		if (bytes > this.#maxEntryBytes) return;
		this.#entries.set(key, {value, bytes});
		this.#bytes += bytes;
		for (const oldest of this.#entries.keys()) {
			if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
			this.delete(oldest);
		}
	}

	delete(key: K): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		this.#entries.delete(key);
		this.#bytes -= entry.bytes;
	}

	*values(): Generator<V> {
		for (const {value} of this.#entries.values()) yield value;
	}

	clear(): void {
		this.#entries.clear();
		this.#bytes = 0;
	}
}
