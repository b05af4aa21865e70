import http, {
	type ClientRequest,
	type IncomingMessage,
	type OutgoingHttpHeaders,
	type RequestOptions,
} from 'node:http';
import https from 'node:https';
import {type Duplex, Readable} from 'node:stream';
import axios, {AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {endIdle, limitOf, routed} from '../connection/mtls-agent.ts';
import {ProtocolSwitchError} from '../connection/response-heads.ts';
import {requestOptions} from '../connection/socket-options.ts';
import {MtlsConfigError} from '../errors.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {closedError} from './axios-errors.ts';
import {applyConnectTimeout, applyTimeouts} from './axios-timeouts.ts';
import {endUpload} from './end-upload.ts';
import type {Exchange, ExchangeInput} from './exchange.ts';
import {headerOf, isRedirect, redirectBody} from './exchange.ts';
import {
	assertTunnel,
	hasOwnProxies,
	isRefusedTunnel,
	refuseTunnel,
	refuseUnverified,
} from './global-agent.ts';
import {adoptHeaders, copyHeaders} from './headers.ts';
import {withProxyLogin} from './proxy-authorization.ts';
import {absoluteForm, isForwarded, withLogin} from './proxy-request.ts';
import {attachProgress, type Progress} from './resend.ts';

type Respond = (response: IncomingMessage) => void;
/** What axios makes its requests with. */
export interface Transport {
	request(options: RequestOptions, respond: Respond): ClientRequest;
}

const adapter = axios.getAdapter('http');

/**
 * The exchange that knows every axios option: axios's own `http` adapter, asked for one hop.
 *
 * @param makeBase - Makes what sends in the place of `http` and `https`, until its signal gives it up.
 */
export function axiosExchange(
	given: ExchangeInput,
	makeBase?: (signal: AbortSignal) => Transport,
): ReturnType<Exchange> {
	const input = withProxyLogin(given);
	const ours = makeBase === undefined && usesMtlsAgent(input);
	const config = hopConfig(input, ours);
	if (input.agent !== undefined) config.httpsAgent = input.agent;
	const trip: Attempt = {
		ours,
		over: new AbortController(),
		request: undefined,
		progress: undefined,
	};
	const base = makeBase?.(trip.over.signal);
	// With another version axios would send by itself.
	if (base !== undefined) config.httpVersion = 1;
	config.transport = transportFor(input, trip, base, config.data);
	return untilClosed(adapter(config), input, trip)
		.catch((error) => {
			// A ClientRequest that waits for its socket tells nobody that it was given up.
			trip.over.abort(new Error('the request is over'));
			throw trip.progress ? attachProgress(error, trip.progress) : error;
		})
		.finally(() => {
			const {headers} = given.hop;
			if (config.headers === headers) return;
			const own = input.cookie === undefined ? [] : ['cookie'];
			adoptHeaders(headers, config.headers, [...own, 'proxy-authorization']);
		});
}

/** The end of the client ends our agent's connections, and by this those of any other. */
function untilClosed(
	answer: Promise<AxiosResponse>,
	{config, closed}: ExchangeInput,
	trip: Attempt,
): Promise<AxiosResponse> {
	return new Promise((resolve, reject) => {
		const onClosed = () => {
			trip.request?.destroy();
			reject(closedError(config));
		};
		closed.addEventListener('abort', onClosed);
		answer.then(resolve, reject).finally(() => closed.removeEventListener('abort', onClosed));
	});
}

/** One request of axios's adapter, and what is seen of it. */
interface Attempt {
	/** Our agent makes the connection. */
	readonly ours: boolean;
	readonly over: AbortController;
	request: ClientRequest | undefined;
	progress: Progress | undefined;
}

function hopConfig(input: ExchangeInput, ours: boolean) {
	const {hop, config, cookie} = input;
	// The jar's cookies belong to this hop, not to the config that the app sees again. Headers of another
	// copy of axios are no headers to ours, which would write into a copy of its own.
	const isOurs = cookie === undefined && hop.headers instanceof AxiosHeaders;
	const headers = isOurs ? hop.headers : copyHeaders(hop.headers);
	if (cookie !== undefined) headers.set('Cookie', cookie, true);

	const result: InternalAxiosRequestConfig = {
		...config,
		headers,
		method: hop.method,
		data: hop.body?.open(),
		maxRedirects: 0,
		// Every status is an answer here; the adapter judges the last one.
		validateStatus: null,
	};
	const proxy = ours ? false : proxyForAxios(input);
	if (proxy === undefined) delete result.proxy;
	else result.proxy = proxy;
	if (hop.auth) result.auth = hop.auth;
	else delete result.auth;
	if (hop.index > 0) {
		result.url = hop.url.href;
		delete result.baseURL;
		delete result.params;
	}
	return withoutPrototype(result);
}

/**
 * What goes by a proxy goes below our agent. An agent of the app's own is axios's to send there: over
 * TLS it leads where it leads, unless it is that of the whole process, which axios has to go round.
 */
function proxyForAxios({hop, proxy, globalAgent}: ExchangeInput) {
	// An agent may have an environment of its own to look at.
	if (proxy === undefined) return globalAgent && hasOwnProxies(globalAgent) ? undefined : false;
	if (hop.url.protocol === 'http:') return proxy.toAxios();
	if (globalAgent === undefined) return false;
	if (!proxy.isOurs) return proxy.toAxios();
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		'proxy',
		'an https proxy, or headers for it, go with no other agent in the place of https.globalAgent; give `mtls`, or the agent as `httpsAgent`',
	);
}

