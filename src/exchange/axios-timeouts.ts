/*
 * The deadlines of a request that axios's own adapter makes.
 */
import type {ClientRequest, IncomingMessage} from 'node:http';
import {hostWaitedFor} from '../connection/agent-queue.ts';
import {ConnectTimer} from '../connection/connect-timeout.ts';
import {authorityOfUrl} from '../util/url.ts';
import {timeoutError} from './axios-errors.ts';
import type {ExchangeInput} from './exchange.ts';
import {firstByteTimer} from './first-byte-timeout.ts';
import {Http2Request, Http2Response} from './http2/request.ts';

/** Those of `timeout` and `firstByteMs`. */
export function applyTimeouts(request: ClientRequest, input: ExchangeInput): void {
	keepTimeout(request, input);
	const watch = firstByteTimer(input, (late) => request.destroy(late));
	if (watch === undefined) return;
	const stop = () => watch.stop();
	request.once('finish', () => watch.sent(undefined));
	request.prependOnceListener('response', stop).once('close', stop);
}

/** The deadlines of follow-redirects: one until the head of the answer, one for each pause after it. */
function keepTimeout(
	request: ClientRequest,
	{config, followsRedirect, remainingMs, idleMs}: ExchangeInput,
): void {
	if (remainingMs === undefined) return;
	const timer = setTimeout(() => {
		const host = request instanceof Http2Request ? request.waitsFor : hostWaitedFor(request);
		// Which axios listens to.
		if (host === undefined) request.emit('timeout');
		else request.destroy(lateWaiting(config, host));
	}, remainingMs);
	request.once('close', () => clearTimeout(timer));
	request.prependOnceListener('response', (response: IncomingMessage) => {
		clearTimeout(timer);
		// Without redirects axios is alone with Node, and a pause is its own timeout.
		if (!followsRedirect || idleMs === undefined) return;
		request.removeAllListeners('timeout');
		request.once('timeout', () => {
			// Of HTTP/2 the stream alone: others share the connection.
			if (response instanceof Http2Response) response.breakOff();
			else response.socket.destroy();
		});
	});
}

/** What axios makes its error of: with its words, and where the time went. */
function lateWaiting(config: ExchangeInput['config'], host: string): Error {
	const {name, message, code} = timeoutError(config, undefined, host);
	return Object.assign(new Error(message), {name, code});
}

/** Those of a connection that our agent does not make. */
export function applyConnectTimeout(request: ClientRequest, {hop, timeouts}: ExchangeInput): void {
	if (timeouts.connectMs === undefined && timeouts.handshakeMs === undefined) return;
	request.once('socket', (socket) => {
		if (!socket.connecting) return;
		const host = authorityOfUrl(hop.url);
		const watch = new ConnectTimer(host, timeouts, (error) => request.destroy(error));
		const stop = () => watch.stop();
		socket.once('close', stop);
		// A TLS socket has its own event for when it is ready.
		if ('encrypted' in socket)
			socket.once('connect', () => watch.connected()).once('secureConnect', stop);
		else socket.once('connect', stop);
	});
}
