/*
 * How the requests of axios's own adapter are sent: by which agent and route, with which timeouts.
 */
import http, {
	type ClientRequest,
	type IncomingMessage,
	type OutgoingHttpHeaders,
	type RequestOptions,
} from 'node:http';
import https from 'node:https';
import {type Duplex, Readable} from 'node:stream';
import {attachRoute, hostWaitedFor} from '../../connection/agent-pool.ts';
import {ConnectTimer} from '../../connection/connect-timeout.ts';
import {ProtocolSwitchError} from '../../connection/http1-connection.ts';
import {closeAfterEarlyResponse} from '../../connection/keep-alive.ts';
import {hangUp} from '../../connection/node-errors.ts';
import type {RequestLoss} from '../../connection/request-connection.ts';
import {isForwarded} from '../../connection/route.ts';
import {requestOptions, streamOptions} from '../../connection/socket-options.ts';
import {withoutSpans} from '../../logging/opentelemetry.ts';
import {authorityOfUrl} from '../../util/url.ts';
import {timeoutError} from '../axios-errors.ts';
import type {ExchangeInput} from '../exchange.ts';
import {headerOf, isRedirect, redirectBody, routeOf} from '../exchange.ts';
import {FirstByteTimer} from '../first-byte-timeout.ts';
import {assertTunnel, isRefusedTunnel, refuseTunnel, refuseUnverified} from '../global-agent.ts';
import {absoluteForm, withProxyAuthorization} from '../outgoing/proxy-request.ts';

type Respond = (response: IncomingMessage) => void;

/** Sends the requests of axios's adapter, and knows their state. */
export interface Transport {
	request(options: RequestOptions, respond: Respond): ClientRequest;
	/** The host, with its port, to which a request waits for a free connection. */
	waitsFor(request: ClientRequest): string | undefined;
	/** Breaks a response off, as the end of its connection does. */
	abort(response: IncomingMessage): void;
	/** What ended a request before its response, if the transport itself knows it. */
	lossOf?(request: ClientRequest): RequestLoss | undefined;
}

/** One request of axios's adapter. */
export interface Attempt {
	/** The MtlsAgent makes the connection. */
	readonly byMtlsAgent: boolean;
	/** Aborted when the request has failed. */
	readonly controller: AbortController;
	/** The body of this attempt. */
	readonly data: unknown;
	request: ClientRequest | undefined;
	lossOf: Transport['lossOf'];
}

/**
 * The `transport` option for axios: it adds the route for the MtlsAgent, the timeouts and the checks to
 * a request of `transport` or of Node, and passes no body of a redirect to axios.
 */
export function hopTransport(
	input: ExchangeInput,
	attempt: Attempt,
	transport: Transport | undefined,
): Pick<Transport, 'request'> {
	const {hop, config, globalAgent} = input;
	const {byMtlsAgent} = attempt;
	const secure = hop.url.protocol === 'https:';
	const byGlobalAgent = usesGlobalAgent(input);
	const isNode = transport === undefined && !config.transport;
	const base = transport ?? nodeTransport(config.transport ?? (secure ? https : http));
	attempt.lossOf = base.lossOf;
	return {
		request(options, respond) {
			const sent = sentOptions(options, input, attempt, isNode);
			if (byGlobalAgent) {
				assertTunnel(sent);
				Object.assign(sent, {rejectUnauthorized: true});
			}
			// The request has its span already.
			const request = withoutSpans(() =>
				base.request(sent, (response) => pass(request, response, respond, input)),
			);
			attempt.request = request;
			request.protocol = hop.url.protocol;
			request.once('close', () => hop.body?.stop(attempt.data));
			closeAfterEarlyResponse(request);
			emitErrorOnEveryEnd(request);
			// A request by the app's own agent, or through a mock of the network, is not sent again.
			if (byMtlsAgent || (!secure && !config.httpAgent && !globalAgent && !config.transport)) {
				watchLoss(request, attempt);
			}
			if (byGlobalAgent) refuseUnverified(request);
			applyTimeouts(request, input, base);
			if (!byMtlsAgent) applyConnectTimeout(request, input);
			return request;
		},
	};
}