/**
 * Where axios makes its request. Ours stands in the way to tell the agent how this hop travels, to
 * keep the deadlines, and to spare axios the body of a redirect.
 */
function transportFor(
	input: ExchangeInput,
	trip: Attempt,
	given: Transport | undefined,
	attempt: unknown,
): Transport {
	const {hop, agent, config, followsRedirect, fresh, globalAgent, proxy} = input;
	const {ours} = trip;
	const secure = hop.url.protocol === 'https:';
	const isNode = given === undefined && !config.transport;
	const base = given ?? (config.transport as Transport | undefined) ?? (secure ? https : http);
	return {
		request(options, respond) {
			// A URL would escape some of it.
			if (hop.index > 0 && options.path === hop.url.pathname + hop.url.search) {
				options.path = hop.path;
			}
			const travelling = ours ? withRoute(options, input, trip.over.signal) : options;
			// A stand-in for Node is given what axios gives it.
			const sent = isNode ? requestOptions(travelling) : travelling;
			// In one turn with the request: no other one can leave its connection in between.
			if (fresh && ours && agent) endIdle(agent, sent);
			else if (fresh) sent.agent = false;
			const followed = !ours && secure && globalAgent !== undefined;
			if (followed) {
				assertTunnel(sent);
				Object.assign(sent, {rejectUnauthorized: true});
			}
			const request = base.request(sent, (response) => {
				if (followed && proxy && isRefusedTunnel(response)) refuseTunnel(request, response, proxy);
				else if (response.statusCode === 101) refuseSwitch(request, response.socket);
				else if (
					followsRedirect &&
					isRedirect(response.statusCode) &&
					headerOf(response.headers, 'location')
				) {
					drainRedirect(request, response, respond);
				} else respond(response);
			});
			trip.request = request;
			endUpload(request);
			request.once('close', () => hop.body?.stop(attempt));
			request.protocol = hop.url.protocol;
			tellEveryEnd(request);
			// An app's own agent, or a stand-in for the network, is not asked for new connections.
			if (ours || (!secure && !config.httpAgent && !globalAgent && !config.transport)) {
				watchProgress(request, trip);
			}
			if (followed) refuseUnverified(request);
			applyTimeouts(request, input);
			if (!ours) applyConnectTimeout(request, input);
			return request;
		},
	};
}

