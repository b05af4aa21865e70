import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import type {Readable} from 'node:stream';
import {resolveProxy} from '../../connection/proxy/resolve-proxy.ts';
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
import {bareHost, portOfUrl} from '../../util/url.ts';
import type {ClassifiedError} from './failure.ts';
import type {HostPort, ProbeResult} from './tcp-probe.ts';

export type ProxyOption = Exclude<ClientConfig['proxy'], undefined>;

/** The result of one request. */
export interface RequestResult {
	readonly response?: {
		readonly status: number;
		readonly statusText: string;
		readonly location: string | undefined;
		readonly setCookie: readonly string[];
	};
	/** The connection, also where the server ended it after the handshake. */
	readonly facts?: ConnectionFacts;
	/** From the start to the end of the handshake, a tunnel included. */
	readonly milliseconds?: number;
	/** The client certificate of the options, whether or not the server asked for it. */
	readonly clientCertificate: CertificateFacts | null;
	readonly error?: unknown;
}

export interface RequestOptions {
	readonly mtls: MtlsOptions;
	readonly proxy: ProxyOption | undefined;
	readonly httpVersion: ClientConfig['httpVersion'];
	readonly signal: AbortSignal;
}

/**
 * Sends one GET; follows no redirect, reads no body and keeps no cookie.
 *
 * @throws {MtlsConfigError} when the options cannot be used; what fails later is in the result.
 */
export async function sendRequest(
	url: URL,
	{mtls, proxy, httpVersion, signal}: RequestOptions,
): Promise<RequestResult> {
	const client = createClient({
		mtls,
		logger: false,
		maxRedirects: 0,
		responseType: 'stream',
		validateStatus: () => true,
		...(proxy !== undefined && {proxy}),
		...(httpVersion !== undefined && {httpVersion}),
	});
	const {handshake, stop} = recordHandshake(hostPortOf(url));
	const clientCertificate = client.mtls.identity;
	try {
		const {status, statusText, headers, data, tls} = await client.get<Readable>(url.href, {signal});
		data.on('error', () => {}).destroy();
		if (refusalStatuses.has(status)) await readRefusal(client, url, signal);
		const {location, 'set-cookie': setCookie = []} = headers;
		return {
			response: {
				status,
				statusText,
				setCookie,
				location: typeof location === 'string' ? location : undefined,
			},
			...handshake,
			...(tls && {facts: tls}),
			clientCertificate,
		};
	} catch (error) {
		return {...handshake, clientCertificate, error};
	} finally {
		stop();
		await client.mtls.close();
	}
}

/** The statuses with which nginx and Apache refuse a client certificate, or the lack of one. */
const refusalStatuses: ReadonlySet<number> = new Set([400, 403, 495, 496]);

const maxPageBytes = 64 * 1024;

/**
 * Requests the page once more: the library looks for a refusal only if `validateStatus` rejects the
 * status, and never in a stream.
 *
 * @throws {MtlsError} when the page is a refusal.
 */
async function readRefusal(client: MtlsClient, url: URL, signal: AbortSignal): Promise<void> {
	try {
		await client.get(url.href, {
			signal,
			responseType: 'text',
			maxContentLength: maxPageBytes,
			validateStatus: (status) => status < 400,
		});
	} catch (error) {
		if (isMtlsError(error)) throw error;
	}
}

// A server may end a connection after its handshake, and then no response carries the facts.
function recordHandshake(server: HostPort) {
	const start = performance.now();
	const handshake: {facts?: HandshakeEvent; milliseconds?: number} = {};
	const listener = (message: unknown) => {
		const event = message as HandshakeEvent;
		if (event.host !== server.host || event.port !== server.port) return;
		handshake.facts = event;
		handshake.milliseconds = Math.round(performance.now() - start);
	};
	subscribe('axios-mtls:handshake', listener);
	return {handshake, stop: () => unsubscribe('axios-mtls:handshake', listener)};
}

/** Every kind of failure of one verification: a strict handshake ends at the first. */
export type VerificationErrors = ReadonlySet<string>;

/**
 * Makes one more handshake, which verifies the server to the end.
 *
 * Security: nothing is sent on it, and no client certificate is presented.
 *
 * @returns `undefined` when the handshake failed.
 */
export async function collectVerificationErrors(
	url: URL,
	{mtls, proxy, signal}: RequestOptions,
): Promise<VerificationErrors | undefined> {
	const kinds = new Set<string>();
	const collect = (fields: object) => {
		if ('kind' in fields) kinds.add(String(fields.kind));
	};
	const agent = new MtlsAgent(
		{...withoutCertificate(mtls), verify: 'report'},
		{logger: {warn: collect, error: collect}, ...(proxy !== undefined && {proxy})},
	);
	const onAbort = () => agent.destroy();
	signal.addEventListener('abort', onAbort);
	try {
		await new Promise<void>((resolve, reject) => {
			agent.createConnection(hostPortOf(url), (error, socket) => {
				if (error) return reject(error);
				socket.on('error', () => {}).destroy();
				resolve();
			});
		});
		return kinds;
	} catch {
		return undefined;
	} finally {
		signal.removeEventListener('abort', onAbort);
		agent.destroy();
	}
}

interface ProxyFacts extends HostPort {
	/** `http`, `https`, `socks5` or `socks5h`. */
	readonly scheme: string;
}

/** The proxy for `url`, from `--proxy` or the environment. */
export function proxyFor(url: URL, setting: ProxyOption | undefined): ProxyFacts | undefined {
	const proxy = resolveProxy(setting, url);
	return proxy && {scheme: proxy.protocol, host: proxy.host, port: proxy.port};
}

export function hostPortOf(url: URL): HostPort {
	return {host: bareHost(url.hostname), port: portOfUrl(url)};
}

/** Only the options that do not belong to the client certificate. */
export function withoutCertificate({
	cert,
	key,
	pfx,
	passphrase,
	alias,
	allowExpired,
	allowAnyPurpose,
	requireClientAuth,
	...others
}: MtlsOptions): MtlsOptions {
	return others;
}

/** A request, and why it failed. */
export interface Attempt {
	readonly result: RequestResult;
	readonly error: ClassifiedError | undefined;
}

/** All observations of a check, from which the report is made. */
export interface Observations {
	readonly url: URL;
	readonly now: Date;
	readonly server: HostPort;
	readonly proxy: ProxyFacts | undefined;
	readonly tcp: ProbeResult;
	/** With the client certificate, if there is one. */
	readonly attempt: Attempt;
	/** The attempt without it. */
	readonly attemptWithout: Attempt | undefined;
	readonly verificationErrors: VerificationErrors | undefined;
	readonly pins: readonly string[];
	readonly spiffeId: string | undefined;
	/** Revocation lists were given. */
	readonly hasCrl: boolean;
}

/** The observations of a TLS connection, whether or not its handshake succeeded. */
export interface TlsObservations {
	readonly protocol: string | undefined;
	readonly cipher: string | undefined;
	readonly clientCertificateRequested: boolean | undefined;
	readonly chain: readonly CertificateFacts[];
	/** The handshake succeeded, so the server was verified. */
	readonly verified: boolean;
}

export function observeTls({facts, error}: RequestResult): TlsObservations {
	const seen = facts ?? (isMtlsError(error) ? error.failure : undefined);
	return {
		protocol: seen?.protocol,
		cipher: facts?.cipher,
		clientCertificateRequested: seen?.clientCertificateRequested,
		chain: seen?.chain ?? [],
		verified: facts !== undefined,
	};
}
