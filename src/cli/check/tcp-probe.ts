import {lookup} from 'node:dns/promises';
import {isIP} from 'node:net';
import {openTcp} from '../../connection/handshake-probe.ts';
import {unlessAborted} from '../../util/abortable.ts';
import {fileErrorCode} from '../shared/files.ts';

/** Where a connection goes: a server, or the proxy before it. */
export interface HostPort {
	readonly host: string;
	readonly port: number;
}

/** What was tried before TLS; an error is the code of Node, such as `ENOTFOUND`. */
export interface ProbeResult {
	readonly target: HostPort;
	readonly addresses: readonly string[];
	readonly lookupError?: string;
	/** The address that accepted a TCP connection. */
	readonly connected?: {readonly address: string; readonly milliseconds: number};
	readonly connectError?: string;
}

/** Looks the name up and opens a TCP connection. */
export async function probe(target: HostPort, signal: AbortSignal): Promise<ProbeResult> {
	let addresses: string[] = [target.host];
	if (isIP(target.host) === 0) {
		try {
			// dns.lookup() cannot be cancelled: its result is dropped.
			const found = await unlessAborted(lookup(target.host, {all: true}), signal);
			addresses = [...new Set(found.map(({address}) => address))];
		} catch (error) {
			return {target, addresses: [], lookupError: codeOf(error)};
		}
	}
	const start = performance.now();
	try {
		const address = await connectTo(target, signal);
		const milliseconds = Math.round(performance.now() - start);
		return {target, addresses, connected: {address, milliseconds}};
	} catch (error) {
		return {target, addresses, connectError: codeOf(error)};
	}
}

/** @returns the address that accepted the connection. */
async function connectTo(target: HostPort, signal: AbortSignal): Promise<string> {
	const socket = await openTcp(target, signal);
	const address = socket.remoteAddress ?? target.host;
	socket.destroy();
	return address;
}

function codeOf(error: unknown): string {
	const {code} = error as NodeJS.ErrnoException;
	// If all of several addresses fail, Node throws one error that holds theirs.
	if (error instanceof AggregateError && code === undefined) return fileErrorCode(error.errors[0]);
	return fileErrorCode(error) === 'unknown error' || code === 'ABORT_ERR' ? 'ETIMEDOUT' : `${code}`;
}
