import type {Socket} from 'node:net';
import {authorityOf} from '../../util/url.ts';
import {destroyQuietly} from './connect-to-proxy.ts';
import type {HttpProxy} from './proxy-config.ts';
import {ProxyError} from './proxy-error.ts';

/** An answer to CONNECT longer than this is not one. */
const maxHeadBytes = 16 * 1024;

/**
 * Asks `proxy`, at the other end of `socket`, for a tunnel to `host:port` by CONNECT (RFC 9110 §9.3.6).
 *
 * The request's own headers and bytes never reach the proxy: they wait for the TLS inside.
 *
 * @throws {ProxyError} when there is no tunnel; `signal`'s reason when it is aborted. The socket is
 * then destroyed.
 */
export async function openTunnel(
	socket: Socket,
	proxy: HttpProxy,
	host: string,
	port: number,
	signal: AbortSignal,
): Promise<void> {
	const authority = authorityOf(host, port);
	const {authorization} = proxy;
	// Security: of a name with a line end, which another client of the agent may give, the proxy would
	// take what follows for a header.
	if (/[^\x21-\x7e]/.test(authority)) {
		destroyQuietly(socket);
		throw Object.assign(new TypeError('no host name to ask a proxy for'), {
			code: 'ERR_INVALID_CHAR',
		});
	}
	socket.write(
		`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
			(authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`) +
			proxy.connectHeaders +
			'\r\n',
	);
	try {
		const head = await readHead(socket, proxy, signal);
		assertAccepted(head, proxy, authority);
	} catch (error) {
		destroyQuietly(socket);
		throw error;
	}
}

function readHead(socket: Socket, proxy: HttpProxy, signal: AbortSignal): Promise<string> {
	return new Promise((resolve, reject) => {
		let received = Buffer.alloc(0);
		let bytes = 0;
		/** Leaves answers out that announce another (RFC 9110 §15.2). @returns where the head ends; -1 before. */
		const passInterim = (): number => {
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
			fail(badReply(proxy, reason, {cause, unanswered: bytes === 0}));
		const onEnd = () => hungUp('it hung up before its answer was complete');
		const onError = (cause: NodeJS.ErrnoException) =>
			hungUp(`it hung up (${cause.code ?? cause.message})`, cause);
		const onData = (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			bytes += chunk.length;
			const end = passInterim();
			if (!startsAsHttp(received)) return fail(badReply(proxy, 'no HTTP status line'));
			if (bytes - (end === -1 ? 0 : received.length - end) > maxHeadBytes) {
				return fail(badReply(proxy, `more than ${maxHeadBytes} bytes without an end`));
			}
			if (end === -1) return;
			const head = received.toString('latin1', 0, end);
			if (received.length > end + 4 && accepts(statusOf(head))) {
				// In TLS the client speaks first: bytes after an acceptance are the proxy's own.
				fail(badReply(proxy, 'bytes after its acceptance'));
				return;
			}
			settle();
			resolve(head);
		};
		if (signal.aborted) return fail(signal.reason);
		signal.addEventListener('abort', onAbort);
		socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onEnd);
	});
}

function assertAccepted(head: string, proxy: HttpProxy, authority: string): void {
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
		{status},
	);
}

function badReply(
	proxy: HttpProxy,
	reason: string,
	how?: {cause: unknown; unanswered: boolean},
): ProxyError {
	return new ProxyError(
		'proxy-bad-reply',
		'ERR_PROXY_BAD_REPLY',
		`the proxy ${proxy} answered CONNECT wrongly: ${reason}`,
		how,
	);
}

// What is no HTTP need not come to an end, so it is not waited for.
function startsAsHttp(received: Buffer): boolean {
	const begin = 'HTTP/1.';
	return begin.startsWith(received.toString('latin1', 0, begin.length));
}

function statusOf(head: string): number | undefined {
	const status = /^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1];
	return status === undefined ? undefined : Number(status);
}

// RFC 9110 §15.2.2: after a 101 it would not be HTTP that follows.
function isInterim(status: number | undefined): boolean {
	return status !== undefined && status >= 100 && status < 200 && status !== 101;
}

// RFC 9110 §9.3.6: any 2xx means that the tunnel stands.
function accepts(status: number | undefined): boolean {
	return status !== undefined && status >= 200 && status < 300;
}
