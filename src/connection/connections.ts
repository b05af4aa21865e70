import type https from 'node:https';
import type {MtlsOptions} from '../options/mtls.ts';
import type {Logger, ProxySetting} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {badOption, numberOrType, withoutPrototype} from '../util/check-options.ts';
import {AgentPool} from './agent-pool.ts';
import {type Bounds, ConnectionLimit} from './connection-limit.ts';
import {CurrentIdentities} from './current-identities.ts';
import {Http1Pool} from './http1-pool.ts';
import {Http2Pool} from './http2-pool.ts';
import {resolveProxy} from './proxy/resolve-proxy.ts';

/** Options of the connections, besides `mtls`. */
interface ConnectionOptions {
	/** For an agent without a client; a client chooses the proxy for each request. */
	readonly proxy?: ProxySetting | undefined;
	readonly logger?: Logger | false | undefined;
	readonly maxIdentities?: number | undefined;
	readonly maxSockets?: number | undefined;
	readonly maxTotalSockets?: number | undefined;
}

/** What each kind of pool does. */
interface ConnectionPool {
	/** Connections by their state, and requests that wait for one. */
	readonly counts: {readonly active: number; readonly idle: number; readonly queued: number};
	retire(snapshot: Snapshot): void;
	destroy(): Promise<void>;
}

/** The identities of a client and its connections: those of undici, of HTTP/2 and of its Node agent. */
export class Connections {
	readonly identities: CurrentIdentities;
	/** On the connections of all pools together. */
	readonly limit: ConnectionLimit | undefined;
	readonly pool: Http1Pool;
	#http2: Http2Pool | undefined;
	readonly #proxy: ProxySetting | undefined;
	readonly #pools: ConnectionPool[];

	/** @throws {MtlsConfigError} for the first option that cannot be used. */
	constructor(mtls: MtlsOptions | readonly MtlsOptions[] = {}, options: ConnectionOptions = {}) {
		const own = withoutPrototype(options);
		const {proxy, logger = console, maxIdentities} = own;
		this.limit = connectionLimit(own);
		// A mistake in it is reported now rather than at the first request, and before files are watched.
		if (proxy) resolveProxy(proxy, new URL('https://localhost'));
		this.#proxy = proxy;
		this.pool = new Http1Pool(this.limit);
		this.#pools = [this.pool];
		this.identities = new CurrentIdentities(mtls, logger, maxIdentities);
		this.identities.onRetire((snapshot) => {
			for (const pool of this.#pools) pool.retire(snapshot);
		});
	}

	/** Made for the first request over HTTP/2, which most clients never send. */
	get http2(): Http2Pool {
		if (this.#http2 === undefined) {
			this.#http2 = new Http2Pool(this.limit);
			this.#pools.push(this.#http2);
		}
		return this.#http2;
	}

	/** Adds the connections of `agent` to these. */
	poolFor(agent: https.Agent): AgentPool {
		const pool = new AgentPool(agent, this.identities, this.limit, this.#proxy);
		this.#pools.push(pool);
		return pool;
	}

	get counts(): ConnectionPool['counts'] {
		const sum = {active: 0, idle: 0, queued: 0};
		for (const {counts} of this.#pools) {
			sum.active += counts.active;
			sum.idle += counts.idle;
			sum.queued += counts.queued;
		}
		return sum;
	}

	/** Ends all connections, with the requests on them and those that wait. */
	async destroy(): Promise<void> {
		this.identities.close();
		await Promise.all(this.#pools.map((pool) => pool.destroy()));
	}
}

/**
 * The limit of `maxSockets` and `maxTotalSockets`; `undefined` without one.
 *
 * @throws {MtlsConfigError} for anything but a whole number of 1 or more.
 */
export function connectionLimit(bounds: Bounds): ConnectionLimit | undefined {
	const given = (['maxSockets', 'maxTotalSockets'] as const).filter((option) => {
		const bound: unknown = bounds[option];
		if (bound === undefined || bound === Number.POSITIVE_INFINITY) return false;
		if (Number.isInteger(bound) && Number(bound) >= 1) return true;
		throw badOption(option, 'a whole number of 1 or more, or Infinity', numberOrType(bound));
	});
	return given.length === 0 ? undefined : new ConnectionLimit(bounds);
}
