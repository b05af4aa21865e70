import axios, {
	type AxiosAdapter,
	type AxiosInstance,
	type CreateAxiosDefaults,
	isAxiosError,
} from 'axios';
import {MtlsConfigError} from '../config-error.ts';
import {resolveProxy} from '../connection/proxy/resolve-proxy.ts';
import {jarOf} from '../cookies/jar.ts';
import {logFailures} from '../logging/log-failures.ts';
import {isLogger} from '../logging/logger.ts';
import {hideSecrets} from '../logging/redact.ts';
import {LoginSession} from '../login/login-session.ts';
import {resolveSession} from '../login/session-options.ts';
import type {
	AdapterOptions,
	AnyAxiosInstance,
	ClientConfig,
	ClientOptions,
	ProxySetting,
	SessionOptions,
} from '../options.ts';
import {withoutBodyText} from '../request/clean-error.ts';
import {assertNoConflictingAgent} from '../request/conflicting-agents.ts';
import {assertNoneMisplaced, misplacedOptions} from '../tls/tls-options.ts';
import {
	anything,
	assertNoneMisspelt,
	assertObject,
	badOption,
	describeType,
	didYouMean,
	flattened,
	memberOf,
	readOptions,
	withCallerStack,
} from '../util/check-options.ts';
import {buildAdapter} from './build-adapter.ts';
import {type ClientState, createClientState} from './client-state.ts';
import {createHandle} from './handle.ts';
import {hasCredentials, withOwnSession} from './own-identity.ts';
import type {MtlsClient} from './types.ts';

/**
 * Makes an axios instance that presents a client certificate, verifies its servers and keeps cookies.
 *
 * @param config - Every axios option, and `mtls`, `maxIdentities`, `jar`, `cookies`, `session`, `logger`,
 * `allowInsecureRedirects`, `timeouts`, `maxSockets`, `maxTotalSockets`.
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
	return withCallerStack(createClient, () => {
		const {options, rest} = splitConfig(config);
		return withMtls(axios.create(rest), options);
	});
}

/**
 * Makes a client from an instance that an app already has: its adapter is replaced, its interceptors and
 * defaults stay. An instance wrapped by axios-cookiejar-support keeps its jars.
 *
 * @returns the same instance.
 * @throws {MtlsConfigError} when an option cannot be used; the instance is then as it was.
 */
export function withMtls(instance: AnyAxiosInstance, options: ClientOptions = {}): MtlsClient {
	return withCallerStack(withMtls, () => {
		assertInstance(instance);
		const target = instance as AxiosInstance;
		const own = readClientOptions(options);
		const defaults = readDefaults(target);
		if (own.mtls) assertNoConflictingAgent(defaults);
		assertOneJar(own.jar, defaults);
		return equip(target, withSession(target, createClientState(own), own.session));
	});
}

/**
 * The adapter alone: `axios.create({adapter: createAdapter({mtls, jar})})`. Without options it does
 * what axios's `http` adapter does.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createAdapter(options: AdapterOptions = {}): AxiosAdapter {
	return withCallerStack(createAdapter, () => {
		const own = readOptions<AdapterOptions>(options, {known: adapterOptions, ...optionsShape});
		return buildAdapter(createClientState(own));
	});
}

/**
 * Before 1.19 axios shows the response interceptors no error that comes before the adapter, such as that of
 * a request that was cancelled already, unless a request interceptor is asynchronous.
 */
const skipsInterceptors = Number(axios.VERSION.split('.')[1]) < 19;

/**
 * Refuses a second jar: requests would use that of the instance, where axios-cookiejar-support has it.
 *
 * @throws {MtlsConfigError} for `jar`.
 */
function assertOneJar(own: ClientOptions['jar'], {jar}: {readonly jar?: unknown}): void {
	if (own === undefined || own === jar) return;
	// `true` asks for the jar of the client.
	if (jar === undefined || jar === null || jar === true) return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'jar',
		'the instance has one already (`defaults.jar`), which its requests would use instead: give it to axios.create() or to withMtls(), not to both',
	);
}

/** Makes a client from an instance: puts the adapter, the interceptors, the handle and `create` on it. */
function equip(instance: AxiosInstance, state: ClientState): MtlsClient {
	instance.defaults.adapter = buildAdapter(state);
	if (skipsInterceptors) instance.interceptors.request.use((config) => config);
	// Security: an error that axios makes after the adapter, such as for a body that is not JSON, holds the
	// secrets of the request too. Its class may come from a second copy of axios, in a CommonJS app.
	instance.interceptors.response.use(null, (error: unknown) => {
		throw isAxiosError(error) ? hideSecrets(withoutBodyText(error)) : error;
	});
	if (state.logger !== false) logFailures(instance, state.logger);

	const createPlain = instance.create;
	const create = (config: ClientConfig = {}): MtlsClient =>
		withCallerStack(create, () => {
			const {options, rest} = splitConfig(config);
			const child = createPlain(rest);
			const {jar}: {readonly jar?: unknown} = readDefaults(child);
			const given = readClientOptions(options);
			const own = hasCredentials(given.mtls) ? withOwnSession(given, state, jar) : given;
			// As of any option, what the new instance is given counts, not what it inherits.
			if (own.jar !== undefined) Reflect.deleteProperty(child.defaults, 'jar');
			return equip(child, withSession(child, createClientState(own, state), own.session, state));
		});
	const mtls = createHandle(state, () => jarOf(flattened(instance.defaults), state.jar));
	const members = {mtls, create, [Symbol.asyncDispose]: () => mtls.close()};
	return Object.assign(instance, members) as MtlsClient;
}

