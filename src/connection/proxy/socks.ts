/*
 * Asks a SOCKS 5 proxy for a tunnel (RFC 1928, RFC 1929) with the package `socks`.
 *
 * The package writes the messages and follows the dialogue, but it does not get the socket:
 *
 * - it accepts a reply with an address of an unknown type, and a method that was not offered;
 * - it emits what follows the reply a turn later, on a socket that TLS reads by then;
 * - its errors have no code, and hold the password.
 */
import type {Socket} from 'node:net';
import {Duplex} from 'node:stream';
import type {SocksClient} from 'socks';
import {socksReplyName} from '../../failures/socks-refusal.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {authorityOf} from '../../util/url.ts';
import {streamOptions} from '../socket-options.ts';
import {ProxyError} from './proxy-error.ts';
import type {ProxyServer} from './resolve-proxy.ts';

/** What the package takes for the socket. */
class StandIn extends Duplex {
	#send: ((message: Buffer) => void) | undefined;

	constructor(send: (message: Buffer) => void) {
		super(streamOptions({}));
		this.#send = send;
	}

	// The bytes of the proxy are emitted, not read.
	override _read(): void {}

	override _write(message: Buffer, _encoding: string, done: () => void): void {
		this.#send?.(message);
		done();
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		this.#send = undefined;
		done(error);
	}
}

interface Target {
	/** A name, or an address. */
	readonly host: string;
	readonly port: number;
	/** The server may send before the client does. */
	readonly serverFirst: boolean;
}

/**
 * Asks `proxy`, to which `socket` is connected, for a tunnel to `target`.
 *
 * @throws {ProxyError} when there is no tunnel; the reason of `signal` when it is aborted.
 */
type Negotiate = (
	socket: Socket,
	proxy: ProxyServer,
	target: Target,
	signal: AbortSignal,
) => Promise<void>;

/** Loads the package, which most apps never need. */
export async function loadSocks(): Promise<Negotiate> {
	const {SocksClient} = await import('socks');
	return (...given) => negotiate(SocksClient, ...given);
}

function negotiate(
	Client: typeof SocksClient,
	socket: Socket,
	proxy: ProxyServer,
	target: Target,
	signal: AbortSignal,
): Promise<void> {
	return new Promise((resolve, reject) => {
		let received = Buffer.alloc(0);
		let state: 'asked' | 'granted' | 'settled' = 'asked';
		const standIn = new StandIn((message) => socket.write(message));
		const client = clientFor(Client, proxy, target);

		const settle = (): boolean => {
			if (state === 'settled') return false;
			state = 'settled';
			signal.removeEventListener('abort', onAbort);
			socket
				.off('readable', onReadable)
				.off('end', onEnd)
				.off('error', onError)
				.off('close', onEnd);
			// Until its timer is over, the client stays in memory.
			client.removeAllListeners().on('error', () => {});
			standIn.destroy();
			return true;
		};
		const fail = (error: unknown) => {
			if (settle()) reject(error);
		};
		const wrongly = (reason: string, cause?: unknown) =>
			fail(badReply(proxy, stageOf(received), reason, cause));
		const onAbort = () => fail(signal.reason);
		const onEnd = () => wrongly('it hung up');
		const onError = (cause: NodeJS.ErrnoException) =>
			wrongly(`it hung up (${cause.code ?? cause.message})`, cause);
		// Not 'data': Node's HTTP client would wait for ever on a socket that was paused after it.
		const onReadable = () => {
			while (state !== 'settled') {
				const chunk: Buffer | null = socket.read();
				if (chunk === null) return;
				read(chunk);
			}
		};
		const read = (chunk: Buffer) => {
			// Byte by byte, so that the package has got exactly the reply when it says that it is complete.
			for (const [index, byte] of chunk.entries()) {
				received = Buffer.concat([received, Buffer.of(byte)]);
				const fault = faultIn(received, chunk, proxy, target);
				if (fault !== undefined) return fail(fault);
				try {
					standIn.emit('data', Buffer.of(byte));
				} catch {
					// Where `Object.prototype` has the options of its reader.
					return wrongly('a message that cannot be read');
				}
				if (state === 'asked') continue;
				const rest = chunk.subarray(index + 1);
				// Where the client sends first, these bytes are not the server's.
				if (!target.serverFirst && rest.length > 0) return wrongly('bytes after its acceptance');
				if (!settle()) return;
				if (rest.length > 0) socket.unshift(rest);
				resolve();
				return;
			}
		};

		client.once('established', () => {
			if (state === 'asked') state = 'granted';
		});
		// Security: the package's own error holds the password.
		client.on('error', () => wrongly('bytes that it was not asked for'));
		if (signal.aborted) return fail(signal.reason);
		signal.addEventListener('abort', onAbort);
		socket.on('readable', onReadable).on('end', onEnd).on('error', onError).on('close', onEnd);
		client.connect(standIn);
	});
}

