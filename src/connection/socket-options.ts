/*
 * Security: the options that Node reads for sockets, sessions and requests. Node copies them into objects
 * with a prototype, so a polluted `Object.prototype` would set each option that is not given: `path`
 * connects elsewhere, `session` resumes another one, `signal` aborts. So each of them is given here.
 *
 * From lib/net.js, lib/_http_client.js, lib/internal/tls/wrap.js, lib/internal/http2/ and
 * lib/internal/streams/ of Node 22, 24 and 26.
 */
import type {ClientSessionRequestOptions} from 'node:http2';
import {withoutPrototype} from '../util/check-options.ts';

const ofStreams = {
	construct: undefined,
	defaultEncoding: undefined,
	destroy: undefined,
	encoding: undefined,
	final: undefined,
	highWaterMark: undefined,
	objectMode: undefined,
	read: undefined,
	readable: undefined,
	readableHighWaterMark: undefined,
	readableObjectMode: undefined,
	signal: undefined,
	writable: undefined,
	writableHighWaterMark: undefined,
	writableObjectMode: undefined,
	write: undefined,
	writev: undefined,
} as const;

const ofTcp = {
	allowHalfOpen: undefined,
	autoSelectFamily: undefined,
	autoSelectFamilyAttemptTimeout: undefined,
	blockList: undefined,
	family: undefined,
	fd: undefined,
	handle: undefined,
	hints: undefined,
	keepAlive: undefined,
	keepAliveInitialDelay: undefined,
	localAddress: undefined,
	localPort: undefined,
	lookup: undefined,
	manualStart: undefined,
	noDelay: undefined,
	onread: undefined,
	path: undefined,
	pauseOnCreate: undefined,
	timeout: undefined,
	typeOfService: undefined,
} as const;

const ofTls = {
	enableTrace: undefined,
	isServer: undefined,
	pskCallback: undefined,
	requestOCSP: undefined,
	session: undefined,
	socket: undefined,
} as const;

const ofHttp2 = {
	maxDeflateDynamicTableSize: undefined,
	maxHeaderListPairs: undefined,
	maxOriginSetSize: undefined,
	maxOutstandingPings: undefined,
	maxOutstandingSettings: undefined,
	maxReservedRemoteStreams: undefined,
	maxSendHeaderBlockLength: undefined,
	maxSessionInvalidFrames: undefined,
	maxSessionMemory: undefined,
	maxSessionRejectedStreams: undefined,
	maxSettings: undefined,
	origins: undefined,
	paddingStrategy: undefined,
	peerMaxConcurrentStreams: undefined,
	protocol: undefined,
	remoteCustomSettings: undefined,
	selectPadding: undefined,
	servername: undefined,
	settings: undefined,
	streamResetBurst: undefined,
	streamResetRate: undefined,
	strictFieldWhitespaceValidation: undefined,
	strictSingleValueFields: undefined,
	unknownProtocolTimeout: undefined,
} as const;

const ofHttp2Requests = {
	exclusive: undefined,
	parent: undefined,
	signal: undefined,
	silent: undefined,
	waitForTrailers: undefined,
} as const;

const ofRequests = {
	agent: undefined,
	auth: undefined,
	createConnection: undefined,
	defaultPort: undefined,
	family: undefined,
	headers: undefined,
	highWaterMark: undefined,
	hints: undefined,
	host: undefined,
	hostname: undefined,
	httpValidation: undefined,
	insecureHTTPParser: undefined,
	joinDuplicateHeaders: undefined,
	localAddress: undefined,
	lookup: undefined,
	maxHeaderSize: undefined,
	method: undefined,
	path: undefined,
	port: undefined,
	protocol: undefined,
	setDefaultHeaders: undefined,
	setHost: undefined,
	signal: undefined,
	socketPath: undefined,
	// Node looks for a missing one on the request.
	timeout: 0,
	uniqueHeaders: undefined,
} as const;

/** Options of a stream, with each missing one as `undefined`. */
export function streamOptions<T extends object>(given: T): T {
	return {...ofStreams, ...given};
}

/** Options of `net.connect`, with each missing one as `undefined`. */
export function tcpOptions<T extends object>(given: T): T {
	return {...ofStreams, ...ofTcp, ...given};
}

/** The same for `tls.connect`. */
export function tlsOptions<T extends object>(given: T): T {
	return {...ofStreams, ...ofTcp, ...ofTls, ...given};
}

/** The same for `http2.connect`. */
export function http2Options<T extends object>(given: T): T {
	return {...ofHttp2, ...given};
}

/** The same for a request over HTTP/2. */
export function streamRequestOptions(endStream: boolean): ClientSessionRequestOptions {
	return withoutPrototype({...ofHttp2Requests, endStream});
}

/** The same for `http.request` and `https.request`. */
export function requestOptions<T extends object>(given: T): T {
	return withoutPrototype({...ofRequests, ...given});
}
