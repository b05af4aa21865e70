import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import type {Readable} from 'node:stream';
import {
	type CertificateFacts,
	type ClientConfig,
	type ConnectionFacts,
	createClient,
	type HandshakeEvent,
	isMtlsError,
	MtlsAgent,
	type MtlsClient,
	type MtlsOptions,
} from '../../index.ts';
import type {HostPort} from './tcp-probe.ts';

export type ProxyOption = Exclude<ClientConfig['proxy'], undefined>;

/** What one request has brought to light. */
export interface Answer {
	readonly http?: {
		readonly status: number;
		readonly statusText: string;
		readonly location: string | undefined;
		readonly setCookie: readonly string[];
	};
	/** The connection, also where the server ended it after the handshake. */
	readonly facts?: ConnectionFacts;
	/** Until the handshake was done, a tunnel included. */
	readonly milliseconds?: number;
	/** Our certificate, had the server asked for it. */
	readonly ours: CertificateFacts | null;
	readonly error?: unknown;
}

/** How to ask. */
export interface Asking {
	readonly mtls: MtlsOptions;
	readonly proxy: ProxyOption | undefined;
	readonly signal: AbortSignal;
}

/**
 * Asks a URL once, follows no redirect, reads no body and keeps no cookie.
 *
 * @throws {MtlsConfigError} when the options cannot be used; what fails later is in the answer.
 */
export async function ask(url: URL, {mtls, proxy, signal}: Asking): Promise<Answer> {
	const client = createClient({
		mtls,
		logger: false,
		maxRedirects: 0,
		responseType: 'stream',
		validateStatus: () => true,
		...(proxy !== undefined && {proxy}),
	});
	const handshake = hear(placeOf(url));
	const ours = client.mtls.identity;
	try {
		const {status, statusText, headers, data, tls} = await client.get<Readable>(url.href, {signal});
		data.on('error', () => {}).destroy();
		if (refusing.has(status)) await readRefusal(client, url, signal);
		const {location, 'set-cookie': setCookie = []} = headers;
		return {
			http: {
				status,
				statusText,
				setCookie,
				location: typeof location === 'string' ? location : undefined,
			},
			...handshake.heard,
			...(tls && {facts: tls}),
			ours,
		};
	} catch (error) {
		return {...handshake.heard, ours, error};
	} finally {
		handshake.stop();
		await client.mtls.close();
	}
}

// By which nginx and Apache say in HTTP that they refuse a certificate, or the lack of one.
const refusing: ReadonlySet<number> = new Set([400, 403, 495, 496]);

const longestPageBytes = 64 * 1024;

/**
 * Asks once more, for the page: the library reads a refusal only where a status is a failure, and
 * never from a stream.
 *
 * @throws {MtlsError} when the page is such a refusal. Any other page is an answer.
 */
async function readRefusal(client: MtlsClient, url: URL, signal: AbortSignal): Promise<void> {
	try {
		await client.get(url.href, {
			signal,
			responseType: 'text',
			maxContentLength: longestPageBytes,
			validateStatus: (status) => status < 400,
		});
	} catch (error) {
		if (isMtlsError(error)) throw error;
	}
}

// A server may end a connection after its handshake, and then there is no answer to carry the facts.
function hear({host, port}: HostPort) {
	const begun = performance.now();
	const heard: {facts?: HandshakeEvent; milliseconds?: number} = {};
	const listener = (message: unknown) => {
		const event = message as HandshakeEvent;
		if (event.host !== host || event.port !== port) return;
		heard.facts = event;
		heard.milliseconds = Math.round(performance.now() - begun);
	};
	subscribe('axios-mtls:handshake', listener);
	return {heard, stop: () => unsubscribe('axios-mtls:handshake', listener)};
}

/** Why a server was not verified, all of it: a strict handshake ends at the first reason. */
export type VerificationErrors = ReadonlySet<string>;

/**
 * Does one more handshake to hear each reason against a server.
 *
 * Security: nothing is sent on it, and our certificate stays at home.
 *
 * @returns `undefined` when the handshake did not come to an end.
 */
export async function collectVerificationErrors(
	url: URL,
	asking: Asking,
): Promise<VerificationErrors | undefined> {
	const complaints = new Set<string>();
	const hear = (fields: object) => {
		if ('kind' in fields) complaints.add(String(fields.kind));
	};
	const agent = new MtlsAgent(
		{...withoutCertificate(asking.mtls), verify: 'report'},
		{logger: {warn: hear, error: hear}, ...(asking.proxy !== undefined && {proxy: asking.proxy})},
	);
	const onAbort = () => agent.destroy();
	asking.signal.addEventListener('abort', onAbort);
	try {
		await new Promise<void>((resolve, reject) => {
			agent.createConnection(placeOf(url), (error, socket) => {
				if (error) return reject(error);
				socket.on('error', () => {}).destroy();
				resolve();
			});
		});
		return complaints;
	} catch {
		return undefined;
	} finally {
		asking.signal.removeEventListener('abort', onAbort);
		agent.destroy();
	}
}

/** The proxy that leads to `url`, as the library finds it: from `--proxy` or the environment. */
export function proxyFor(url: URL, proxy: ProxyOption | undefined): HostPort | undefined {
	const agent = new MtlsAgent({}, {logger: false, ...(proxy !== undefined && {proxy})});
	// The pool key of a connection ends in its proxy: two proxies must not share one.
	const name = agent.getName(placeOf(url)).split('|').at(-1) ?? '';
	const found = URL.parse(name);
	if (found === null) return undefined;
	const usual = found.protocol === 'https:' ? 443 : 80;
	return {host: found.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(found.port) || usual};
}

/** Host without brackets, and port, of an https URL. */
export function placeOf(url: URL): HostPort {
	return {host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || 443};
}

/** Whom we believe, without who we are. */
export function withoutCertificate({ca, crl, pins, spiffeId}: MtlsOptions): MtlsOptions {
	return {
		...(ca !== undefined && {ca}),
		...(crl !== undefined && {crl}),
		...(pins !== undefined && {pins}),
		...(spiffeId !== undefined && {spiffeId}),
	};
}
