import type {Timeouts} from '../options.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** Connection and handshake together may take this long, where neither has a deadline of its own. */
const defaultMs = 60_000;

/** What can take too long, and what is then said of it. */
const phases = {
	place: {code: 'ERR_MTLS_CONNECT_TIMEOUT', missing: 'no free connection to'},
	connect: {code: 'ERR_MTLS_CONNECT_TIMEOUT', missing: 'no connection to'},
	handshake: {code: 'ERR_MTLS_HANDSHAKE_TIMEOUT', missing: 'no TLS handshake with'},
	firstByte: {code: 'ERR_MTLS_FIRST_BYTE_TIMEOUT', missing: 'no answer from'},
	request: {code: 'ERR_MTLS_REQUEST_TIMEOUT', missing: 'no whole answer from'},
} as const;

/** A part of a request was not done in time. */
export class TimeoutError extends Error {
	readonly code: string;
	readonly limitMs: number;

	/** @param host - Who was waited for, with its port. */
	constructor(phase: keyof typeof phases, host: string, limitMs: number) {
		const {code, missing} = phases[phase];
		super(`${missing} ${host} within ${limitMs} ms`);
		this.name = 'DeadlineError';
		this.code = code;
		this.limitMs = limitMs;
	}
}

/** The deadlines of one attempt to connect. They are its own: whoever shares a connection has none. */
export type ConnectTimeouts = Pick<Timeouts, 'connectMs' | 'handshakeMs'> & {
	/** What the wait for a free connection has taken of `connectMs`. */
	readonly waitedMs?: number;
};

/** Watches over one attempt to connect. */
export class ConnectTimer {
	#timer: NodeJS.Timeout | undefined;
	#connected = false;
	readonly #host: string;
	readonly #expire: (error: TimeoutError) => void;
	/** Of what comes after the connection; `undefined` where one deadline serves for both. */
	readonly #handshakeMs: number | undefined;

	/** @param expire - Called when there is no connection, or no handshake, in time. */
	constructor(
		host: string,
		timeouts: ConnectTimeouts | undefined,
		expire: (error: TimeoutError) => void,
	) {
		const {connectMs, handshakeMs, waitedMs} = withoutPrototype(timeouts ?? {});
		this.#host = host;
		this.#expire = expire;
		const apart = connectMs !== undefined || handshakeMs !== undefined;
		this.#handshakeMs = apart ? (handshakeMs ?? defaultMs) : undefined;
		// Where nobody has given one, it is no limit to the wait either.
		this.#start(connectMs ?? defaultMs, connectMs === undefined ? 0 : waitedMs);
	}

	/** There is a TCP connection, or a tunnel: what is left is the handshake. */
	connected(): void {
		// A second attempt has what is left of the first.
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