/**
 * Adds the login session of `instance`, which is not equipped yet: its own, its parent's, or none. A
 * mistake in `session` destroys the agent of a new state.
 */
function withSession(
	instance: AxiosInstance,
	state: ClientState,
	session: ClientOptions['session'],
	parent?: ClientState,
): ClientState {
	if (session === undefined) return {...state, session: parent?.session};
	if (session === false) return {...state, session: undefined};
	try {
		return {...state, session: createSession(instance, state, session)};
	} catch (error) {
		if (state.agent !== parent?.agent) state.agent.destroy();
		throw error;
	}
}

function createSession(
	instance: AxiosInstance,
	state: ClientState,
	session: SessionOptions,
): LoginSession {
	const {create} = instance;
	const defaults = readDefaults(instance);
	const jar = jarOf(defaults, state.jar);
	return new LoginSession(
		resolveSession(session, {jar, baseURL: defaults.baseURL}),
		// Without the session: a login must not wait for itself.
		(signal) => equip(create({signal}), {...state, session: undefined, partOfLogin: true}),
		state.inFlight.signal,
	);
}

const adapterOptions = {
	mtls: anything,
	maxIdentities: anything,
	maxSockets: anything,
	maxTotalSockets: anything,
	jar: anything,
	cookies: anything,
	allowInsecureRedirects: anything,
	timeouts: anything,
};
const clientOptions = {
	...adapterOptions,
	session: anything,
	logger: {
		expected: 'error() and warn(), or false',
		accepts: (value: unknown) => value === false || isLogger(value),
	},
};
const clientNames = Object.keys(clientOptions);
/** Names that other libraries have for options of this package. */
const otherNames = [
	['cookieJar', 'jar'],
	['ssl', 'mtls'],
	['tls', 'mtls'],
] as const;
const byOtherName = new Map(otherNames.map(([name, option]) => [name.toLowerCase(), option]));
const misplaced = new Map([
	...misplacedOptions((name) => `belongs in \`mtls\`: give mtls: {${name}: …}`),
	...otherNames.map(([name, option]) => [name, didYouMean(option)] as const),
]);
const optionsShape = {option: 'options', prefix: '', remedies: misplaced};

function readClientOptions(given: unknown): ClientOptions {
	return readOptions<ClientOptions>(given, {known: clientOptions, ...optionsShape});
}

/** Separates the options of this package from those of axios. */
function splitConfig(config: unknown) {
	assertObject(config, 'config');
	// Security: axios would silently ignore a misplaced option, such as a `ca` beside `mtls`.
	assertNoneMisplaced(config, misplaced);
	assertNoneMisspelt(config, clientNames, byOtherName);
	const options = Object.create(null);
	const rest = Object.create(null);
	for (const [name, value] of Object.entries(config)) {
		if (Object.hasOwn(clientOptions, name)) options[name] = value;
		else rest[name] = value;
	}
	return {options: options as ClientOptions, rest: rest as CreateAxiosDefaults};
}

/** @throws {MtlsConfigError} when `instance` is not a function or an object with the parts of an `Axios`. */
function assertInstance(instance: unknown): void {
	const isObject =
		typeof instance === 'function' || (typeof instance === 'object' && instance !== null);
	const members = ['defaults', 'interceptors'];
	if (isObject && members.every((name) => memberOf(instance, name) !== undefined)) return;
	throw badOption('instance', 'an axios instance', describeType(instance));
}

/**
 * The defaults of an instance.
 *
 * @throws {MtlsConfigError} for a mistake in them, rather than at the first request.
 */
function readDefaults(instance: AxiosInstance): AxiosInstance['defaults'] {
	const defaults = flattened(instance.defaults);
	if ('mtls' in defaults) {
		throw new MtlsConfigError(
			'ERR_MTLS_UNKNOWN_OPTION',
			'mtls',
			'axios does not read it: give it to withMtls() or createClient()',
		);
	}
	const {proxy} = defaults;
	if (proxy) resolveProxy(proxy as ProxySetting, new URL('https://localhost'));
	return defaults;
}
