import type {ClientRequest} from 'node:http';
import https from 'node:https';
import type {Duplex} from 'node:stream';
import {inspect} from 'node:util';
import {recognizeCopies} from '../copies.ts';
import type {CertificateFacts} from '../facts.ts';
import type {MtlsOptions} from '../options/mtls.ts';
import type {ConnectionBounds, Logger, ProxySetting} from '../options.ts';
import {assertNoneMisplaced, misplacedOptions} from '../tls/tls-options.ts';
import {assertObject, flattened, withCallerStack, withoutPrototype} from '../util/check-options.ts';
import type {AgentPool, AgentRequestOptions} from './agent-pool.ts';
import {Connections} from './connections.ts';
import {idleLimitMs} from './keep-alive.ts';

/** Options of `https.Agent` that do not decide about TLS, and the proxy. */
export interface MtlsAgentOptions extends ConnectionBounds {
	/** A proxy for all connections, or `false` for none. @defaultValue `HTTPS_PROXY` and `NO_PROXY` decide */
	proxy?: ProxySetting;
	/** Gets what `verify: 'report'` accepts, and the warnings about the client certificate. @defaultValue `console` */
	logger?: Logger | false;
	/** Idle connections kept per origin. @defaultValue 256 */
	maxFreeSockets?: number;
	/** How many of several `mtls` are kept loaded. @defaultValue 1,000 */
	maxIdentities?: number;
}

/**
 * An `https.Agent` that presents a client certificate and verifies the server: the connections of a
 * client, for any Node client that takes an agent.
 *
 * Connections are kept alive, go through the proxy of the environment unless `proxy` says otherwise, and
 * are used after verification only. The constructor reads and checks the files, and no key or passphrase
 * is kept on the object. `rejectUnauthorized` is always `true`, whatever a request or
 * `NODE_TLS_REJECT_UNAUTHORIZED` says.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 *
 * @example
 * ```ts
 * https.get('https://api.bank.example/', {agent: new MtlsAgent({cert, key, ca})});
 * ```
 */
export class MtlsAgent extends https.Agent {
	readonly #connections: Connections;
	readonly #pool: AgentPool;

	static {
		recognizeCopies(MtlsAgent, 'MtlsAgent');
	}

	constructor(mtls?: MtlsOptions | readonly MtlsOptions[], options?: MtlsAgentOptions);
	/** @internal For the connections of a client. */
	constructor(connections: Connections);
	constructor(
		mtls?: MtlsOptions | readonly MtlsOptions[] | Connections,
		options: MtlsAgentOptions = {},
	) {
		const {proxy, logger, maxIdentities, maxSockets, maxTotalSockets, ...nodeOptions} =
			withCallerStack(MtlsAgent, () => readAgentOptions(options));
		super(
			withoutPrototype({
				// Without the limits: Node counts the sockets that are connected, and would queue requests itself.
				...nodeOptions,
				keepAlive: true,
				timeout: idleLimitMs,
				rejectUnauthorized: true,
			}),
		);
		this.#connections =
			mtls instanceof Connections
				? mtls
				: withCallerStack(
						MtlsAgent,
						() =>
							new Connections(mtls, {
								proxy,
								logger,
								maxIdentities,
								maxSockets,
								maxTotalSockets,
							}),
					);
		this.#pool = this.#connections.poolFor(this);
	}

	/** The facts of the client certificate; `null` without one, with several, or before it is fetched. */
	get identity(): CertificateFacts | null {
		return this.#connections.identities.selector.identity;
	}

	/**
	 * Reads the files, or calls `identity`, again, and uses what it finds: requests in flight finish as they
	 * began, and every later one has the new identity.
	 *
	 * @throws {MtlsConfigError} when it cannot be used, or what the loader threw; the old one then stays.
	 */
	reload(): Promise<void> {
		return this.#connections.identities.selector.reload();
	}

	/** Resolves at the next rotation, by `mtls.reload` or {@link reload}, with the facts of the new certificate. */
	nextIdentity(): Promise<CertificateFacts | null> {
		return this.#connections.identities.next();
	}

	/**
	 * The pool key. Node's own contains the PEM of `cert`, `key` and `ca`, and ignores `secureContext`; this
	 * one has what distinguishes two connections, and no secret.
	 */
	override getName(options: AgentRequestOptions = {}): string {
		return this.#pool.nameOf(options);
	}

	override keepSocketAlive(socket: Duplex): boolean {
		if (!this.#pool.mayKeep(socket)) return false;
		// Node sets a timer here for the time that the server announces. Its types say it returns nothing.
		const kept = super.keepSocketAlive(socket) as unknown as boolean;
		if (kept) this.#pool.markIdle(socket);
		return kept;
	}

	override reuseSocket(socket: Duplex, request: ClientRequest): void {
		this.#pool.markUsed(socket);
		super.reuseSocket(socket, request);
	}

	/** Where Node passes each request to its agent; not in its types and documentation. */
	addRequest(request: ClientRequest, options: AgentRequestOptions): void {
		this.#pool.add(request, options);
	}

	override createConnection(
		options: AgentRequestOptions,
		callback?: (error: Error | null, socket: Duplex) => void,
	): undefined {
		const done = callback as (error: unknown, socket?: Duplex) => void;
		this.#pool.connect(options).then(
			(socket) => done(null, socket),
			(error) => done(error),
		);
		return undefined;
	}

	/**
	 * Ends all connections, also those that are being made, and stops watching files. As with Node's agent,
	 * it can be used again.
	 */
	override destroy(): void {
		this.#connections.identities.close();
		this.#pool.abort(new Error('the agent was destroyed'));
		super.destroy();
	}

	override toString(): string {
		const name = this.identity ? `'${this.identity.subject}'` : 'no certificate';
		return `MtlsAgent(${name}, epoch ${this.#connections.identities.selector.epoch})`;
	}

	toJSON(): object {
		return {identity: this.identity};
	}

	// Security: Node would also print the requests that wait, with their cookies.
	[inspect.custom](): string {
		return String(this);
	}
}

const misplaced = misplacedOptions((name) => `belongs in the first argument: {${name}: …}`);

/**
 * Rejects the options that decide about TLS. Node checks those of its own agent.
 *
 * @throws {MtlsConfigError} for an option that belongs elsewhere.
 */
function readAgentOptions(given: unknown): MtlsAgentOptions {
	assertObject(given, 'options');
	const options: object = flattened(given);
	assertNoneMisplaced(options, misplaced);
	return options;
}
