import {Console} from 'node:console';
import type {Logger} from '../options.ts';
import {memberOf} from '../util/check-options.ts';
import {oneLine} from './failure-lines.ts';

/** What a person reads on a console instead of the message and its fields, a line each. */
export type Lines = () => readonly string[];

/** Whether a value has the methods of a logger. */
export function isLogger(value: unknown): value is Logger {
	if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
	return ['error', 'warn'].every((name) => typeof memberOf(value, name) === 'function');
}

/** How the loggers that have a method `log` are called. */
type MessageFirst = Record<'warn' | 'error', (message: string, fields: object) => unknown>;

/**
 * Logs as the logger takes it: `console` one text, a logger with a method `log` (winston, log4js, the one
 * of NestJS) message and fields, any other (pino, bunyan) fields and message. A logger that throws,
 * or returns a promise that rejects, is ignored: it must not fail the connection, the client or the app.
 */
export function callLogger(
	logger: Logger | false,
	level: 'warn' | 'error',
	fields: object,
	message: string,
	lines?: Lines,
): void {
	if (logger === false) return;
	try {
		// Any instance: test runners replace the global one.
		if (logger instanceof Console) {
			logger[level](`axios-mtls: ${(lines?.() ?? [oneLine(message)]).join('\n  ')}`);
		} else if (typeof memberOf(logger, 'log') === 'function') {
			ignoreRejection((logger as unknown as MessageFirst)[level](message, fields));
		} else ignoreRejection(logger[level](fields, message));
	} catch {
		// See above.
	}
}

function ignoreRejection(returned: unknown): void {
	const {then} = (returned ?? {}) as {then?: unknown};
	if (typeof then === 'function') then.call(returned, undefined, () => {});
}

export function warn(logger: Logger | false, fields: object, message: string, lines?: Lines): void {
	callLogger(logger, 'warn', fields, message, lines);
}
