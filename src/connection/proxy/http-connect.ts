import type {Socket} from 'node:net';
import {ProxyError} from './proxy-error.ts';
import type {ProxyServer} from './resolve-proxy.ts';

/** The longest head of a response to CONNECT that is accepted. */
const maxHeadBytes = 16 * 1024;

/**
 * Asks `proxy`, to which `socket` is connected, for a tunnel to `authority` by CONNECT (RFC 9110 §9.3.6).
 * The headers of the request itself are sent inside the tunnel.
 *
 * @param serverFirst - The server may send before the client does.
 *
 * @throws {ProxyError} when there is no tunnel; the reason of `signal` when it is aborted.
 */
export async function requestTunnel(
	socket: Socket,
	proxy: ProxyServer,
	{authority, serverFirst}: {readonly authority: string; readonly serverFirst: boolean},
	signal: AbortSignal,
): Promise<void> {
	const {authorization} = proxy;
	socket.write(
		`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
			(authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`) +
			proxy.connectHeaders +
			'\r\n',
	);
	const head = await readHead(socket, proxy, serverFirst, signal);
	assertAccepted(head, proxy, authority);
}

function readHead(
	socket: Socket,
	proxy: ProxyServer,
	serverFirst: boolean,
	signal: AbortSignal,
): Promise<string> {
	return new Promise((resolve, reject) => {
		let received = Buffer.alloc(0);
		let bytes = 0;
		/** Drops interim responses (RFC 9110 §15.2). @returns where the final head ends, or -1. */
		const dropInterim = (): number => {
			for (;;) {
				const end = received.indexOf('\r\n\r\n');
				if (end === -1 || !isInterim(statusOf(received.toString('latin1', 0, end)))) return end;
				received = received.subarray(end + 4);
			}
		};
		const settle = () => {
			signal.removeEventListener('abort', onAbort);
			socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onEnd);
			socket.pause();
		};
		const fail = (error: unknown) => {
			settle();
			reject(error);
		};
		const onAbort = () => fail(signal.reason);
		const hungUp = (reason: string, cause?: unknown) =>
			fail(badReply(proxy, reason, {cause, spoke: spokenIn(received, bytes)}));
		const onEnd = () => hungUp('it hung up before its answer was complete');
		const onError = (cause: NodeJS.ErrnoException) =>
			hungUp(`it hung up (${cause.code ?? cause.message})`, cause);
		const onData = (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			bytes += chunk.length;
			const end = dropInterim();
			if (!startsLikeHttp(received)) {
				const spoke = spokenIn(received, bytes);
				return fail(badReply(proxy, 'no HTTP status line', {spoke}));
			}
			if (bytes - (end === -1 ? 0 : received.length - end) > maxHeadBytes) {
				return fail(badReply(proxy, `more than ${maxHeadBytes} bytes without an end`));
			}
			if (end === -1) return;
			const head = received.toString('latin1', 0, end);
			const rest = received.subarray(end + 4);
			if (!serverFirst && rest.length > 0 && accepts(statusOf(head))) {
				// The client sends first, so these bytes are not the server's.
				fail(badReply(proxy, 'bytes after its acceptance', {spoke: 'body'}));
				return;
			}
			settle();
			if (rest.length > 0) socket.unshift(rest);
			resolve(head);
		};
		if (signal.aborted) return fail(signal.reason);
		signal.addEventListener('abort', onAbort);
		socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onEnd);
	});
}

function assertAccepted(head: string, proxy: ProxyServer, authority: string): void {
	const status = statusOf(head);
	if (accepts(status)) return;
	if (status === undefined) throw badReply(proxy, 'no HTTP status line');
	if (status === 407) {
		throw new ProxyError(
			'proxy-auth-required',
			'ERR_PROXY_AUTH_REQUIRED',
			`the proxy ${proxy} wants a login (407)`,
			{status},
		);
	}
	throw new ProxyError(
		'proxy-refused',
		'ERR_PROXY_REFUSED',
		`the proxy ${proxy} refused a tunnel to ${authority} (${status})`,
		{status, squidError: squidErrorOf(head)},
	);
}

/**
 * How Squid says what failed: `ERR_DNS_FAIL 0`.
 *
 * Security: any other text may be an echo of the request, and its `Proxy-Authorization`.
 */
function squidErrorOf(head: string): string | undefined {
	return /^x-squid-error:[ \t]*(ERR_[A-Z_]{1,50} \d{1,9})[ \t]*$/im.exec(head)?.[1];
}

/** A TLS server answers CONNECT with an alert: a record of type 21 and version 3.x (RFC 8446 §5.1). */
function spokenIn(received: Buffer, bytes: number): 'nothing' | 'tls' | 'other' {
	if (bytes === 0) return 'nothing';
	return received[0] === 21 && received[1] === 3 ? 'tls' : 'other';
}

function badReply(
	proxy: ProxyServer,
	reason: string,
	how?: {cause?: unknown; spoke: 'nothing' | 'tls' | 'body' | 'other'},
): ProxyError {
	return new ProxyError(
		'proxy-bad-reply',
		'ERR_PROXY_BAD_REPLY',
		`the proxy ${proxy} answered CONNECT wrongly: ${reason}`,
		how,
	);
}

// What is not HTTP may never end, so it is refused at once.
function startsLikeHttp(received: Buffer): boolean {
	const begin = 'HTTP/1.';
	return begin.startsWith(received.toString('latin1', 0, begin.length));
}

function statusOf(head: string): number | undefined {
	const status = /^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1];
	return status === undefined ? undefined : Number(status);
}

// RFC 9110 §15.2.2: what follows a 101 is not HTTP.
function isInterim(status: number | undefined): boolean {
	return status !== undefined && status >= 100 && status < 200 && status !== 101;
}

// RFC 9110 §9.3.6: any 2xx opens the tunnel.
function accepts(status: number | undefined): boolean {
	return status !== undefined && status >= 200 && status < 300;
}