/** Axios waits for a response or an error, and a request of Node's can end without either. */
function tellEveryEnd(request: ClientRequest): void {
	let told = false;
	const onTold = () => {
		told = true;
	};
	request.once('response', onTold).once('error', onTold);
	request.once('upgrade', (_, socket) => refuseSwitch(request, socket));
	request.once('close', () => {
		if (!told) request.emit('error', hangUp());
	});
}

// In Node's words for a connection that ends without a word.
function hangUp(): Error {
	return Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'});
}

/** Ends a request whose response is that another protocol is to follow. */
function refuseSwitch(request: ClientRequest, socket: Duplex): void {
	socket.destroy();
	request.emit('error', new ProtocolSwitchError());
}

function watchProgress(request: ClientRequest, trip: Attempt): void {
	request.once('socket', (socket) => {
		const {reusedSocket: reused} = request;
		trip.progress = {socket, reused, sent: true, bytesBefore: socket.bytesRead};
	});
}

// Who puts something else in its place later, as nock does, is to see plain http as axios sends it.
const {request: nodeRequest} = http;

/**
 * Whether our agent makes the connection: for https always, for http when a proxy is to be asked, or
 * where connections are counted.
 */
function usesMtlsAgent({hop, agent, config, proxy, globalAgent}: ExchangeInput): boolean {
	if (agent === undefined) return false;
	if (hop.url.protocol === 'https:') return true;
	if (!isForwarded(hop, proxy) || config.socketPath) {
		const isNode = http.request === nodeRequest && !config.transport;
		return limitOf(agent) !== undefined && isNode && !(config.httpAgent || globalAgent);
	}
	// Security: axios would take the agent of https for an https proxy, and with it our certificate.
	return !(config.httpAgent || globalAgent) || proxy.secure;
}

/** The options of a request as our agent takes them. */
function withRoute(
	options: RequestOptions,
	{hop, config, agent, snapshot, proxy, timeouts, fresh}: ExchangeInput,
	signal: AbortSignal,
): RequestOptions {
	const {presentCertificate, url} = hop;
	const plain = url.protocol !== 'https:';
	// The protocol is the agent's own: Node asks that they agree.
	const sent: RequestOptions = plain
		? {...options, agent, protocol: 'https:', defaultPort: 80}
		: options;
	const way = {snapshot, presentCertificate, proxy, plain, signal, timeouts, again: fresh};
	if (config.socketPath) {
		// Security: axios names no host then, and Node would have `localhost` verified.
		return routed({...sent, host: url.hostname, port: url.port}, {...way, proxy: undefined});
	}
	if (!isForwarded(hop, proxy)) return routed(sent, way);
	const forwarded: RequestOptions = {
		...sent,
		path: absoluteForm(hop, options.path ?? '/'),
		headers: withLogin(options.headers as OutgoingHttpHeaders, proxy),
	};
	return routed(forwarded, {...way, presentCertificate: false, plain: false, forwards: true});
}

/** Tells the head of a redirect, and lets go of the rest and of a request that it has overtaken. */
function drainRedirect(request: ClientRequest, response: IncomingMessage, respond: Respond): void {
	const {statusCode, statusMessage, socket} = response;
	const {'content-encoding': _, ...headers} = response.headers;
	// Stands in for the answer until its connection is free.
	const bare = new Readable({read() {}});
	const fields = {statusCode, statusMessage, headers, socket, req: request};
	respond(Object.assign(bare, fields) as unknown as IncomingMessage);

	const done = () => {
		clearTimeout(timer);
		bare.push(null);
		if (!response.complete) request.destroy();
	};
	const timer = setTimeout(done, redirectBody.limitMs);
	response.on('error', () => {}).once('close', done);
	const length = Number(response.headers['content-length'] ?? 0);
	if (length > redirectBody.limitBytes) done();
	// Of a request that is not out yet: to end it would call half a body whole, to leave it open would
	// spoil the connection. Of one that is, we may be told in this turn.
	else if (!request.writableFinished) setImmediate(() => request.writableFinished || done());
	let bytes = 0;
	response.on('data', (chunk: Buffer) => {
		bytes += chunk.length;
		if (bytes > redirectBody.limitBytes) done();
	});
}
