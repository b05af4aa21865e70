import {MtlsConfigError, numberOrType} from '../config-error.ts';
import type {Timeouts} from '../options.ts';
import {readOptions, withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';

const known = ['connectMs', 'handshakeMs', 'firstByteMs', 'requestMs'] as const;

/**
 * The deadlines of a client or a request: `own`, and those of `base` that it does not give.
 *
 * @throws {MtlsConfigError} for the first one that is unknown or no number of milliseconds.
 */
export function resolveTimeouts(own: unknown, base: Timeouts = none): Timeouts {
	if (own === undefined) return base;
	if (typeof own === 'number') throw badOption('timeouts', `expected an object, found ${own}`);
	const given = readOptions<Timeouts>(own, {known, option: 'timeouts'});
	for (const [name, limit] of Object.entries(given)) {
		if (isDelay(limit)) continue;
		throw badOption(
			`timeouts.${name}`,
			`expected whole milliseconds from 0 to ${MAX_TIMER_MS}, found ${numberOrType(limit)}`,
		);
	}
	return withoutPrototype({...base, ...given});
}

const none: Timeouts = Object.create(null);

function isDelay(limit: unknown): boolean {
	return Number.isInteger(limit) && Number(limit) >= 0 && Number(limit) <= MAX_TIMER_MS;
}

function badOption(option: string, message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, message);
}
