import type {ClientRequestArgs} from 'node:http';
import https from 'node:https';
import type {LookupFunction} from 'node:net';
import type {Duplex} from 'node:stream';
import {inspect} from 'node:util';
import type {CertificateFacts} from '../certificate.ts';
import {MtlsConfigError} from '../errors.ts';
import type {Logger, MtlsOptions} from '../options.ts';
import {tellIdentity, tellUnverified} from '../tell.ts';
import {loadSnapshot, type Showing, type Snapshot} from '../tls/snapshot.ts';
import {bareHost} from '../tls/verify.ts';
import {connect} from './connect.ts';
import {type HttpProxy, type ProxySetting, resolveProxy} from './proxy.ts';

/** Options of `https.Agent` that do not decide about TLS, and the proxy. */
export interface MtlsAgentOptions {
	/** An HTTP proxy for all connections, or `false` for none. @defaultValue `HTTPS_PROXY` and `NO_PROXY` decide */
	proxy?: ProxySetting;
	/** Told what `verify: 'report'` lets go, and what is to be said of our certificate. @defaultValue `console` */
	logger?: Logger | false;
	/** Idle connections kept per origin. @defaultValue 256 */
	maxFreeSockets?: number;
}

/** How one request wants to travel; the adapter says it, other clients leave it to the agent. */
export interface Route {
	readonly showing: Showing;
	readonly proxy: HttpProxy | undefined;
	/** Aborted when the request is over, so that an attempt to connect does not outlive it. */
	readonly signal: AbortSignal;
}

const route: unique symbol = Symbol('axios-mtls.route');

/** Request options that carry `way` to the agent. */
export function routed<O extends object>(options: O, way: Route): O {
	return {...options, [route]: way};
}

interface RequestOptions extends ClientRequestArgs {
	[route]?: Route;
	lookup?: LookupFunction;
}

// What an https request may bring to take the place of ours. Silently dropping it would hide a mistake.
const foreign = ['cert', 'key', 'pfx', 'ca', 'secureContext'] as const;

const snapshots = new WeakMap<MtlsAgent, Snapshot>();

/** What an agent's connections are made of, for those who make connections beside it. */
export function snapshotOf(agent: MtlsAgent): Snapshot {
	return snapshots.get(agent) as Snapshot;
}

/**
 * An `https.Agent` that proves who we are and verifies whom it talks to: the transport half of a
 * client, for any Node client that takes an agent.
 *
 * Connections are kept alive, go through the proxy of the environment unless `proxy` says
 * otherwise, and are handed out after verification only. The files are read and checked by the
 * constructor, and no key or passphrase is kept on the object. `rejectUnauthorized` is always
 * `true`, whatever a request or `NODE_TLS_REJECT_UNAUTHORIZED` says.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 *
 * @example
 * ```ts
 * https.get('https://api.bank.example/', {agent: new MtlsAgent({cert, key, ca})});
 * ```
 */
export class MtlsAgent extends https.Agent {
	readonly #snapshot: Snapshot;
	readonly #proxy: ProxySetting;
	// Node knows the sockets that stand, not the attempts to make one.
	#attempts = new AbortController();

	constructor(
		mtls: MtlsOptions = {},
		{proxy, logger = console, ...options}: MtlsAgentOptions = {},
	) {
		super({...options, keepAlive: true, rejectUnauthorized: true});
		this.#snapshot = loadSnapshot(mtls, new Date(), (judged) => tellUnverified(logger, judged));
		tellIdentity(logger, this.#snapshot);
		snapshots.set(this, this.#snapshot);
		this.#proxy = proxy;
		// A mistake in it is told here, not at the first request.
		if (proxy) resolveProxy(proxy, new URL('https://localhost'));
	}

	/** The facts of our certificate; `null` when we have none. */
	get identity(): CertificateFacts | null {
		return this.#snapshot.identity;
	}

	/**
	 * The pool key. Node's own holds the PEM of `cert`, `key` and `ca`, and ignores `secureContext`;
	 * ours holds what tells two connections apart and no secret.
	 */
	override getName(options: RequestOptions = {}): string {
		const {showing, proxy} = this.#routeOf(options);
		return [
			options.host,
			options.port,
			options.localAddress,
			options.family,
			this.#snapshot.epoch,
			showing,
			proxy?.poolKey ?? 'direct',
		].join('|');
	}

	override createConnection(
		options: RequestOptions,
		callback?: (error: Error | null, socket: Duplex) => void,
	): undefined {
		const done = callback as (error: unknown, socket?: Duplex) => void;
		this.#connect(options).then(
			(socket) => done(null, socket),
			(error) => done(error),
		);
		return undefined;
	}

	/** Ends all connections, and the attempts to make one. As with Node's agent, it can be used again. */
	override destroy(): void {
		this.#attempts.abort(new Error('the agent was destroyed'));
		this.#attempts = new AbortController();
		super.destroy();
	}

	override toString(): string {
		const name = this.identity ? `'${this.identity.subject}'` : 'no certificate';
		return `MtlsAgent(${name}, epoch ${this.#snapshot.epoch})`;
	}

	toJSON(): object {
		return {identity: this.identity};
	}

	// Security: Node's print goes into the requests that are waiting, cookies and all.
	[inspect.custom](): string {
		return String(this);
	}

	async #connect(options: RequestOptions) {
		const intruder = foreign.find(
			(name) => name in options && options[name as keyof typeof options],
		);
		if (intruder !== undefined) {
			throw new MtlsConfigError(
				'ERR_MTLS_AGENT_CONFLICT',
				intruder,
				'a request through an MtlsAgent cannot bring its own; give it to the agent',
			);
		}
		const {localAddress, family, lookup} = options;
		const way = this.#routeOf(options);
		const {signal} = this.#attempts;
		return connect(this.#snapshot, {
			...way,
			host: hostOf(options),
			port: Number(options.port) || 443,
			signal: way.signal ? AbortSignal.any([way.signal, signal]) : signal,
			net: {
				...(localAddress !== undefined && {localAddress}),
				...(family !== undefined && {family}),
				...(lookup !== undefined && {lookup}),
			},
		});
	}

	#routeOf(options: RequestOptions): Omit<Route, 'signal'> & Partial<Pick<Route, 'signal'>> {
		const given = options[route];
		if (given) return given;
		const host = hostOf(options);
		const url = new URL(`https://${host.includes(':') ? `[${host}]` : host}`);
		url.port = String(options.port ?? '');
		return {showing: 'shown', proxy: resolveProxy(this.#proxy, url)};
	}
}

function hostOf({host, hostname}: RequestOptions): string {
	return bareHost(host ?? hostname ?? 'localhost');
}
