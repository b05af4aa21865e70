import type {Agent as HttpAgent} from 'node:http';
import type {Agent} from 'node:https';
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isCancel} from 'axios';
import type {HttpProxy} from '../connection/proxy/proxy-config.ts';
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
	readonly followsRedirect: boolean;
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

/**
 * The body of a redirect is thrown away. Up to these limits it is waited for, so that its connection
 * can serve the next hop; past them the connection is closed.
 */
export const redirectBody = {limitBytes: 64 * 1024, limitMs: 100} as const;

/** The part of an answer that comes before its body. */
export type Head = Pick<AxiosResponse, 'status' | 'headers'>;

/** The head of an answer whose body failed; `undefined` where there was none, or nobody waits any more. */
export function headOf(error: unknown): Head | undefined {
	const head = error instanceof AxiosError && !isCancel(error) ? error.request?.res : undefined;
	return head && {status: head.statusCode, headers: head.headers};
}

/** A header of an answer, which may be called as something is that `Object.prototype` has. */
export function headerOf<H extends object, N extends keyof H>(
	headers: H,
	name: N,
): H[N] | undefined {
	return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

/** Whether a response with a `Location` is to be followed. A 304 is a cached answer, a 305 withdrawn (RFC 9110 §15.4.5, §15.4.6). */
export function isRedirect(status = 0): boolean {
	return status >= 300 && status < 400 && status !== 304 && status !== 305;
}
