import type {Agent as HttpAgent} from 'node:http';
import type {Agent} from 'node:https';
import type {AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import type {HttpProxy} from '../net/proxy.ts';
import type {Timeouts} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import type {Hop} from './hop.ts';

/** What one exchange needs to know. */
export interface ExchangeInput {
	readonly hop: Hop;
	/** Who we are, and whom we believe, on this hop. */
	readonly snapshot: Snapshot;
	/** Makes the https connections; `undefined` where the config brings an agent of its own. */
	readonly agent: Agent | undefined;
	/** The one that the app has put in the place of Node's: it makes the connection. */
	readonly globalAgent?: HttpAgent | undefined;
	/** The config of the call; the hop overrules its URL, method, headers and data. */
	readonly config: InternalAxiosRequestConfig;
	/** The `Cookie` header of this hop. */
	readonly cookie: string | undefined;
	readonly proxy: HttpProxy | undefined;
	/** A redirect will be followed: its answer ends with its head, nobody reads the body. */
	readonly follows: boolean;
	/** Not on a connection that was kept alive: the one before was stale. */
	readonly fresh: boolean;
	/** Until the head of the answer; `undefined` without a `timeout`. */
	readonly remainingMs: number | undefined;
	/** How long a body may pause then. */
	readonly idleMs: number | undefined;
	/** Aborted when the client ends, and nothing is to go on. */
	readonly closed: AbortSignal;
	/** Those of the whole request are not its own. */
	readonly timeouts: Timeouts;
}

/**
 * One request, one response, on one hop: no cookies, no redirects, no verdict on the status.
 * Rejects with an AxiosError, as axios's own adapter does.
 */
export type Exchange = (input: ExchangeInput) => Promise<AxiosResponse>;
