import {
	Axios,
	type AxiosBasicCredentials,
	AxiosHeaders,
	type InternalAxiosRequestConfig,
} from 'axios';
import type {Showing} from '../tls/source.ts';
import {type Body, makeBody} from './body.ts';

/** One request of the chain that redirects make of a call. */
export interface Hop {
	/** 0 for the request that the app made. */
	readonly index: number;
	/** With its query, without credentials and fragment. */
	readonly url: URL;
	readonly method: string;
	/** The app's headers; the jar's cookies are not among them. */
	readonly headers: AxiosHeaders;
	readonly auth: AxiosBasicCredentials | undefined;
	/** `undefined` once a redirect has turned the request into a GET. */
	readonly body: Body | undefined;
	/** Whether our certificate may be offered to this origin. */
	readonly showing: Showing;
}

/** The request that the app made; `undefined` when it is none over http or https. */
export function firstHop(config: InternalAxiosRequestConfig): Hop | undefined {
	// An Axios of its own: the static one would mix the app's global defaults in once more.
	const uri = new Axios({}).getUri(config);
	const given = URL.parse(uri, config.socketPath ? 'http://localhost' : undefined);
	if (given?.protocol !== 'https:' && given?.protocol !== 'http:') return undefined;
	const url = withoutCredentials(given);
	return {
		index: 0,
		url,
		method: (config.method ?? 'get').toUpperCase(),
		headers: new AxiosHeaders(config.headers),
		auth: config.auth ?? credentialsOf(given),
		body: makeBody(config.data, config.maxRedirects !== 0),
		// The app asked for this origin itself.
		showing: 'shown',
	};
}

/** The same place without user, password and fragment. */
export function withoutCredentials(url: URL): URL {
	const bare = new URL(url);
	bare.username = '';
	bare.password = '';
	bare.hash = '';
	return bare;
}

function credentialsOf({username, password}: URL): AxiosBasicCredentials | undefined {
	if (!username && !password) return undefined;
	return {username: decode(username), password: decode(password)};
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// As axios does: a stray % is what it says.
		return text;
	}
}
