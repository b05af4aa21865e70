import {MemoryCookieStore} from 'tough-cookie';

/** A cookie store that never answers. */
export class SilentStore extends MemoryCookieStore {
	override synchronous = false;
	readonly #asked: () => void;

	/** @param asked - Called when it is asked for cookies. */
	constructor(asked = () => {}) {
		super();
		this.#asked = asked;
	}

	override findCookies(): Promise<never> {
		this.#asked();
		return new Promise(() => {});
	}
}
