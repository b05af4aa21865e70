import type {SecureVersion} from 'node:tls';
import {assertKnown, kindOf, MtlsConfigError} from '../config-error.ts';
import {longestDelayMs} from '../longest-delay.ts';
import type {MtlsOptions} from '../options.ts';

/** The lowest TLS version where nothing else is asked for. */
export const lowestVersion: SecureVersion = 'TLSv1.2';

// Lowest first. The two below the floor are for whoever asks for them by name.
const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

type Check = (value: unknown) => boolean;
interface Rule {
	readonly expected: string;
	readonly holds: Check;
}

const text: Check = (value) => typeof value === 'string' && value.trim() !== '';
// Read and judged where it is used.
const source: Rule = {expected: 'a source', holds: () => true};
const flag: Rule = {expected: 'true or false', holds: (value) => typeof value === 'boolean'};
const string: Rule = {expected: 'a string that is not empty', holds: text};
const version: Rule = {
	expected: 'TLSv1.2 or TLSv1.3',
	holds: (value) => versions.includes(value as SecureVersion),
};

const isInterval: Check = (value) => {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
	return Object.entries(value).every(
		([name, delay]) =>
			name === 'everyMs' &&
			(delay === undefined || (Number.isInteger(delay) && delay >= 1 && delay <= longestDelayMs)),
	);
};

const rules: Readonly<Record<keyof MtlsOptions, Rule>> = {
	cert: source,
	key: source,
	pfx: source,
	passphrase: {
		expected: 'a string or a function',
		holds: (value) => typeof value === 'string' || typeof value === 'function',
	},
	identity: {
		expected: 'a function, or an object with load()',
		holds: (value) =>
			typeof value === 'function' || typeof (value as {load?: unknown} | null)?.load === 'function',
	},
	reload: {
		expected: 'true, false or {everyMs}, of 1 ms or more',
		holds: (value) => typeof value === 'boolean' || isInterval(value),
	},
	ca: source,
	crl: source,
	pins: source,
	spiffeId: string,
	verify: {
		expected: "'strict' or 'report'",
		holds: (value) => value === 'strict' || value === 'report',
	},
	requireClientAuth: flag,
	servername: string,
	minVersion: version,
	maxVersion: version,
	ciphers: string,
	origins: {
		expected: 'a list of strings',
		holds: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
	},
	allowExpired: flag,
	proxy: {
		expected: 'an object',
		holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
	},
};

/**
 * Looks at the shape of the options, before any file is read.
 *
 * @param known - Where not all options of `mtls` may be given.
 * @throws {MtlsConfigError} for the first option that is unknown or of the wrong type.
 */
export function assertOptions(
	options: MtlsOptions,
	known: readonly string[] = Object.keys(rules),
): void {
	if (typeof options !== 'object' || options === null || Array.isArray(options)) {
		throw badOption('mtls', 'an object', options);
	}
	assertKnown(options, known, 'mtls.');
	for (const [name, value] of Object.entries(options)) {
		const {expected, holds} = rules[name as keyof MtlsOptions];
		if (value !== undefined && !holds(value)) throw badOption(`mtls.${name}`, expected, value);
	}
	assertOrder(options);
}

// OpenSSL takes a range in which there is no version, and then fails each handshake.
function assertOrder({minVersion, maxVersion}: MtlsOptions): void {
	if (maxVersion === undefined) return;
	if (versions.indexOf(minVersion ?? lowestVersion) <= versions.indexOf(maxVersion)) return;
	throw minVersion === undefined
		? badOption(
				'mtls.maxVersion',
				`${lowestVersion} or more, where minVersion does not lower it`,
				maxVersion,
			)
		: badOption('mtls.minVersion', `no more than maxVersion (${maxVersion})`, minVersion);
}

// Tells a version as it is and the type alone of all else: a value in the wrong place may be a
// passphrase.
function badOption(option: string, expected: string, found: unknown): MtlsConfigError {
	return new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected ${expected}, found ${describeValue(found)}`,
	);
}

function describeValue(value: unknown): string {
	if (typeof value !== 'string') return kindOf(value);
	if (value.trim() === '') return 'an empty string';
	return /^(TLS|SSL)[v_ ]?\d([._]\d)?$/i.test(value) ? `'${value}'` : 'a string';
}
