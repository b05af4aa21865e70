import {inspect} from 'node:util';
import axios, {
	type AxiosAdapter,
	AxiosError,
	type AxiosInstance,
	type CreateAxiosDefaults,
} from 'axios';
import type {MtlsClient, MtlsHandle} from './client.ts';
import {MtlsConfigError} from './errors.ts';
import {makeAdapter} from './http/adapter.ts';
import {type CookieJar, clientJar, jarOf} from './http/cookies.ts';
import {axiosExchange} from './http/exchange-axios.ts';
import {http2Exchange} from './http/exchange-http2.ts';
import {leanExchange} from './http/exchange-lean.ts';
import {assertNoAgent} from './http/foreign-agent.ts';
import {wantsHttp2} from './http/http2-options.ts';
import {leanTakes} from './http/lean-scope.ts';
import {Session} from './http/session.ts';
import {resolveSession} from './http/session-settings.ts';
import {resolveTimeouts} from './http/timeouts.ts';
import {flushJar} from './jar/file-jar.ts';
import {CookiePolicy} from './jar/policy.ts';
import {Lifetime} from './lifetime.ts';
import {logFailures} from './log/interceptors.ts';
import {identitiesOf, MtlsAgent} from './net/agent.ts';
import {Http2Sessions} from './net/http2-sessions.ts';
import type {Identities} from './net/identities.ts';
import {Pools} from './net/pool.ts';
import {type ProxySetting, resolveProxy} from './net/proxy.ts';
import {statsLine, statsOf} from './net/stats.ts';
import type {
	AdapterOptions,
	ClientConfig,
	ClientOptions,
	CookieRefusal,
	Timeouts,
} from './options.ts';
import {hideSecrets} from './redact.ts';
import {refusalTeller} from './tell.ts';

/**
 * Makes an axios instance that proves who it is, verifies whom it talks to, and keeps a session.
 *
 * @param config - Every axios option, and `mtls`, `jar`, `cookies`, `session`, `logger`,
 * `allowInsecureRedirects`, `timeouts`.
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
	const parts = makeParts(options);
	const session = sessionOf(instance, parts, options.session, options.logger);
	return equip(instance, {...parts, session}, options.logger);
}

/**
 * The adapter alone: `axios.create({adapter: createAdapter({mtls, jar})})`. Without options it does
 * what axios's `http` adapter does.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createAdapter(options: AdapterOptions = {}): AxiosAdapter {
	assertKnown(options, adapterOptions);
	return adapterOf(makeParts(options));
}

const adapterOptions = [
	'mtls',
	'maxIdentities',
	'jar',
	'cookies',
	'allowInsecureRedirects',
	'timeouts',
] as const;
const clientOptions = [...adapterOptions, 'session', 'logger'] as const;

/** What stands behind a client. The instances that it creates share all that they do not replace. */
interface Parts {
	readonly agent: MtlsAgent;
	readonly identities: Identities;
	/** Beside the agent: the connections of the lean exchange. */
	readonly pools: Pools;
	readonly http2: Http2Sessions;
	readonly ownsConnections: boolean;
	readonly jar: CookieJar | undefined;
	readonly cookiePolicy: CookiePolicy;
	readonly tellRefused: (refusal: CookieRefusal) => void;
	readonly allowInsecureRedirects: boolean;
	readonly timeouts: Timeouts;
	/** Belongs to the agent: whoever shares it is closed with it. */
	readonly lifetime: Lifetime;
	readonly session?: Session | undefined;
	/** What a login sends with: it belongs to the calls that wait for it. */
	readonly nested?: boolean;
}

/** The session of an instance that is not equipped yet: its own, that of its parent, or none. */
function sessionOf(
	instance: AxiosInstance,
	parts: Parts,
	session: ClientOptions['session'],
	logger: ClientOptions['logger'],
	inherited?: Session,
): Session | undefined {
	if (session === undefined) return inherited;
	if (session === false) return undefined;
	const {create, defaults} = instance;
	const jar = jarOf(defaults, parts.jar);
	return new Session(
		resolveSession(session, {jar, baseURL: defaults.baseURL}),
		// Without the session: what logs in must not wait for itself.
		(signal) => equip(create({signal}), {...parts, session: undefined, nested: true}, logger),
		parts.lifetime.signal,
	);
}

