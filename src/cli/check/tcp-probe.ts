import {lookup} from 'node:dns/promises';
import {connect, isIP, type Socket} from 'node:net';
import {fileErrorCode} from '../shared/files.ts';

/** Where a connection goes first: the server, or the proxy before it. */
export interface HostPort {
	readonly host: string;
	readonly port: number;
}

/** What was tried before TLS; an `error` is the code of Node, such as `ENOTFOUND`. */
export interface ProbeResult {
	readonly place: HostPort;
	readonly addresses: readonly string[];
	readonly lookupError?: string;
	/** The address that accepted a TCP connection. */
	readonly connected?: {readonly address: string; readonly milliseconds: number};
	readonly connectError?: string;
}

/** Looks the name up and opens a TCP connection, to see how far one comes without TLS. */
export async function probe(place: HostPort, signal: AbortSignal): Promise<ProbeResult> {
	let addresses: string[] = [place.host];
	if (isIP(place.host) === 0) {
		try {
			const found = await abortable(lookup(place.host, {all: true}), signal);
			addresses = [...new Set(found.map(({address}) => address))];
		} catch (error) {
			return {place, addresses: [], lookupError: codeOf(error)};
		}
	}
	const begun = performance.now();
	try {
		const address = await accepts(place, signal);
		const milliseconds = Math.round(performance.now() - begun);
		return {place, addresses, connected: {address, milliseconds}};
	} catch (error) {
		return {place, addresses, connectError: codeOf(error)};
	}
}

function accepts({host, port}: HostPort, signal: AbortSignal): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket: Socket = connect({host, port, signal});
		socket.once('error', reject);
		socket.once('connect', () => {
			resolve(socket.remoteAddress ?? host);
			socket.destroy();
		});
	});
}

// dns.lookup() cannot be cancelled; nobody waits for it any more.
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const onAbort = () => reject(signal.reason);
		if (signal.aborted) return onAbort();
		signal.addEventListener('abort', onAbort, {once: true});
		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
	});
}

function codeOf(error: unknown): string {
	const {code} = error as NodeJS.ErrnoException;
	// Several addresses that all fail make one error of many.
	if (error instanceof AggregateError && code === undefined) return fileErrorCode(error.errors[0]);
	return fileErrorCode(error) === 'unknown error' || code === 'ABORT_ERR' ? 'ETIMEDOUT' : `${code}`;
}
