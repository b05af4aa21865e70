import type {Timeouts} from '../options.ts';
import {appendMessage} from '../util/append-message.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** The limit on connection and handshake together where neither has a timeout. */
const defaultMs = 60_000;

const phases = {
	slot: {code: 'ERR_MTLS_CONNECT_TIMEOUT', missing: 'no free connection to'},
	connect: {code: 'ERR_MTLS_CONNECT_TIMEOUT', missing: 'no connection to'},
	handshake: {code: 'ERR_MTLS_HANDSHAKE_TIMEOUT', missing: 'no TLS handshake with'},
	firstByte: {code: 'ERR_MTLS_FIRST_BYTE_TIMEOUT', missing: 'no answer from'},
	request: {code: 'ERR_MTLS_REQUEST_TIMEOUT', missing: 'no whole answer from'},
} as const;

/** A part of a request has timed out. */
export class TimeoutError extends Error {
	readonly code: string;
	readonly limitMs: number;
	#hasProgress = false;

	/** @param host - `host:port`. */
	constructor(phase: keyof typeof phases, host: string, limitMs: number) {
		const {code, missing} = phases[phase];
		super(`${missing} ${host} within ${limitMs} ms`);
		this.name = 'TimeoutError';
		this.code = code;
		this.limitMs = limitMs;
	}

	/** Says at the end of the message how far the request had come; what is said first stays. */
	addProgress(progress: string): void {
		if (this.#hasProgress) return;
		this.#hasProgress = true;
		appendMessage(this, progress);
	}
}

/** The timeouts of connecting. A connection that is shared later has none. */
export type ConnectTimeouts = Pick<Timeouts, 'connectMs' | 'handshakeMs'> & {
	/** How much of `connectMs` was spent waiting for a free connection. */
	readonly waitedMs?: number;
};

/** Times one attempt to connect. */
export class ConnectTimer {
	#timer: NodeJS.Timeout | undefined;
	#connected = false;
	readonly #host: string;
	readonly #expire: (error: TimeoutError) => void;
	/** The timeout of the handshake; `undefined` where one timeout covers both. */
	readonly #handshakeMs: number | undefined;

	/** @param expire - Called when connecting, or the handshake, has timed out. */
	constructor(
		host: string,
		timeouts: ConnectTimeouts | undefined,
		expire: (error: TimeoutError) => void,
	) {
		const {connectMs, handshakeMs, waitedMs} = withoutPrototype(timeouts ?? {});
		this.#host = host;
		this.#expire = expire;
		const separate = connectMs !== undefined || handshakeMs !== undefined;
		this.#handshakeMs = separate ? (handshakeMs ?? defaultMs) : undefined;
		// The default does not limit the wait for a free connection.
		this.#start(connectMs ?? defaultMs, connectMs === undefined ? 0 : waitedMs);
	}

	/** The TCP connection, or the tunnel, is open: the handshake follows. */
	connected(): void {
		// A second attempt gets the time that the first one left.
		if (this.#connected) return;
		this.#connected = true;
		if (this.#handshakeMs !== undefined) this.#start(this.#handshakeMs);
	}

	stop(): void {
		clearTimeout(this.#timer);
	}

	#start(limitMs: number, waitedMs = 0): void {
		clearTimeout(this.#timer);
		if (limitMs === 0) return;
		this.#timer = setTimeout(() => {
			const phase = this.#connected ? 'handshake' : 'connect';
			this.#expire(new TimeoutError(phase, this.#host, limitMs));
		}, limitMs - waitedMs);
	}
}
