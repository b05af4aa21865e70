import {inspect} from 'node:util';
import axios, {type AxiosAdapter, AxiosError, type AxiosInstance} from 'axios';
import type {MtlsClient, MtlsHandle} from './client.ts';
import {MtlsConfigError} from './errors.ts';
import {makeAdapter} from './http/adapter.ts';
import {type CookieJar, jarOf, makeJar} from './http/cookies.ts';
import {axiosExchange} from './http/exchange-axios.ts';
import {leanExchange} from './http/exchange-lean.ts';
import {assertNoAgent} from './http/foreign-agent.ts';
import {leanTakes} from './http/lean-scope.ts';
import {logFailures} from './log/interceptors.ts';
import {MtlsAgent, snapshotOf} from './net/agent.ts';
import {Pools} from './net/pool.ts';
import {type ProxySetting, resolveProxy} from './net/proxy.ts';
import type {AdapterOptions, ClientConfig, ClientOptions} from './options.ts';
import {hideSecrets, redactUrl} from './redact.ts';

/**
 * Makes an axios instance that proves who it is, verifies whom it talks to, and keeps a session.
 *
 * @param config - Every axios option, and `mtls`, `jar`, `logger`, `allowInsecureRedirects`.
 * @throws {MtlsConfigError} when an option cannot be used: here, not at the first request.
 *
 * @example
 * ```ts
 * const bank = createClient({
 *   baseURL: 'https://api.bank.example',
 *   mtls: {cert: 'client.crt', key: 'client.key', ca: 'ca.crt'},
 *   jar: true,
 * });
 * ```
 */
export function createClient(config: ClientConfig = {}): MtlsClient {
	const {options, rest} = splitConfig(config);
	return withMtls(axios.create(rest), options);
}

/**
 * Gives an instance that an app already has a certificate, a jar and told failures: its adapter is
 * replaced, its interceptors and defaults stay. An instance wrapped by axios-cookiejar-support
 * keeps its jars.
 *
 * @returns that very instance.
 * @throws {MtlsConfigError} when an option cannot be used; the instance is then as it was.
 */
export function withMtls(instance: AxiosInstance, options: ClientOptions = {}): MtlsClient {
	assertOptions(options);
	if (options.mtls) assertNoAgent(instance.defaults);
	const {proxy} = instance.defaults;
	// A mistake in it is told here, not at the first request.
	if (proxy) resolveProxy(proxy as ProxySetting, new URL('https://localhost'));
	return equip(instance, makeParts(options), options.logger);
}

/**
 * The adapter alone: `axios.create({adapter: createAdapter({mtls, jar})})`. Without options it does
 * what axios's `http` adapter does.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createAdapter(options: AdapterOptions = {}): AxiosAdapter {
	assertKnown(options, ['mtls', 'jar', 'allowInsecureRedirects']);
	return adapterOf(makeParts(options));
}

/** What stands behind a client. The instances that it creates share all that they do not replace. */
interface Parts {
	readonly agent: MtlsAgent;
	/** Beside the agent: the connections of the lean exchange. */
	readonly pools: Pools;
	readonly ownsConnections: boolean;
	readonly origins: ReadonlySet<string>;
	readonly jar: CookieJar | undefined;
	readonly allowInsecureRedirects: boolean;
	/** Belongs to the agent: whoever shares it is closed with it. */
	readonly life: {closed: boolean};
}

function makeParts(options: ClientOptions, parent?: Parts): Parts {
	const {mtls, jar, logger, allowInsecureRedirects} = options;
	const shared = mtls === undefined ? parent : undefined;
	const agent = shared?.agent ?? new MtlsAgent(mtls, logger === undefined ? {} : {logger});
	return {
		agent,
		pools: shared?.pools ?? new Pools(snapshotOf(agent)),
		ownsConnections: shared?.ownsConnections ?? mtls !== undefined,
		origins: shared?.origins ?? new Set((mtls?.origins ?? []).map(parseOrigin)),
		life: shared?.life ?? {closed: false},
		jar: jarOf({jar}, jar === true ? makeJar() : parent?.jar),
		allowInsecureRedirects: allowInsecureRedirects ?? parent?.allowInsecureRedirects ?? false,
	};
}

function adapterOf(parts: Parts): AxiosAdapter {
	const lean = leanExchange(parts.pools);
	return makeAdapter({
		...parts,
		exchange: (input) => (leanTakes(input) ? lean : axiosExchange)(input),
		fallback: axios.getAdapter('http'),
		assertOpen(config) {
			if (!parts.life.closed) return;
			throw new AxiosError('the client was closed', 'ERR_MTLS_CLIENT_CLOSED', config);
		},
	});
}

function handleOf({agent, pools, jar, life}: Parts): MtlsHandle {
	const handle: MtlsHandle = {
		agent,
		jar,
		identity: agent.identity,
		async close() {
			life.closed = true;
			agent.destroy();
			await pools.destroy();
		},
	};
	// Security: a print of the handle would go into the jar.
	const told = () => ({agent: String(agent), identity: agent.identity});
	return Object.defineProperties(handle, {toJSON: {value: told}, [inspect.custom]: {value: told}});
}

function equip(instance: AxiosInstance, parts: Parts, logger: ClientOptions['logger']): MtlsClient {
	instance.defaults.adapter = adapterOf(parts);
	// What fails after the adapter, such as a body that is no JSON, holds the request's secrets too.
	instance.interceptors.response.use(null, (error: unknown) => {
		throw error instanceof AxiosError ? hideSecrets(error) : error;
	});
	if (logger !== false) logFailures(instance, logger);

	const createPlain = instance.create;
	const create = (config: ClientConfig = {}): MtlsClient => {
		const {options, rest} = splitConfig(config);
		assertOptions(options);
		return equip(createPlain(rest), makeParts(options, parts), options.logger ?? logger);
	};
	return Object.assign(instance, {mtls: handleOf(parts), create}) as MtlsClient;
}

function splitConfig(config: ClientConfig) {
	const {mtls, jar, logger, allowInsecureRedirects, ...rest} = config;
	const options: ClientOptions = {};
	if (mtls !== undefined) options.mtls = mtls;
	if (jar !== undefined) options.jar = jar;
	if (logger !== undefined) options.logger = logger;
	if (allowInsecureRedirects !== undefined) options.allowInsecureRedirects = allowInsecureRedirects;
	return {options, rest};
}

function parseOrigin(text: string): string {
	const url = URL.parse(text);
	if (url?.protocol === 'https:' && url.pathname === '/' && !url.search && !url.username) {
		return url.origin;
	}
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'mtls.origins',
		`expected an origin such as https://api.bank.example, found '${redactUrl(text)}'`,
	);
}

function assertKnown(options: object, known: readonly string[]): void {
	const unknown = Object.keys(options).find((name) => !known.includes(name));
	if (unknown === undefined) return;
	throw new MtlsConfigError(
		'ERR_MTLS_UNKNOWN_OPTION',
		unknown,
		`no such option; known are ${known.join(', ')}`,
	);
}

function assertOptions({logger, ...options}: ClientOptions): void {
	assertKnown(options, ['mtls', 'jar', 'allowInsecureRedirects']);
	if (logger === undefined || logger === false) return;
	if (typeof logger.error === 'function' && typeof logger.warn === 'function') return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'logger',
		'expected error() and warn(), or false',
	);
}
