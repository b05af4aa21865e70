import type {AxiosError, AxiosInstance, AxiosResponse} from 'axios';
import type {CookieJar} from 'tough-cookie';

/**
 * What a login is made with: an instance with the client's defaults, certificate, connections and
 * jar, whose requests neither wait for the login nor ask for another. As every instance that
 * `create()` makes it has none of the client's interceptors.
 */
export interface SessionClient extends AxiosInstance {
	readonly mtls: {
		/** Where the login's cookies go. */
		readonly jar: CookieJar | undefined;
	};
}

/** How to log in, and how to tell that it has to be done again. The session is that of the client's jar. */
export interface SessionOptions {
	/**
	 * Logs in: before the first request, and again once the session is over. All requests wait for
	 * that one login; those that met the end of the session are sent once more after it. It has
	 * failed when it throws or rejects. What the requests of a session set as cookies is not kept once
	 * the login after it has begun: it would take the place of the new ones.
	 *
	 * It must use the `client` it is given: a request of any other would wait for this very login.
	 */
	login(client: SessionClient): unknown;
	/**
	 * Whether an answer says that the session is over, whatever its status; its `data` is what
	 * `transformResponse` makes of it, which runs once more when `data` is read here.
	 *
	 * An answer that says so for other reasons, such as a missing right, costs a login each time.
	 *
	 * @defaultValue status 401, or a redirect to `loginUrl`
	 */
	isExpired?(response: AxiosResponse): boolean | Promise<boolean>;
	/**
	 * Where the server sends those who are not logged in, absolute or relative to `baseURL`; its
	 * query does not matter. A request that asks for this URL itself is not taken for one that was
	 * sent there.
	 */
	loginUrl?: string;
	/** A login that takes longer has failed, and its requests are cancelled. @defaultValue 30000 */
	loginTimeoutMs?: number;
	/**
	 * After a login that failed, requests fail at once for this long, and twice as long after each
	 * further one. A login after which the session is still over has failed as well; but then
	 * requests are sent, and the app gets their answers as they are. @defaultValue 1000
	 */
	backoffMs?: number;
	/** The longest time between two logins that fail. @defaultValue 60000 */
	maxBackoffMs?: number;
}

/**
 * What a request fails with when there is no session to send it in.
 *
 * `code` is `ERR_MTLS_LOGIN_FAILED`, or `ERR_MTLS_LEDGER_FAILED` where the store that tells
 * processes of each other's logins failed; `cause` is the original error, one for all requests that
 * waited.
 */
export interface SessionError extends AxiosError {
	/** No login is tried before this time is over; requests fail at once meanwhile. */
	readonly retryAfterMs: number;
}
