import {inspect} from 'node:util';
import {flushJar} from '../cookies/file/file-jar.ts';
import type {CookieJar} from '../cookies/jar.ts';
import {badOption, memberOf, numberOrType} from '../util/check-options.ts';
import type {ClientState} from './client-state.ts';
import {statsLine, statsOf} from './stats.ts';
import type {MtlsHandle} from './types.ts';

/**
 * Makes `client.mtls`.
 *
 * @param jarInUse - The jar of the client's requests: a default of the instance comes before that of `state`.
 */
export function createHandle(
	state: ClientState,
	jarInUse: () => CookieJar | undefined,
): MtlsHandle {
	const {agent, connections, inFlight} = state;
	const stats = () => statsOf(connections);
	const line = () => statsLine(stats());
	const close = async (options?: {readonly deadlineMs?: number}) => {
		const deadlineMs = closeDeadlineMs(options);
		connections.identities.close();
		await inFlight.end(deadlineMs);
		await connections.destroy();
		await flushJar(state.jar);
		await flushJar(jarInUse());
	};
	const handle: MtlsHandle = {
		agent,
		get jar() {
			return jarInUse();
		},
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
	// Security: a printed handle would otherwise show the cookies of the jar.
	const printed = () => ({agent: String(agent), identity: agent.identity, stats: line()});
	return Object.defineProperties(handle, {
		toJSON: {value: printed},
		[inspect.custom]: {value: printed},
	});
}

const defaultCloseDeadlineMs = 10_000;

/**
 * `deadlineMs` of `close()`. Options that are not an object are ignored: as an event listener, `close`
 * is called with the event's argument.
 *
 * @throws {MtlsConfigError} when it is not a number.
 */
function closeDeadlineMs(options: unknown): number {
	const given = typeof options === 'object' && options !== null ? options : Object.create(null);
	const deadlineMs = memberOf(given, 'deadlineMs') ?? defaultCloseDeadlineMs;
	if (typeof deadlineMs === 'number' && !Number.isNaN(deadlineMs)) return deadlineMs;
	throw badOption('deadlineMs', 'milliseconds', numberOrType(deadlineMs));
}
