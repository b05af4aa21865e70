/*
 * What stands behind a client: connections, cookies, and the adapter and the handle on them.
 */
import {inspect} from 'node:util';
import axios, {type AxiosAdapter} from 'axios';
import {MtlsConfigError, numberOrType} from '../config-error.ts';
import type {CurrentIdentities} from '../connection/current-identities.ts';
import {Http2Pool} from '../connection/http2-pool.ts';
import {endConnections, identitiesOf, limitOf, MtlsAgent} from '../connection/mtls-agent.ts';
import {Pools} from '../connection/pool.ts';
import {statsLine, statsOf} from '../connection/stats.ts';
import {flushJar} from '../cookies/file/file-jar.ts';
import {type CookieJar, clientJar} from '../cookies/jar.ts';
import {CookiePolicy} from '../cookies/policy.ts';
import {axiosExchange} from '../exchange/axios.ts';
import {http2Exchange} from '../exchange/http2/exchange.ts';
import {wantsHttp2} from '../exchange/http2-options.ts';
import {undiciExchange} from '../exchange/undici/exchange.ts';
import {undiciSupports} from '../exchange/undici/supported.ts';
import {createRejectionLogger} from '../logging/messages.ts';
import type {LoginSession} from '../login/login-session.ts';
import type {ClientOptions, ConnectionBounds, CookieRefusal, Logger, Timeouts} from '../options.ts';
import {makeAdapter} from '../request/adapter.ts';
import {assertNoClientOptions} from '../request/conflicting-agents.ts';
import {InFlightRequests} from '../request/in-flight.ts';
import {insecureRedirects} from '../request/redirect.ts';
import {resolveTimeouts} from '../request/timeouts.ts';
import {memberOf, withoutPrototype} from '../util/check-options.ts';
import type {MtlsHandle} from './types.ts';

/** What stands behind a client. The instances that it creates share all that they do not replace. */
export interface ClientState {
	readonly logger: Logger | false | undefined;
	readonly agent: MtlsAgent;
	readonly identities: CurrentIdentities;
	/** Beside the agent: the connections of the lean exchange. */
	readonly pools: Pools;
	readonly http2: Http2Pool;
	/** Of all these connections together. */
	readonly bounds: ConnectionBounds;
	readonly ownsConnections: boolean;
	readonly jar: CookieJar | undefined;
	readonly cookiePolicy: CookiePolicy;
	readonly onCookieRejected: (refusal: CookieRefusal) => void;
	readonly allowInsecureRedirects: boolean;
	readonly timeouts: Timeouts;
	/** Belongs to the agent: whoever shares it is closed with it. */
	readonly lifetime: InFlightRequests;
	readonly session: LoginSession | undefined;
	/** What a login sends with: it belongs to the calls that wait for it. */
	readonly partOfLogin: boolean;
}

/**
 * Makes what the options ask for; the rest is that of `parent`.
 *
 * @param given - In an object without a prototype.
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createClientState(given: ClientOptions, parent?: ClientState): ClientState {
	const {mtls, cookies} = given;
	const logger = given.logger ?? parent?.logger;
	const options = logger === undefined ? given : withoutPrototype({...given, logger});
	const allowInsecureRedirects = insecureRedirects(
		given.allowInsecureRedirects,
		parent?.allowInsecureRedirects ?? false,
	);
	const timeouts = resolveTimeouts(options.timeouts, parent?.timeouts);
	const cookiePolicy = (cookies === undefined && parent?.cookiePolicy) || new CookiePolicy(cookies);
	const jar = clientJar(options, cookiePolicy, parent?.jar);
	// Last, for it may begin to watch files.
	const connections =
		mtls === undefined && parent
			? sharedConnections(parent, given)
			: makeConnections(options, parent?.bounds);
	return {
		...connections,
		logger,
		jar,
		cookiePolicy,
		allowInsecureRedirects,
		onCookieRejected:
			(logger === parent?.logger && parent?.onCookieRejected) ||
			createRejectionLogger(logger ?? console),
		timeouts,
	};
}

/** @throws {MtlsConfigError} for a bound: it would hold for the parent's requests too. */
function sharedConnections(parent: ClientState, given: ClientOptions): ClientState {
	const bound = (['maxSockets', 'maxTotalSockets'] as const).find(
		(name) => given[name] !== undefined,
	);
	if (bound === undefined) return parent;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		bound,
		'this instance shares the connections of the one that creates it; give it there, or `mtls` besides',
	);
}

function makeConnections(options: ClientOptions, ofParent: ConnectionBounds = {}) {
	const {mtls, maxIdentities, maxSockets, maxTotalSockets, logger} = options;
	const bounds: ConnectionBounds = {
		...ofParent,
		...(maxSockets !== undefined && {maxSockets}),
		...(maxTotalSockets !== undefined && {maxTotalSockets}),
	};
	const agent = new MtlsAgent(mtls, {
		...(logger !== undefined && {logger}),
		...(maxIdentities !== undefined && {maxIdentities}),
		...bounds,
	});
	const identities = identitiesOf(agent);
	const limit = limitOf(agent);
	const pools = new Pools(limit);
	const http2 = new Http2Pool(limit);
	identities.onRetire((snapshot) => {
		pools.retire(snapshot);
		http2.retire(snapshot);
	});
	return {
		agent,
		identities,
		pools,
		http2,
		bounds,
		ownsConnections: mtls !== undefined,
		lifetime: new InFlightRequests(),
		session: undefined,
		partOfLogin: false,
	};
}

/** The adapter on `parts`. */
export function buildAdapter(parts: ClientState): AxiosAdapter {
	const lean = undiciExchange(parts.pools);
	const http2 = http2Exchange(parts.http2);
	const {roster} = parts.identities;
	return makeAdapter({
		...parts,
		exchange: (input) => {
			if (undiciSupports(input)) return lean(input);
			assertNoClientOptions(input.config);
			return wantsHttp2(input.config) ? http2(input) : axiosExchange(input);
		},
		fallback: axios.getAdapter('http'),
		trusting: (ca) => parts.identities.trusting(ca),
		snapshotAt: (origin) => roster.at(origin),
		arrival: (target, redirector) => roster.arrival(target, redirector),
	});
}

const closeDeadlineMs = 10_000;

/**
 * Takes anything: an event that the client is closed at brings an argument of its own.
 *
 * @throws {MtlsConfigError} when `deadlineMs` is no time.
 */
function deadlineOf(options: unknown): number {
	const given = typeof options === 'object' && options !== null ? options : Object.create(null);
	const deadlineMs = memberOf(given, 'deadlineMs') ?? closeDeadlineMs;
	if (typeof deadlineMs === 'number' && !Number.isNaN(deadlineMs)) return deadlineMs;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'deadlineMs',
		`expected milliseconds, found ${numberOrType(deadlineMs)}`,
	);
}

/** `client.mtls` on `parts`. */
export function handleOf(parts: ClientState): MtlsHandle {
	const {agent, identities, pools, http2, jar, lifetime} = parts;
	const stats = () => statsOf(identities, agent, [pools, http2]);
	const line = () => statsLine(stats());
	const close = async (options?: {readonly deadlineMs?: number}) => {
		const deadlineMs = deadlineOf(options);
		identities.close();
		await lifetime.end(deadlineMs);
		await Promise.all([endConnections(agent), pools.destroy(), http2.destroy()]);
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
