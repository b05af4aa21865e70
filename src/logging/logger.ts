import type {Logger} from '../options.ts';
import {memberOf} from '../util/check-options.ts';

/** Whether a value has the methods of a logger. */
export function isLogger(value: unknown): value is Logger {
	if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
	return ['error', 'warn'].every((name) => typeof memberOf(value, name) === 'function');
}

/** Logs, and ignores a logger that throws. */
export function callLogger(
	logger: Logger | false,
	level: 'warn' | 'error',
	fields: object,
	message: string,
): void {
	if (logger === false) return;
	try {
		logger[level](fields, message);
	} catch {
		// A logger that fails must not fail the connection or the client.
	}
}

export function warn(logger: Logger | false, fields: object, message: string): void {
	callLogger(logger, 'warn', fields, message);
}
