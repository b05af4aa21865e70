import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import type {Readable} from 'node:stream';
import type {HandshakeProbe} from '../../connection/handshake-probe.ts';
import {resolveProxy} from '../../connection/proxy/resolve-proxy.ts';
import {
	type CertificateFacts,
	type ClientConfig,
	type ConnectionFacts,
	createClient,
	type HandshakeEvent,
	isMtlsError,
	MtlsAgent,
	type MtlsOptions,
} from '../../index.ts';
import {bareHost, portOfUrl} from '../../util/url.ts';
import {findRefusal, mayRefuse} from '../http-refusal.ts';
import {type BodyDigest, digestBody} from './body-digest.ts';
import type {ClassifiedError, Stage} from './failure.ts';
import type {OwnCertificate} from './own-certificate.ts';
import type {HostPort, ProbeResult} from './tcp-probe.ts';

export type ProxyOption = Exclude<ClientConfig['proxy'], undefined>;

/** The result of one request. */
export interface RequestResult {
	readonly response?: {
		readonly status: number;
		readonly statusText: string;
		readonly location: string | undefined;
		readonly setCookie: readonly string[];
		/** `undefined` when it did not come in time. */
		readonly body: BodyDigest | undefined;
	};
	/** There was a tunnel through the proxy. */
	readonly tunnelled: boolean;
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
	readonly httpVersion?: ClientConfig['httpVersion'];
	readonly signal: AbortSignal;
}

/**
 * Sends one GET; follows no redirect and keeps neither body nor cookie.
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
	let response: RequestResult['response'];
	const result = () => ({
		...(response && {response}),
		...handshake,
		tunnelled: client.mtls.stats().tunnels > 0,
		clientCertificate,
	});
	try {
		const {status, statusText, headers, data, tls} = await client.get<Readable>(url.href, {signal});
		const {location, 'set-cookie': setCookie = []} = headers;
		response = {
			status,
			statusText,
			setCookie,
			location: typeof location === 'string' ? location : undefined,
			body: await digestBody(data, signal),
		};
		if (mayRefuse(status)) {
			const error = await findRefusal(client, url, signal);
			if (error !== undefined) return {...result(), error};
		}
		return {...result(), ...(tls && {facts: tls})};
	} catch (error) {
		return {...result(), error};
	} finally {
		stop();
		await client.mtls.close();
	}
}

// A server may end a connection after its handshake, and then no response carries the facts.
function recordHandshake(server: HostPort) {
	const start = performance.now();
	const handshake: {facts?: HandshakeEvent; milliseconds?: number} = {};
	const listener = (message: unknown) => {
		const event = message as HandshakeEvent;
		if (event.host !== server.host || event.port !== server.port) return;
		// The second connection is that of a request which looks for the reason of a refusal.
		if (handshake.facts !== undefined) return;
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
	if (signal.aborted) return undefined;
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

export interface ProxyFacts extends HostPort {
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

/** The options without the client certificate; all that decide about the server and its proxy stay. */
export function withoutCertificate(mtls: MtlsOptions): MtlsOptions {
	const others = Object.entries(mtls).filter(([option]) => !aboutCertificate.has(option));
	return Object.fromEntries(others);
}

const aboutCertificate: ReadonlySet<string> = new Set([
	'cert',
	'key',
	'pfx',
	'passphrase',
	'alias',
	'allowExpired',
	'allowAnyPurpose',
	'requireClientAuth',
]);

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
	/** What the server says in clear; asked where it is of use. */
	readonly probe: HandshakeProbe | undefined;
	/** The client certificate of the options, with its chain. */
	readonly own: OwnCertificate | undefined;
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

/** How far an attempt has come. */
export function reached({
	tcp,
	proxy,
	attempt: {result},
}: Pick<Observations, 'tcp' | 'proxy'> & {
	readonly attempt: Pick<Attempt, 'result'>;
}): Stage {
	if (tcp.lookupError !== undefined) return 'lookup';
	if (tcp.connected === undefined) return 'tcp';
	if (proxy !== undefined && !result.tunnelled) return 'tunnel';
	return result.facts === undefined ? 'tls' : 'response';
}
