import {MtlsConfigError} from '../errors.ts';
import {longestDelayMs} from '../longest-delay.ts';
import type {Timeouts} from '../options.ts';

const names: readonly string[] = ['connectMs', 'handshakeMs', 'firstByteMs', 'requestMs'];

/**
 * The deadlines of a client or a request: `own`, and those of `base` that it does not give.
 *
 * @throws {MtlsConfigError} for the first one that is unknown or no number of milliseconds.
 */
export function resolveTimeouts(own: unknown, base: Timeouts = {}): Timeouts {
	if (own === undefined) return base;
	if (typeof own !== 'object' || own === null || Array.isArray(own)) {
		throw badOption('timeouts', `expected an object, found ${describe(own)}`);
	}
	const given = Object.entries(own).filter(([, limit]) => limit !== undefined);
	for (const [name, limit] of given) {
		if (!names.includes(name)) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNKNOWN_OPTION',
				`timeouts.${name}`,
				`no such option; known are ${names.join(', ')}`,
			);
		}
		if (!isDelay(limit)) {
			throw badOption(
				`timeouts.${name}`,
				`expected whole milliseconds from 0 to ${longestDelayMs}, found ${describe(limit)}`,
			);
		}
	}
	return {...base, ...Object.fromEntries(given)};
}

function isDelay(limit: unknown): boolean {
	return Number.isInteger(limit) && Number(limit) >= 0 && Number(limit) <= longestDelayMs;
}

function describe(value: unknown): string {
	if (value === null || typeof value === 'number') return String(value);
	return Array.isArray(value) ? 'an array' : typeof value;
}

function badOption(option: string, message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, message);
}
