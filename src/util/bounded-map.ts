/** The limits of a {@link BoundedMap}. */
export interface Bounds {
	readonly maxEntries: number;
	/** The limit on the sum of the sizes given to `set`. */
	readonly maxBytes: number;
	/** A larger entry is not kept at all. @defaultValue an eighth of `maxBytes` */
	readonly maxEntryBytes?: number;
}

interface Entry<V> {
	readonly value: V;
	readonly bytes: number;
}

/**
 * A cache with a limit on entries and on bytes: the entry that was set first is evicted first.
 *
 * Security: where a peer decides how large or how many the entries are, a limit on their number alone
 * does not limit the memory.
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

	/** The sum of the sizes given to `set`. */
	get bytes(): number {
		return this.#bytes;
	}

	get(key: K): V | undefined {
		return this.#entries.get(key)?.value;
	}

	/** @param bytes - Estimated memory of the entry, its key included. */
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
