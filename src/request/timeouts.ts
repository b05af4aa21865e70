import type {Timeouts} from '../options.ts';
import {badOption, numeric, readOptions, withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';

const delay = numeric(
	`whole milliseconds from 0 to ${MAX_TIMER_MS}`,
	(ms) => Number.isInteger(ms) && ms >= 0 && ms <= MAX_TIMER_MS,
);

const known = {connectMs: delay, handshakeMs: delay, firstByteMs: delay, requestMs: delay};

/**
 * The timeouts of a client or a request: `own`, and those of `base` that it does not give.
 *
 * @throws {MtlsConfigError} for the first one that is unknown or not a number of milliseconds.
 */
export function resolveTimeouts(own: unknown, base: Timeouts = none): Timeouts {
	if (own === undefined) return base;
	if (typeof own === 'number') throw badOption('timeouts', 'an object', String(own));
	return withoutPrototype({...base, ...readOptions<Timeouts>(own, {known, option: 'timeouts'})});
}

const none: Timeouts = Object.create(null);
