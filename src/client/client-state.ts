import {MtlsConfigError} from '../config-error.ts';
import {Connections} from '../connection/connections.ts';
import {MtlsAgent} from '../connection/mtls-agent.ts';
import {clientJar} from '../cookies/jar.ts';
import {CookiePolicy} from '../cookies/policy.ts';
import {createRejectionLogger, logSharedJar} from '../logging/messages.ts';
import type {ClientOptions, ConnectionBounds, Logger} from '../options.ts';
import {InFlightRequests} from '../request/in-flight.ts';
import {type ClientContext, insecureRedirects} from '../request/prepare-call.ts';
import {resolveTimeouts} from '../request/timeouts.ts';

/** The parts of a client. Instances that it creates share the parts that their options do not replace. */
export interface ClientState
	extends Omit<ClientContext, 'chooseExchange' | 'fallback' | 'redirectAccess'> {
	readonly logger: Logger | false;
	readonly bounds: ConnectionBounds;
	/** Whether the jar was made here, by `jar: true`, and not by the app. */
	readonly madeJar: boolean;
}

/**
 * Creates the parts that `options` configure, and shares the rest with `parent`.
 *
 * @param options - In an object without a prototype.
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function createClientState(options: ClientOptions, parent?: ClientState): ClientState {
	const logger = options.logger ?? parent?.logger ?? console;
	const cookiePolicy =
		parent !== undefined && options.cookies === undefined
			? parent.cookiePolicy
			: new CookiePolicy(options.cookies);
	const own = {
		logger,
		allowInsecureRedirects: insecureRedirects(
			options.allowInsecureRedirects,
			parent?.allowInsecureRedirects ?? false,
		),
		timeouts: resolveTimeouts(options.timeouts, parent?.timeouts),
		cookiePolicy,
		jar: clientJar({jar: options.jar, logger}, cookiePolicy, parent?.jar),
		madeJar: options.jar === undefined ? (parent?.madeJar ?? false) : options.jar === true,
		onCookieRejected:
			parent !== undefined && logger === parent.logger
				? parent.onCookieRejected
				: createRejectionLogger(logger),
	};
	// Last, because it may start to watch files.
	const connections =
		parent !== undefined && options.mtls === undefined
			? sharedConnections(parent, options)
			: createConnections(options, logger, parent?.bounds);
	const {sharedHost} = connections.connections.identities.selector;
	const isNews = options.mtls !== undefined || options.jar !== undefined;
	if (sharedHost !== undefined && own.jar !== undefined && isNews) logSharedJar(logger, sharedHost);
	return {...connections, ...own};
}

/** @throws {MtlsConfigError} for a limit on connections, which would bind the parent too. */
function sharedConnections(parent: ClientState, options: ClientOptions): ClientState {
	const bound = (['maxSockets', 'maxTotalSockets'] as const).find(
		(name) => options[name] !== undefined,
	);
	if (bound === undefined) return parent;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		bound,
		'this instance shares the connections of the one that creates it; give it there, or `mtls` besides',
	);
}

function createConnections(
	{mtls, maxIdentities, maxSockets, maxTotalSockets}: ClientOptions,
	logger: Logger | false,
	inherited: ConnectionBounds = {},
) {
	const bounds: ConnectionBounds = {
		...inherited,
		...(maxSockets !== undefined && {maxSockets}),
		...(maxTotalSockets !== undefined && {maxTotalSockets}),
	};
	const connections = new Connections(mtls, {logger, maxIdentities, ...bounds});
	return {
		connections,
		agent: new MtlsAgent(connections),
		bounds,
		ownsConnections: mtls !== undefined,
		inFlight: new InFlightRequests(),
		session: undefined,
		partOfLogin: false,
	};
}
