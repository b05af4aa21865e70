import {type Cookie, pathMatch, permuteDomain} from 'tough-cookie';
import type {CookieCounts} from '../cookies/eviction.ts';
import type {WithTimeout} from './commands.ts';
import {type CookieCipher, DecryptionError} from './encryption.ts';
import {RedisJarError} from './error.ts';
import {type CookieId, fieldOf, fieldsBelow, parseField} from './field.ts';
import {type CookieRecord, readRecord, ttlOf, writeRecord} from './record.ts';
import {putScript, removeBelowScript, removeUnchangedScript} from './scripts.ts';

/** What a session's hash is made of. */
export interface SessionParts {
	readonly ask: WithTimeout;
	readonly seal: CookieCipher;
	/** The hash's key. */
	readonly prefix: string;
	/** For cookies that name no end. */
	readonly sessionMs: number;
}

/** The cookies of one session: a hash with a field a cookie. Each method is one command. */
export class CookieHash {
	readonly #parts: SessionParts;
	#counts: CookieCounts | undefined;

	constructor(parts: SessionParts) {
		this.#parts = parts;
	}

	/** By domain, when the cookies were last read; those that are over are among them. */
	get counts(): CookieCounts | undefined {
		return this.#counts;
	}

	async find(id: CookieId): Promise<Cookie | undefined> {
		const {ask, prefix} = this.#parts;
		const field = fieldOf(id);
		const value = await ask((redis) => redis.hGet(prefix, field));
		if (value === null) return undefined;
		return this.#unexpired([[field, value]])[0];
	}

	/** The cookies whose domain and path match (RFC 6265 §5.1.3, §5.1.4); those of any path without one. */
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

	/** All, the oldest first. */
	async all(): Promise<Cookie[]> {
		const cookies = await this.#select(() => true);
		return cookies.sort((a, b) => createdAt(a) - createdAt(b) || a.creationIndex - b.creationIndex);
	}

	async put(cookie: Cookie, id: CookieId): Promise<void> {
		const {ask, seal, prefix, sessionMs} = this.#parts;
		const now = Date.now();
		const life = ttlOf(cookie, sessionMs, now);
		const field = fieldOf(id);
		const value = seal.encrypt(writeRecord({cookie, until: now + life}), this.#placeOf(field));
		await ask((redis) =>
			// A span rather than a time, so that the server's clock need not agree with ours.
			redis.eval(putScript, {keys: [prefix], arguments: [field, value, String(life)]}),
		);
	}

	async remove(id: CookieId): Promise<void> {
		const {ask, prefix} = this.#parts;
		await ask((redis) => redis.hDel(prefix, fieldOf(id)));
	}

	async removeBelow(domain: string, path: string | undefined): Promise<void> {
		const {ask, prefix} = this.#parts;
		const below = fieldsBelow(domain, path);
		await ask((redis) => redis.eval(removeBelowScript, {keys: [prefix], arguments: [below]}));
	}

	async removeAll(): Promise<void> {
		const {ask, prefix} = this.#parts;
		await ask((redis) => redis.del(prefix));
	}

	async #select(wanted: (id: CookieId) => boolean): Promise<Cookie[]> {
		const {ask, prefix} = this.#parts;
		const entries = Object.entries(await ask((redis) => redis.hGetAll(prefix)));
		const counts = new Map<string, number>();
		const found = entries.filter(([field]) => {
			const id = parseField(field);
			if (id === undefined) return false;
			counts.set(id.domain, (counts.get(id.domain) ?? 0) + 1);
			return wanted(id);
		});
		this.#counts = counts;
		return this.#unexpired(found);
	}

	#unexpired(entries: readonly (readonly [field: string, value: string])[]): Cookie[] {
		const now = Date.now();
		const living: Cookie[] = [];
		const ended: string[] = [];
		for (const [field, value] of entries) {
			const {cookie, until} = this.#open(field, value);
			if (until > now) living.push(cookie);
			else ended.push(field, value);
		}
		if (ended.length > 0) this.#forget(ended);
		return living;
	}

	// Nobody waits for it, and what fails to go now goes with the key.
	#forget(ended: string[]): void {
		const {ask, prefix} = this.#parts;
		ask((redis) => redis.eval(removeUnchangedScript, {keys: [prefix], arguments: ended})).catch(
			() => {},
		);
	}

	#open(field: string, value: string): CookieRecord {
		let reason = 'it is no cookie';
		try {
			const record = readRecord(this.#parts.seal.decrypt(value, this.#placeOf(field)));
			if (record !== undefined) return record;
		} catch (error) {
			if (!(error instanceof DecryptionError)) throw error;
			reason = error.message;
		}
		throw new RedisJarError(
			'ERR_MTLS_COOKIE_UNREADABLE',
			`cannot read ${field} of '${this.#parts.prefix}': ${reason}`,
		);
	}

	#placeOf(field: string): string {
		return JSON.stringify([this.#parts.prefix, field]);
	}
}

function createdAt({creation}: Cookie): number {
	return creation instanceof Date ? creation.getTime() : Number.MAX_SAFE_INTEGER;
}
