import {constants} from 'node:crypto';
import {connect as connectTcp, type Socket} from 'node:net';
import {Duplex} from 'node:stream';
import {connect as connectTls, createSecureContext} from 'node:tls';
import type {MtlsOptions} from '../options/mtls.ts';
import {loadSnapshot} from '../tls/snapshot.ts';
import {peerName} from '../tls/trust/verification.ts';
import {onAbort} from '../util/abortable.ts';
import {beginConnection} from './connection.ts';
import type {ProxyServer} from './proxy/resolve-proxy.ts';
import {openTunnel} from './proxy/tunnel.ts';
import {readServerFlight, type ServerFlight} from './server-flight.ts';

interface ProbeTarget {
	readonly host: string;
	readonly port: number;
	readonly proxy: ProxyServer | undefined;
	/** Those that decide about the server and its proxy. */
	readonly mtls: MtlsOptions;
	readonly signal: AbortSignal;
}

/** What a server answers to the first message of TLS 1.2. */
export interface HandshakeProbe {
	/** `incomplete` where it hung up or fell silent before. */
	readonly flight: ServerFlight;
	/** The first bytes, at most as many as a greeting has. */
	readonly greeting: Buffer;
}

const greetingBytes = 512;

/** A list of CAs has at most 64 KiB, and few chains have more than 10. */
const maxBytes = 256 * 1024;
/** All bytes are read anew with each piece. */
const maxPieces = 1_000;

/** The answer takes one round trip; a server that keeps silent would use up `--timeout`. */
const limitMs = 5_000;

/**
 * Sends the first message of a TLS 1.2 handshake and reads what the server sends in clear.
 *
 * Security: the handshake ends before the client would have to answer, so that no certificate and no
 * byte of a request is sent; nothing that is read here is verified.
 *
 * @returns `undefined` when there is no connection.
 */
export async function probeHandshake(target: ProbeTarget): Promise<HandshakeProbe | undefined> {
	const signal = AbortSignal.any([target.signal, AbortSignal.timeout(limitMs)]);
	let socket: Socket | undefined;
	try {
		socket = await open({...target, signal});
		return await exchangeHello(socket, {...target, signal});
	} catch {
		return undefined;
	} finally {
		socket?.on('error', () => {}).destroy();
	}
}

/** Opens a TCP connection. @throws the error of the socket, or the reason of the signal. */
export function openTcp(
	{host, port}: Pick<ProbeTarget, 'host' | 'port'>,
	signal: AbortSignal,
): Promise<Socket> {
	return new Promise((resolve, reject) => {
		// Node connects a socket that is given an aborted signal, and nobody would end it.
		signal.throwIfAborted();
		const socket = connectTcp({host, port});
		const stop = onAbort(signal, () => socket.destroy(signal.reason));
		socket.once('connect', () => {
			stop();
			resolve(socket);
		});
		socket.once('error', (error) => {
			stop();
			reject(error);
		});
	});
}

async function open({host, port, proxy, mtls, signal}: ProbeTarget): Promise<Socket> {
	if (proxy === undefined) return openTcp({host, port}, signal);
	signal.throwIfAborted();
	const snapshot = loadSnapshot(mtls, {
		now: new Date(),
		epoch: 0,
		identityKey: '',
		report: () => {},
		counts: {fullHandshakes: 0, resumedHandshakes: 0, tunnels: 0},
	});
	const connection = beginConnection({
		host,
		port,
		snapshot,
		servername: peerName(host, snapshot.servername).verify,
		proxy,
		identity: null,
		phase: 'tunnel',
	});
	return openTunnel({host, port, secure: true}, proxy, connection, signal);
}

function exchangeHello(socket: Socket, {host, mtls, signal}: ProbeTarget): Promise<HandshakeProbe> {
	// The TLS of Node writes its ClientHello to it, and gets nothing back.
	const half = new Duplex({
		read: () => {},
		write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
	});
	const {ciphers, ecdhCurve, sigalgs, secureOptions, servername} = mtls;
	const tls = connectTls({
		socket: half,
		servername: peerName(host, servername).sni,
		ALPNProtocols: ['http/1.1'],
		rejectUnauthorized: true,
		secureContext: createSecureContext({
			minVersion: 'TLSv1.2',
			maxVersion: 'TLSv1.2',
			...(ciphers !== undefined && {ciphers}),
			...(ecdhCurve !== undefined && {ecdhCurve}),
			...(sigalgs !== undefined && {sigalgs}),
			// They change the ClientHello. But without TLS 1.2 there would be none to send.
			...(secureOptions !== undefined && {
				secureOptions: secureOptions & ~constants.SSL_OP_NO_TLSv1_2,
			}),
		}),
	});
	tls.on('error', () => {});
	return new Promise((resolve) => {
		let received = Buffer.alloc(0);
		let pieces = 0;
		let flight: ServerFlight = {state: 'incomplete'};
		const finish = () => {
			tls.destroy();
			half.destroy();
			resolve({flight, greeting: received.subarray(0, greetingBytes)});
		};
		onAbort(signal, finish);
		socket.on('data', (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			pieces += 1;
			flight = readServerFlight(received);
			const isTooMuch = received.length > maxBytes || pieces > maxPieces;
			if (flight.state !== 'incomplete' || isTooMuch) finish();
		});
		socket.once('error', finish).once('end', finish).once('close', finish);
		// A tunnel is paused.
		socket.resume();
	});
}
