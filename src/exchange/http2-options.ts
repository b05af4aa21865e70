import type {InternalAxiosRequestConfig} from 'axios';
import type {Http2Options} from '../connection/http2-connection.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** The `http2Options` that configure neither TLS nor the connection. */
const sessionNames: Readonly<Record<keyof Http2Options, true>> = {
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

/** Whether a request goes over HTTP/2; axios takes the number as text too. */
export function wantsHttp2({httpVersion}: Config): boolean {
	return Number(httpVersion) === 2;
}

/** The protocol to negotiate for a request. */
export function alpnOf(config: Config): 'h2' | 'http/1.1' {
	return wantsHttp2(config) ? 'h2' : 'http/1.1';
}

/** The first of `http2Options` that configures TLS or the connection: `ca`, `createConnection`. */
export function tlsHttp2Option({http2Options}: Config): string | undefined {
	return Object.keys(http2Options ?? {}).find(
		(name) => !Object.hasOwn(sessionNames, name) && http2Options?.[name] !== undefined,
	);
}

const noOptions: Http2Options = withoutPrototype({});

/** The `http2Options` of a request that has no {@link tlsHttp2Option}. */
export function sessionOptions({http2Options}: Config): Http2Options {
	if (!http2Options) return noOptions;
	const given = Object.entries(http2Options);
	return withoutPrototype(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}
