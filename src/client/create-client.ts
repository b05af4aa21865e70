import axios, {
	type AxiosAdapter,
	type AxiosInstance,
	type CreateAxiosDefaults,
	isAxiosError,
} from 'axios';
import {MtlsConfigError} from '../config-error.ts';
import {resolveProxy} from '../connection/proxy/proxy-config.ts';
import {jarOf} from '../cookies/jar.ts';
import {logFailures} from '../logging/log-failures.ts';
import {isLogger} from '../logging/messages.ts';
import {hideSecrets} from '../logging/redact.ts';
import {LoginSession} from '../login/login-session.ts';
import {resolveSession} from '../login/session-options.ts';
import type {
	AdapterOptions,
	AnyAxiosInstance,
	ClientConfig,
	ClientOptions,
	ProxySetting,
} from '../options.ts';
import {withoutBodyText} from '../request/clean-error.ts';
import {assertNoConflictingAgent} from '../request/conflicting-agents.ts';
import {assertNoneMisplaced, misplacedOptions} from '../tls/tls-options.ts';
import {
	assertObject,
	describeType,
	flattened,
	memberOf,
	readOptions,
} from '../util/check-options.ts';
import {buildAdapter} from './build-adapter.ts';
import {type ClientState, createClientState} from './client-state.ts';
import {createHandle} from './handle.ts';
import type {MtlsClient} from './types.ts';

/**
 * Makes an axios instance that proves who it is, verifies whom it talks to, and keeps a session.
 *
 * @param config - Every axios option, and `mtls`, `jar`, `cookies`, `session`, `logger`,
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
export function withMtls(instance: AnyAxiosInstance, options: ClientOptions = {}): MtlsClient {
	assertInstance(instance);
	const target = instance as AxiosInstance;
	const own = readClientOptions(options);
	const defaults = readDefaults(target);
	if (own.mtls) assertNoConflictingAgent(defaults);
	const parts = createClientState(own);
	return equip(target, withSession(target, parts, own));
}

/**
 * The adapter alone: `axios.create({adapter: createAdapter({mtls, jar})})`. Without options it does
 * what axios's `http` adapter does.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createAdapter(options: AdapterOptions = {}): AxiosAdapter {
	return buildAdapter(
		createClientState(
			readOptions(options, {
				known: adapterOptions,
				option: 'options',
				prefix: '',
				remedies: misplaced,
			}),
		),
	);
}

const adapterOptions = [
	'mtls',
	'maxIdentities',
	'maxSockets',
	'maxTotalSockets',
	'jar',
	'cookies',
	'allowInsecureRedirects',
	'timeouts',
] as const;
const clientOptions = [...adapterOptions, 'session', 'logger'] as const;
const misplaced = misplacedOptions((name) => `belongs in \`mtls\`: give mtls: {${name}: …}`);

/** The parts with the session. Where there is a mistake in it, nobody would end what they have begun. */
function withSession(
	instance: AxiosInstance,
	parts: ClientState,
	{session}: ClientOptions,
	parent?: ClientState,
): ClientState {
	try {
		return {...parts, session: sessionOf(instance, parts, session, parent?.session)};
	} catch (error) {
		if (parts.agent !== parent?.agent) parts.agent.destroy();
		throw error;
	}
}

/** The session of an instance that is not equipped yet: its own, that of its parent, or none. */
function sessionOf(
	instance: AxiosInstance,
	parts: ClientState,
	session: ClientOptions['session'],
	inherited?: LoginSession,
): LoginSession | undefined {
	if (session === undefined) return inherited;
	if (session === false) return undefined;
	const {create} = instance;
	const defaults = readDefaults(instance);
	const jar = jarOf(defaults, parts.jar);
	return new LoginSession(
		resolveSession(session, {jar, baseURL: defaults.baseURL}),
		// Without the session: what logs in must not wait for itself.
		(signal) => equip(create({signal}), {...parts, session: undefined, partOfLogin: true}),
		parts.inFlight.signal,
	);
}

function equip(instance: AxiosInstance, parts: ClientState): MtlsClient {
	const {logger} = parts;
	instance.defaults.adapter = buildAdapter(parts);
	// What fails after the adapter, such as a body that is no JSON, holds the request's secrets too. It is
	// of the axios that made the instance: of a CommonJS app another class than ours.
	instance.interceptors.response.use(null, (error: unknown) => {
		throw isAxiosError(error) ? hideSecrets(withoutBodyText(error)) : error;
	});
	if (logger !== false) logFailures(instance, logger);

	const createPlain = instance.create;
	const create = (config: ClientConfig = {}): MtlsClient => {
		const {options, rest} = splitConfig(config);
		const child = createPlain(rest);
		readDefaults(child);
		const own = createClientState(readClientOptions(options), parts);
		return equip(child, withSession(child, own, options, parts));
	};
	const mtls = createHandle(parts);
	const own = {mtls, create, [Symbol.asyncDispose]: () => mtls.close()};
	return Object.assign(instance, own) as MtlsClient;
}

type ClientOption = (typeof clientOptions)[number];

/** Those of ours, and those of axios. */
function splitConfig(config: unknown) {
	assertObject(config, 'config');
	// axios would keep it, and nobody would look at it.
	assertNoneMisplaced(config, misplaced);
	const options = Object.create(null);
	const rest = Object.create(null);
	for (const [name, value] of Object.entries(config)) {
		if (clientOptions.includes(name as ClientOption)) options[name] = value;
		else rest[name] = value;
	}
	return {options: options as ClientOptions, rest: rest as CreateAxiosDefaults};
}

function readClientOptions(given: unknown): ClientOptions {
	const options = readOptions<ClientOptions>(given, {
		known: clientOptions,
		option: 'options',
		prefix: '',
		remedies: misplaced,
	});
	const {logger} = options;
	if (logger === undefined || logger === false || isLogger(logger)) return options;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'logger',
		'expected error() and warn(), or false',
	);
}

function assertInstance(instance: unknown): void {
	// A function with properties, or an object of the class Axios.
	if (isInstance(instance)) return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'instance',
		`expected an axios instance, found ${describeType(instance)}`,
	);
}

function isInstance(value: unknown): boolean {
	if (value === null || (typeof value !== 'function' && typeof value !== 'object')) return false;
	return ['defaults', 'interceptors'].every((name) => memberOf(value, name) !== undefined);
}

/**
 * What an instance is made with.
 *
 * @throws {MtlsConfigError} here rather than at the first request.
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
