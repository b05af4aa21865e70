import {type Cookie, MemoryCookieStore} from 'tough-cookie';
import {isExpired, maxAgeStart} from '../expiry.ts';
import {storeVersion} from '../store-version.ts';
import {cookieId} from './format.ts';

type Done = (error: Error | null) => void;

/** A store in memory that knows which of its cookies were set or removed. */
export class TrackingStore extends MemoryCookieStore {
	readonly #onChange: () => void;
	#version = 0;
	#changed = new Set<string>();

	/** @param onChange - Called after a change, also before the ones known so far were taken. */
	constructor(onChange: () => void) {
		super();
		this.#onChange = onChange;
	}

	get [storeVersion](): number {
		return this.#version;
	}

	/** By `idOf`. */
	get changed(): ReadonlySet<string> {
		return this.#changed;
	}

	/** The changes so far, which are then no longer to be done. */
	takeChanged(): ReadonlySet<string> {
		const taken = this.#changed;
		this.#changed = new Set();
		return taken;
	}

	/** Changes that are to be done after all. */
	putBack(taken: ReadonlySet<string>): void {
		for (const id of taken) this.#changed.add(id);
	}

	find(id: string): Cookie | undefined {
		const [domain, path, key] = JSON.parse(id);
		return this.idx[domain]?.[path]?.[key];
	}

	/** Takes over what others have done, which is no change of ours. */
	follow(arrived: Iterable<Cookie>, gone: Iterable<string> = []): void {
		this.#version += 1;
		for (const cookie of arrived) {
			// From when the file says; tough-cookie sets that anew when the cookie is read.
			maxAgeStart(cookie, Date.now());
			// RFC 6265 §5.3, step 11: its place in a `Cookie` header is that of the one it replaces.
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
		// Before it is read, which would let `Max-Age` begin anew.
		maxAgeStart(cookie, Date.now());
		const isNews = !isSame(this.find(id), cookie);
		this.#version += 1;
		const put = super.putCookie(cookie);
		if (isNews) this.#note([id]);
		done?.(null);
		return put;
	}

	override removeCookie(domain: string, path: string, key: string, done?: Done): Promise<void> {
		const cookie = this.idx[domain]?.[path]?.[key];
		this.#version += 1;
		const removed = super.removeCookie(domain, path, key);
		// tough-cookie removes what it finds expired; meanwhile another process may have got a new one.
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

// Servers set the same cookie again and again. `Max-Age` counts from now on each time.
function isSame(before: Cookie | undefined, after: Cookie): boolean {
	// The app may have changed the very cookie that is in the store.
	if (before === undefined || before === after || after.maxAge !== null) return false;
	try {
		return textOf(before) === textOf(after);
	} catch {
		// A date of the app's that is none: the save will tell.
		return false;
	}
}

function textOf(cookie: Cookie): string {
	return JSON.stringify({...cookie.toJSON(), lastAccessed: null});
}
