import type {InternalAxiosRequestConfig} from 'axios';
import type {Http2Options} from '../connection/http2-connection.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** Those of `http2Options` that say how a session is to be; all others could say with whom. */
const ofSession: Readonly<Record<keyof Http2Options, true>> = {
	maxDeflateDynamicTableSize: true,
	maxHeaderListPairs: true,
	maxOutstandingPings: true,
	maxSendHeaderBlockLength: true,
	maxSessionMemory: true,
	maxSettings: true,
	paddingStrategy: true,
	peerMaxConcurrentStreams: true,
	settings: true,
	sessionTimeout: true,
};

type Config = Pick<InternalAxiosRequestConfig, 'httpVersion' | 'http2Options'>;

/** Whether a request is to go over HTTP/2; axios takes the number as text too. */
export function wantsHttp2({httpVersion}: Config): boolean {
	return Number(httpVersion) === 2;
}

/** The first of `http2Options` that would make the connection another one: `ca`, `createConnection`. */
export function tlsHttp2Option({http2Options}: Config): string | undefined {
	return Object.keys(http2Options ?? {}).find(
		(name) => !Object.hasOwn(ofSession, name) && http2Options?.[name] !== undefined,
	);
}

/** The options of a session that has none of {@link tlsHttp2Option}. */
export function sessionOptions({http2Options}: Config): Http2Options {
	const given = Object.entries(http2Options ?? {});
	return withoutPrototype(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}
