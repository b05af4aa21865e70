import {type Cookie, MemoryCookieStore, Store} from 'tough-cookie';

/** Keeps its cookies a turn of the event loop away, as a store over the network does. */
export class RemoteStore extends Store {
	override synchronous = false;
	readonly #memory = new MemoryCookieStore();
	asked = 0;

	override findCookie(...args: unknown[]): Promise<never> {
		const [domain, path, key] = args as [string, string, string];
		return this.answer(args, () => this.#memory.findCookie(domain, path, key));
	}
	override findCookies(...args: unknown[]): Promise<never> {
		const [domain, path, special] = args as [string, string, boolean];
		return this.answer(args, () => this.#memory.findCookies(domain, path, special));
	}
	override putCookie(...args: unknown[]): Promise<never> {
		return this.answer(args, () => this.#memory.putCookie(args[0] as Cookie));
	}
	override updateCookie(...args: unknown[]): Promise<never> {
		return this.answer(args, () => this.#memory.putCookie(args[1] as Cookie));
	}
	override removeCookie(...args: unknown[]): Promise<never> {
		const [domain, path, key] = args as [string, string, string];
		return this.answer(args, () => this.#memory.removeCookie(domain, path, key));
	}

	/** By callback where one is given, else by a promise. */
	answer(args: unknown[], work: () => Promise<unknown>): Promise<never> {
		this.asked += 1;
		const done = new Promise((resolve) => setImmediate(resolve)).then(work);
		const callback = args.at(-1);
		if (typeof callback !== 'function') return done as Promise<never>;
		done.then(
			(value) => callback(null, value),
			(error) => callback(error),
		);
		return new Promise(() => {});
	}
}