/** Whether the app's global agent makes an https connection. */
function usesGlobalAgent({hop, agent, globalAgent}: ExchangeInput): boolean {
	return hop.url.protocol === 'https:' && agent === undefined && globalAgent !== undefined;
}

function sentOptions(
	options: RequestOptions,
	input: ExchangeInput,
	{byMtlsAgent, controller}: Attempt,
	isNode: boolean,
): RequestOptions {
	const {hop, fresh} = input;
	// A URL would escape some of the characters.
	if (hop.index > 0 && options.path === hop.url.pathname + hop.url.search) options.path = hop.path;
	const withAgent = byMtlsAgent ? withRoute(options, input, controller.signal) : options;
	// A transport of the app gets the options as axios gives them.
	const sent = isNode ? requestOptions(withAgent) : withAgent;
	if (fresh && !byMtlsAgent) sent.agent = false;
	return sent;
}

/** Passes a response, or the head of a redirect, to axios; refuses a response that is not the server's. */
function pass(
	request: ClientRequest,
	response: IncomingMessage,
	respond: Respond,
	input: ExchangeInput,
): void {
	const {followsRedirect, proxy} = input;
	const {statusCode, headers, socket} = response;
	if (proxy && usesGlobalAgent(input) && isRefusedTunnel(response)) {
		refuseTunnel(request, response, proxy);
	} else if (statusCode === 101) refuseSwitch(request, socket);
	else if (followsRedirect && isRedirect(statusCode) && headerOf(headers, 'location')) {
		drainRedirect(request, response, respond);
	} else respond(response);
}

function nodeTransport(base: Pick<Transport, 'request'>): Transport {
	return {
		request: (options, respond) => base.request(options, respond),
		waitsFor: hostWaitedFor,
		abort: ({socket}) => socket.destroy(),
	};
}

// A mock that replaces it later, such as nock, must get plain http requests as axios sends them.
const {request: nodeRequest} = http;

/**
 * Whether the MtlsAgent makes the connection: for https always, for http through a proxy, or where
 * connections are limited.
 */
export function usesMtlsAgent(input: ExchangeInput): boolean {
	const {hop, agent, config, proxy, globalAgent, limited} = input;
	if (agent === undefined) return false;
	if (hop.url.protocol === 'https:') return true;
	if (proxy === undefined || config.socketPath) {
		const isNode = http.request === nodeRequest && !config.transport;
		return limited && isNode && !(config.httpAgent || globalAgent);
	}
	// Security: axios would use the agent of https for an https proxy, and with it the client certificate.
	return !(config.httpAgent || globalAgent) || proxy.secure;
}

/** The options of a request, with its route for the MtlsAgent. */
function withRoute(
	options: RequestOptions,
	input: ExchangeInput,
	signal: AbortSignal,
): RequestOptions {
	const {hop, config, agent} = input;
	const {url} = hop;
	const route = {...routeOf(input), signal};
	// The protocol is the agent's own: Node requires that they agree.
	const sent: RequestOptions = route.secure
		? options
		: {...options, agent, protocol: 'https:', defaultPort: 80};
	if (config.socketPath) {
		// Security: axios sets no host then, and Node would verify the certificate for `localhost`.
		return attachRoute({...sent, host: url.hostname, port: url.port}, route);
	}
	if (!isForwarded(route)) return attachRoute(sent, route);
	const forwarded: RequestOptions = {
		...sent,
		path: absoluteForm(hop, options.path ?? '/'),
		headers: withProxyAuthorization(options.headers as OutgoingHttpHeaders, route.proxy),
	};
	return attachRoute(forwarded, route);
}

/** Axios waits for a response or an error, and a request of Node's can end without either. */
function emitErrorOnEveryEnd(request: ClientRequest): void {
	let settled = false;
	const onSettled = () => {
		settled = true;
	};
	request.once('response', onSettled).once('error', onSettled);
	request.once('upgrade', (_, socket) => refuseSwitch(request, socket));
	request.once('close', () => {
		if (!settled) request.emit('error', hangUp());
	});
}

