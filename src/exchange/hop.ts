import type {AxiosBasicCredentials, AxiosHeaders} from 'axios';
import type {Body} from './outgoing/request-body.ts';

/** One request of a call: the first, or one that a redirect made. */
export interface Hop {
	/** 0 for the request that the app made. */
	readonly index: number;
	/** With its query, without credentials and fragment. */
	readonly url: URL;
	/** Path and query as they go on the wire: axios leaves characters there that a URL would escape. */
	readonly path: string;
	readonly method: string;
	/** The app's headers; the jar's cookies are not among them. */
	readonly headers: AxiosHeaders;
	readonly auth: AxiosBasicCredentials | undefined;
	/** `undefined` once a redirect has turned the request into a GET. */
	readonly body: Body | undefined;
	/** Whether the client certificate may be presented to this origin. */
	readonly presentCertificate: boolean;
	/** The origin whose redirect led to one to which the client certificate may not be presented. */
	readonly withheldAfter?: string | undefined;
	/** A redirect has led to another origin on the way. */
	readonly leftOrigin: boolean;
	/**
	 * The origin whose redirect led to an origin of another identity. It must not act in the name of that
	 * identity: the request is anonymous, without certificate and cookies.
	 */
	readonly anonymizedBy?: string | undefined;
	/** Set once the app's `beforeRedirect` was called. */
	readonly beforeRedirectState?: BeforeRedirectState;
}

/** The state of `beforeRedirect`, which all hops of a call share. */
export interface BeforeRedirectState {
	readonly options: Record<string, unknown>;
	/** The names of the headers that the callback has set for this hop, in lower case. */
	readonly written: Set<string>;
}

/** The same URL without user, password and fragment. */
export function withoutCredentials(url: URL): URL {
	if (!url.username && !url.password && !url.hash) return url;
	const bare = new URL(url);
	bare.username = '';
	bare.password = '';
	bare.hash = '';
	return bare;
}

/** The path as it goes on the wire, without the query: cookies are matched against it. */
export function wirePath({path}: Hop): string {
	const end = path.indexOf('?');
	return end === -1 ? path : path.slice(0, end);
}

/** The app's own `Cookie` header. */
export function cookieOfApp({headers}: Hop): string | undefined {
	const cookie = headers.get('Cookie');
	// `false` and `null` switch a header off.
	if (!cookie) return undefined;
	return Array.isArray(cookie) ? cookie.join('; ') : cookie.toString();
}
