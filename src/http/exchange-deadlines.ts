/*
 * The deadlines of a request that axios's own adapter makes.
 */
import type {ClientRequest, IncomingMessage} from 'node:http';
import {authorityOfUrl} from '../host.ts';
import {ConnectWatch} from '../net/deadlines.ts';
import {answerWatch} from './answer-watch.ts';
import type {ExchangeInput} from './exchange.ts';
import {Http2Response} from './http2/response.ts';

/** Those of `timeout` and `firstByteMs`. */
export function keepDeadlines(request: ClientRequest, input: ExchangeInput): void {
	keepTimeout(request, input);
	const watch = answerWatch(input, (late) => request.destroy(late));
	if (watch === undefined) return;
	const stop = () => watch.stop();
	request.once('finish', () => watch.sent(undefined));
	request.prependOnceListener('response', stop).once('close', stop);
}

/** The deadlines of follow-redirects: one until the head of the answer, one for each pause after it. */
function keepTimeout(request: ClientRequest, {follows, remainingMs, idleMs}: ExchangeInput): void {
	if (remainingMs === undefined) return;
	// Which axios listens to.
	const timer = setTimeout(() => request.emit('timeout'), remainingMs);
	request.once('close', () => clearTimeout(timer));
	request.prependOnceListener('response', (response: IncomingMessage) => {
		clearTimeout(timer);
		// Without redirects axios is alone with Node, and a pause is its own timeout.
		if (!follows || idleMs === undefined) return;
		request.removeAllListeners('timeout');
		request.once('timeout', () => {
			// Of HTTP/2 the stream alone: others share the connection.
			if (response instanceof Http2Response) response.breakOff();
			else response.socket.destroy();
		});
	});
}

/** Those of a connection that our agent does not make. */
export function watchConnecting(request: ClientRequest, {hop, timeouts}: ExchangeInput): void {
	if (timeouts.connectMs === undefined && timeouts.handshakeMs === undefined) return;
	request.once('socket', (socket) => {
		if (!socket.connecting) return;
		const host = authorityOfUrl(hop.url);
		const watch = new ConnectWatch(host, timeouts, (error) => request.destroy(error));
		const stop = () => watch.stop();
		socket.once('close', stop);
		// A TLS socket has its own event for when it is ready.
		if ('encrypted' in socket)
			socket.once('connect', () => watch.connected()).once('secureConnect', stop);
		else socket.once('connect', stop);
	});
}