/** Ends a request whose response switches to another protocol. */
function refuseSwitch(request: ClientRequest, socket: Duplex): void {
	socket.destroy();
	request.emit('error', new ProtocolSwitchError());
}

function watchLoss(request: ClientRequest, attempt: Attempt): void {
	request.once('socket', (socket) => {
		const {reusedSocket: reused} = request;
		const {bytesRead} = socket;
		attempt.lossOf = () => ({socket, reused, sent: true, answered: socket.bytesRead > bytesRead});
	});
}

/** Passes the head of a redirect on, and drops its body and the unsent rest of the request. */
function drainRedirect(request: ClientRequest, response: IncomingMessage, respond: Respond): void {
	const {statusCode, statusMessage, socket} = response;
	const {'content-encoding': _, ...headers} = response.headers;
	// Stands in for the response until its connection is free.
	const bare = new Readable(streamOptions({read() {}}));
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
	// A request that is not fully sent: `end` would turn half a body into a whole one, and without `end`
	// the connection is spoilt. Node may report only later in this turn that the request was sent.
	else if (!request.writableFinished) setImmediate(() => request.writableFinished || done());
	let bytes = 0;
	response.on('data', (chunk: Buffer) => {
		bytes += chunk.length;
		if (bytes > redirectBody.limitBytes) done();
	});
}

/** `timeout` and `firstByteMs`. */
function applyTimeouts(request: ClientRequest, input: ExchangeInput, transport: Transport): void {
	applyTimeout(request, input, transport);
	const {hop, timeouts} = input;
	if (!timeouts.firstByteMs) return;
	const timer = new FirstByteTimer(hop.url, timeouts.firstByteMs, (error) =>
		request.destroy(error),
	);
	const stop = () => timer.stop();
	request.once('finish', () => timer.start(undefined));
	request.prependOnceListener('response', stop).once('close', stop);
}

/** As follow-redirects does: one timeout until the head of the response, one for each pause after it. */
function applyTimeout(
	request: ClientRequest,
	{config, followsRedirect, remainingMs, idleMs}: ExchangeInput,
	transport: Transport,
): void {
	if (remainingMs === undefined) return;
	const timer = setTimeout(() => {
		const host = transport.waitsFor(request);
		// axios listens for this event.
		if (host === undefined) request.emit('timeout');
		else request.destroy(queueTimeout(config, host));
	}, remainingMs);
	request.once('close', () => clearTimeout(timer));
	request.prependOnceListener('response', (response: IncomingMessage) => {
		clearTimeout(timer);
		// Without redirects axios does not use follow-redirects, and times the pauses itself.
		if (!followsRedirect || idleMs === undefined) return;
		request.removeAllListeners('timeout');
		request.once('timeout', () => transport.abort(response));
	});
}

/** The error from which axios makes its own, with the host to which no connection was free. */
function queueTimeout(config: ExchangeInput['config'], host: string): Error {
	const progress = ` waiting for a free connection to ${host}`;
	const {name, message, code} = timeoutError(config, undefined, progress);
	return Object.assign(new Error(message), {name, code});
}

/** `connectMs` and `handshakeMs` of a connection that the MtlsAgent does not make. */
function applyConnectTimeout(request: ClientRequest, {hop, timeouts}: ExchangeInput): void {
	if (timeouts.connectMs === undefined && timeouts.handshakeMs === undefined) return;
	request.once('socket', (socket) => {
		if (!socket.connecting) return;
		const host = authorityOfUrl(hop.url);
		const timer = new ConnectTimer(host, timeouts, (error) => request.destroy(error));
		const stop = () => timer.stop();
		socket.once('close', stop);
		// A TLS socket has its own event for when it is ready.
		if ('encrypted' in socket)
			socket.once('connect', () => timer.connected()).once('secureConnect', stop);
		else socket.once('connect', stop);
	});
}
