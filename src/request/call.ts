import type {AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import type {Trusted} from '../connection/current-identities.ts';
import type {MtlsAgent} from '../connection/mtls-agent.ts';
import type {CookieJar} from '../cookies/jar.ts';
import type {CookiePolicy} from '../cookies/policy.ts';
import type {AbortSources} from '../exchange/abortable.ts';
import type {Exchange, Head} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import type {LoginSession} from '../login/login-session.ts';
import type {CookieRefusal, Timeouts} from '../options.ts';
import type {IdentitySelector} from '../tls/rotation/identity-selector.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import type {InFlightRequests} from './in-flight.ts';
import type {RedirectPolicy} from './redirect.ts';

export type Adapter = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;

/** What an adapter is made of. */
export interface AdapterParts {
	readonly exchange: Exchange;
	/** Takes what is no hop: `data:` URLs, and URLs that axios refuses in its own words. */
	readonly fallback: Adapter;
	readonly agent: MtlsAgent;
	/** Whether `mtls` was given, so that a request may not bring an agent of its own. */
	readonly ownsConnections: boolean;
	/** For the requests that name no jar of their own. */
	readonly jar: CookieJar | undefined;
	/** Of the requests that use its jar and do not say `session: false`. */
	readonly session: LoginSession | undefined;
	/** The requests belong to calls that are in flight: a login's. They may begin while the client closes. */
	readonly partOfLogin: boolean;
	/** Without `mtls`: who believes the CAs that the app has given to all its https requests. */
	readonly trusting: (ca: Trusted) => Snapshot;
	/** Who we are, origin by origin. */
	readonly snapshotAt: (origin: string) => Snapshot | Promise<Snapshot>;
	/** How a redirect may lead to an origin that the app did not ask for. */
	readonly arrival: IdentitySelector['arrival'];
	/** Holds for any jar. */
	readonly cookiePolicy: CookiePolicy;
	readonly onCookieRejected: (refusal: CookieRefusal) => void;
	readonly allowInsecureRedirects: boolean;
	/** For the requests that have none of their own. */
	readonly timeouts: Timeouts;
	/** Ends with the client. */
	readonly lifetime: InFlightRequests;
}

/** What holds for all hops of one call. */
export interface Call {
	readonly config: InternalAxiosRequestConfig;
	/** As the app gave it: what it gets back. */
	readonly originalConfig: InternalAxiosRequestConfig;
	readonly jar: CookieJar | undefined;
	readonly policy: RedirectPolicy;
	readonly timeouts: Timeouts;
	readonly timeoutMs: number | undefined;
	/** Of the last answer's head, on the clock of `performance.now()`. */
	readonly deadline: number | undefined;
	/** Whether the cookies of an answer are kept; all are where there is no session. */
	readonly shouldStoreCookies: ((head: Head, hop: Hop) => boolean) | undefined;
}

/** What a call waits with for what is no server. */
export function waiting({lifetime}: AdapterParts, call: Call): AbortSources {
	return {config: call.config, remainingMs: remainingMs(call), closed: lifetime.signal};
}

/** For the next head, in milliseconds; `undefined` without a `timeout`. */
export function remainingMs({deadline}: Call): number | undefined {
	return deadline && Math.max(1, Math.ceil(deadline - performance.now()));
}
