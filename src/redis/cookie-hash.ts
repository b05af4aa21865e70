import {type Cookie, pathMatch, permuteDomain} from 'tough-cookie';
import type {CookieCounts} from '../cookies/eviction.ts';
import {type CookieCipher, DecryptionError} from './encryption.ts';
import {RedisJarError} from './error.ts';
import type {WithTimeout} from './options.ts';
import {
	type CookieId,
	type CookieRecord,
	fieldOf,
	fieldPrefix,
	parseField,
	readRecord,
	ttlOf,
	writeRecord,
} from './record.ts';
import {putScript, removeByPrefixScript, removeUnchangedScript} from './scripts.ts';

export interface CookieHashSettings {
	readonly withTimeout: WithTimeout;
	readonly cipher: CookieCipher;
	/** The key of the hash. */
	readonly prefix: string;
	/** How long session cookies are kept. */
	readonly sessionMs: number;
}

const notACookie = {reason: 'not-a-cookie', message: 'it is not a cookie'} as const;

/** The cookies of one session: a hash with one field for each cookie. Each method is one command. */
export class CookieHash {
	readonly #settings: CookieHashSettings;
	#counts: CookieCounts | undefined;

	constructor(settings: CookieHashSettings) {
		this.#settings = settings;
	}

	/** The number of cookies by domain when all were last read, expired ones included. */
	get counts(): CookieCounts | undefined {
		return this.#counts;
	}

	async find(id: CookieId): Promise<Cookie | undefined> {
		const {withTimeout, prefix} = this.#settings;
		const field = fieldOf(id);
		const value = await withTimeout((redis) => redis.hGet(prefix, field));
		if (value === null) return undefined;
		return this.#unexpired([[field, value]])[0];
	}

	/** The cookies that match the host and, if given, the path (RFC 6265 §5.1.3, §5.1.4). */
	async findFor(
		host: string,
		path: string | undefined,
		allowSpecialUseDomain: boolean,
	): Promise<Cookie[]> {
		const domains = permuteDomain(host, allowSpecialUseDomain) ?? [host];
		return this.#select(
			(id) => domains.includes(id.domain) && (path === undefined || pathMatch(path, id.path)),
		);
	}

	/** All cookies, in the order of creation. */
	async all(): Promise<Cookie[]> {
		const cookies = await this.#select(() => true);
		return cookies.sort((a, b) => createdAt(a) - createdAt(b) || a.creationIndex - b.creationIndex);
	}

	async put(cookie: Cookie, id: CookieId): Promise<void> {
		const {withTimeout, cipher, prefix, sessionMs} = this.#settings;
		const now = Date.now();
		const ttlMs = ttlOf(cookie, sessionMs, now);
		const field = fieldOf(id);
		const value = cipher.encrypt(
			writeRecord({cookie, until: now + ttlMs}),
			this.#associatedData(field),
		);
		await withTimeout((redis) =>
			// A duration rather than a time: the clock of the server may differ.
			redis.eval(putScript, {keys: [prefix], arguments: [field, value, String(ttlMs)]}),
		);
	}

	async remove(id: CookieId): Promise<void> {
		const {withTimeout, prefix} = this.#settings;
		await withTimeout((redis) => redis.hDel(prefix, fieldOf(id)));
	}

	async removeByPrefix(domain: string, path: string | undefined): Promise<void> {
		const {withTimeout, prefix} = this.#settings;
		const fields = fieldPrefix(domain, path);
		await withTimeout((redis) =>
			redis.eval(removeByPrefixScript, {keys: [prefix], arguments: [fields]}),
		);
	}

	async removeAll(): Promise<void> {
		const {withTimeout, prefix} = this.#settings;
		await withTimeout((redis) => redis.del(prefix));
	}

	async #select(isWanted: (id: CookieId) => boolean): Promise<Cookie[]> {
		const {withTimeout, prefix} = this.#settings;
		const entries = Object.entries(await withTimeout((redis) => redis.hGetAll(prefix)));
		const counts = new Map<string, number>();
		const found = entries.filter(([field]) => {
			const id = parseField(field);
			if (id === undefined) return false;
			counts.set(id.domain, (counts.get(id.domain) ?? 0) + 1);
			return isWanted(id);
		});
		this.#counts = counts;
		return this.#unexpired(found);
	}

	#unexpired(entries: readonly (readonly [field: string, value: string])[]): Cookie[] {
		const now = Date.now();
		const unexpired: Cookie[] = [];
		const expired: string[] = [];
		for (const [field, value] of entries) {
			const {cookie, until} = this.#decode(field, value);
			if (until > now) unexpired.push(cookie);
			else expired.push(field, value);
		}
		if (expired.length > 0) this.#removeExpired(expired);
		return unexpired;
	}

	// Not awaited: a field that is not removed now expires with the key.
	#removeExpired(expired: string[]): void {
		const {withTimeout, prefix} = this.#settings;
		withTimeout((redis) =>
			redis.eval(removeUnchangedScript, {keys: [prefix], arguments: expired}),
		).catch(() => {});
	}

	#decode(field: string, value: string): CookieRecord {
		let failure: DecryptionError | undefined;
		try {
			const record = readRecord(this.#settings.cipher.decrypt(value, this.#associatedData(field)));
			if (record !== undefined) return record;
		} catch (error) {
			if (!(error instanceof DecryptionError)) throw error;
			failure = error;
		}
		const {reason, message} = failure ?? notACookie;
		throw new RedisJarError(
			'ERR_MTLS_COOKIE_UNREADABLE',
			`cannot read ${field} of '${this.#settings.prefix}': ${message}`,
			reason,
		);
	}

	#associatedData(field: string): string {
		return JSON.stringify([this.#settings.prefix, field]);
	}
}

function createdAt({creation}: Cookie): number {
	return creation instanceof Date ? creation.getTime() : Number.MAX_SAFE_INTEGER;
}