function makeParts(options: ClientOptions, parent?: Parts): Parts {
	const {mtls, cookies, logger, allowInsecureRedirects} = options;
	const timeouts = resolveTimeouts(options.timeouts, parent?.timeouts);
	const cookiePolicy = (cookies === undefined && parent?.cookiePolicy) || new CookiePolicy(cookies);
	const connections = mtls === undefined && parent ? parent : makeConnections(options);
	return {
		...connections,
		jar: clientJar(options, cookiePolicy, parent?.jar),
		cookiePolicy,
		tellRefused: (logger === undefined && parent?.tellRefused) || refusalTeller(logger ?? console),
		allowInsecureRedirects: allowInsecureRedirects ?? parent?.allowInsecureRedirects ?? false,
		timeouts,
	};
}

function makeConnections({mtls, maxIdentities, logger}: ClientOptions) {
	const agent = new MtlsAgent(mtls, {
		...(logger !== undefined && {logger}),
		...(maxIdentities !== undefined && {maxIdentities}),
	});
	const identities = identitiesOf(agent);
	const pools = new Pools();
	const http2 = new Http2Sessions();
	identities.onRetire((snapshot) => {
		pools.retire(snapshot);
		http2.retire(snapshot);
	});
	return {
		agent,
		identities,
		pools,
		http2,
		ownsConnections: mtls !== undefined,
		lifetime: new Lifetime(),
	};
}

function adapterOf(parts: Parts): AxiosAdapter {
	const lean = leanExchange(parts.pools);
	const http2 = http2Exchange(parts.http2);
	const {roster} = parts.identities;
	return makeAdapter({
		...parts,
		exchange: (input) => {
			if (leanTakes(input)) return lean(input);
			return wantsHttp2(input.config) ? http2(input) : axiosExchange(input);
		},
		fallback: axios.getAdapter('http'),
		snapshotAt: (origin) => roster.at(origin),
		lists: (origin) => roster.lists(origin),
	});
}

const closeDeadlineMs = 10_000;

function handleOf(parts: Parts): MtlsHandle {
	const {agent, identities, pools, http2, jar, lifetime} = parts;
	const stats = () => statsOf(identities, agent, [pools, http2]);
	const line = () => statsLine(stats());
	const close = async ({deadlineMs = closeDeadlineMs}: {deadlineMs?: number} = {}) => {
		identities.roster.close();
		await lifetime.end(deadlineMs);
		agent.destroy();
		await Promise.all([pools.destroy(), http2.destroy()]);
		await flushJar(jar);
	};
	const handle: MtlsHandle = {
		agent,
		jar,
		get identity() {
			return agent.identity;
		},
		reload: () => agent.reload(),
		nextIdentity: () => agent.nextIdentity(),
		stats,
		close,
		toString: line,
		[Symbol.asyncDispose]: close,
	};
	// Security: a print of the handle would go into the jar.
	const told = () => ({agent: String(agent), identity: agent.identity, stats: line()});
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
		const child = createPlain(rest);
		const own = makeParts(options, parts);
		const told = options.logger ?? logger;
		const session = sessionOf(child, own, options.session, told, parts.session);
		return equip(child, {...own, session}, told);
	};
	const mtls = handleOf(parts);
	const own = {mtls, create, [Symbol.asyncDispose]: () => mtls.close()};
	return Object.assign(instance, own) as MtlsClient;
}

type ClientOption = (typeof clientOptions)[number];

function splitConfig(config: ClientConfig) {
	const options: Record<string, unknown> = {};
	const rest: Record<string, unknown> = {};
	for (const [name, value] of Object.entries(config)) {
		if (!clientOptions.includes(name as ClientOption)) rest[name] = value;
		else if (value !== undefined) options[name] = value;
	}
	return {options: options as ClientOptions, rest: rest as CreateAxiosDefaults};
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

function assertOptions(options: ClientOptions): void {
	assertKnown(options, clientOptions);
	const {logger} = options;
	if (logger === undefined || logger === false) return;
	if (typeof logger.error === 'function' && typeof logger.warn === 'function') return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'logger',
		'expected error() and warn(), or false',
	);
}
