import {type Cookie, MemoryCookieStore} from 'tough-cookie';
import {isExpired, maxAgeStart} from '../expiry.ts';
import {storeVersion} from '../store-version.ts';
import {cookieId} from './format.ts';

type Done = (error: Error | null) => void;

/** A store in memory that tracks which of its cookies were set or removed. */
export class TrackingStore extends MemoryCookieStore {
	readonly #onChange: () => void;
	#version = 0;
	#changed = new Set<string>();

	/** @param onChange - Called after each change, also while earlier ones have not been taken. */
	constructor(onChange: () => void) {
		super();
		this.#onChange = onChange;
	}

	get [storeVersion](): number {
		return this.#version;
	}

	/** By {@link cookieId}. */
	get changed(): ReadonlySet<string> {
		return this.#changed;
	}

	/** Takes the pending changes: they are pending no longer. */
	takeChanged(): ReadonlySet<string> {
		const taken = this.#changed;
		this.#changed = new Set();
		return taken;
	}

	/** Makes changes pending again. */
	putBack(taken: ReadonlySet<string>): void {
		for (const id of taken) this.#changed.add(id);
	}

	find(id: string): Cookie | undefined {
		const [domain, path, key] = JSON.parse(id);
		return this.idx[domain]?.[path]?.[key];
	}

	/** Applies the changes of other processes, which are not pending here. */
	follow(arrived: Iterable<Cookie>, gone: Iterable<string> = []): void {
		this.#version += 1;
		for (const cookie of arrived) {
			// `Max-Age` counts from the time in the file; tough-cookie overwrites that when the cookie is read.
			maxAgeStart(cookie, Date.now());
			// RFC 6265 §5.3, step 11: in the `Cookie` header it takes the position of the one it replaces.
			const {creation = cookie.creation, creationIndex = cookie.creationIndex} =
				this.find(cookieId(cookie)) ?? {};
			super.putCookie(Object.assign(cookie, {creation, creationIndex}));
		}
		for (const id of gone) {
			const [domain, path, key] = JSON.parse(id);
			super.removeCookie(domain, path, key);
		}
	}

	override putCookie(cookie: Cookie, done?: Done): Promise<void> {
		const id = cookieId(cookie);
		// Before the first read, which would let `Max-Age` start again.
		maxAgeStart(cookie, Date.now());
		const isChange = !isSame(this.find(id), cookie);
		this.#version += 1;
		const put = super.putCookie(cookie);
		if (isChange) this.#note([id]);
		done?.(null);
		return put;
	}

	override removeCookie(domain: string, path: string, key: string, done?: Done): Promise<void> {
		const cookie = this.idx[domain]?.[path]?.[key];
		this.#version += 1;
		const removed = super.removeCookie(domain, path, key);
		// tough-cookie removes expired cookies that it finds; another process may have a new one by now.
		if (cookie && !isExpired(cookie, Date.now())) this.#note([cookieId(cookie)]);
		done?.(null);
		return removed;
	}

	override removeCookies(domain: string, path: string | null, done?: Done): Promise<void> {
		const ids = this.#list()
			.filter((cookie) => cookie.domain === domain && (!path || cookie.path === path))
			.map(cookieId);
		this.#version += 1;
		const removed = super.removeCookies(domain, path ?? '');
		this.#note(ids);
		done?.(null);
		return removed;
	}

	override removeAllCookies(done?: Done): Promise<void> {
		const ids = this.#list().map(cookieId);
		this.#version += 1;
		const removed = super.removeAllCookies();
		this.#note(ids);
		done?.(null);
		return removed;
	}

	#list(): Cookie[] {
		let all: Cookie[] = [];
		this.getAllCookies((_, cookies) => {
			all = cookies ?? [];
		});
		return all;
	}

	#note(ids: readonly string[]): void {
		if (ids.length === 0) return;
		for (const id of ids) this.#changed.add(id);
		this.#onChange();
	}
}

// Servers set the same cookie again and again. With `Max-Age` each time is a change: its age starts again.
function isSame(before: Cookie | undefined, after: Cookie): boolean {
	// The app may have changed the same object that is in the store.
	if (before === undefined || before === after || after.maxAge !== null) return false;
	try {
		return textOf(before) === textOf(after);
	} catch {
		// The app set an invalid date: the save will report it.
		return false;
	}
}

function textOf(cookie: Cookie): string {
	return JSON.stringify({...cookie.toJSON(), lastAccessed: null});
}