/**
 * The private method that the timer of a client calls to end the dialogue, whatever `timeouts` say.
 * Nothing stops the timer, which keeps the client in memory: so it ends early, and does nothing. A version
 * of the package without this method has a limit of 30 seconds.
 */
const onTimeout = 'onEstablishedTimeout';

function clientFor(
	Client: typeof SocksClient,
	proxy: ProxyServer,
	destination: Target,
): SocksClient {
	const {host, port, socksLogin} = proxy;
	const client = new Client(
		withoutPrototype({
			command: 'connect' as const,
			destination: {host: destination.host, port: destination.port},
			proxy: withoutPrototype({
				host,
				port,
				type: 5 as const,
				userId: socksLogin?.username ?? '',
				password: socksLogin?.password ?? '',
			}),
			timeout: onTimeout in Client.prototype ? 1 : 30_000,
		}),
	);
	Reflect.set(client, onTimeout, () => {});
	return client;
}

const noMethod = 0xff;
const userAndPassword = 2;
const addressTypes = [1, 3, 4];

/** What is wrong with the bytes of the proxy so far. @param chunk - The whole of what came last. */
function faultIn(
	received: Buffer,
	chunk: Buffer,
	proxy: ProxyServer,
	{host, port}: Target,
): ProxyError | undefined {
	const stage = stageOf(received);
	const wrongly = (reason: string) => badReply(proxy, stage, reason);
	const [version, method] = received;
	if (version !== 5) {
		return wrongly(/^HTTP\//.test(chunk.toString('latin1')) ? 'HTTP' : 'no version 5');
	}
	if (method === undefined) return undefined;
	const isOffered = method === 0 || (method === userAndPassword && proxy.socksLogin !== undefined);
	if (method === noMethod || (method === userAndPassword && !isOffered)) {
		return loginRefused(
			proxy,
			proxy.hasCredentials ? 'accepts no login of this kind' : 'wants a login',
		);
	}
	if (!isOffered) return wrongly(`method ${method}, which was not offered`);

	const hasLoggedIn = method === userAndPassword;
	if (hasLoggedIn && (received[3] ?? 0) !== 0)
		return loginRefused(proxy, 'did not accept the login');
	const [replyVersion = 5, reply = 0, , addressType = 1] = received.subarray(hasLoggedIn ? 4 : 2);
	if (replyVersion !== 5) return wrongly('no version 5');
	if (reply !== 0) {
		return new ProxyError(
			'proxy-refused',
			'ERR_PROXY_REFUSED',
			`the proxy ${proxy} refused a tunnel to ${authorityOf(host, port)}: ${socksReplyName(reply)}`,
			{reply},
		);
	}
	if (addressTypes.includes(addressType)) return undefined;
	return wrongly(`an address of type ${addressType}`);
}

type Stage = 'greeting' | 'login' | 'request';

/** What the proxy was asked last. */
function stageOf({length, 1: method}: Buffer): Stage {
	if (length <= 2 && method !== 0 && method !== userAndPassword) return 'greeting';
	return method === userAndPassword && length < 4 ? 'login' : 'request';
}

function loginRefused(proxy: ProxyServer, what: string): ProxyError {
	return new ProxyError(
		'proxy-auth-required',
		'ERR_PROXY_AUTH_REQUIRED',
		`the proxy ${proxy} ${what}`,
	);
}

function badReply(proxy: ProxyServer, stage: Stage, reason: string, cause?: unknown): ProxyError {
	return new ProxyError(
		'proxy-bad-reply',
		'ERR_PROXY_BAD_REPLY',
		`the proxy ${proxy} answered the SOCKS ${stage} wrongly: ${reason}`,
		{cause},
	);
}
