import type {SecureVersion} from 'node:tls';
import {describeType, MtlsConfigError, withOptionPath} from '../config-error.ts';
import type {MtlsOptions, ProxyTlsOptions} from '../options.ts';
import {memberOf, readOptions, withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';

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
const strings: Rule = {
	expected: 'a list of strings',
	holds: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};
const version: Rule = {
	expected: 'TLSv1.2 or TLSv1.3',
	holds: (value) => versions.includes(value as SecureVersion),
};

const isInterval: Check = (value) => {
	try {
		const {everyMs} = readReload(value);
		return everyMs === undefined || isDelay(everyMs);
	} catch {
		return false;
	}
};

function isDelay(ms: number): boolean {
	return Number.isInteger(ms) && ms >= 1 && ms <= MAX_TIMER_MS;
}

function readReload(value: unknown): {readonly everyMs?: number} {
	return readOptions(value, {known: ['everyMs'], option: 'mtls.reload'});
}

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
			typeof value === 'function' ||
			(typeof value === 'object' &&
				value !== null &&
				typeof memberOf(value, 'load') === 'function'),
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
	origins: strings,
	allowRedirectsFrom: strings,
	allowExpired: flag,
	proxy: {
		expected: 'an object',
		holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
	},
};

const names = Object.keys(rules) as readonly (keyof MtlsOptions)[];

// Words of node:tls for which there is none here.
const replaced: readonly (readonly [string, string])[] = [
	[
		'rejectUnauthorized',
		"verification cannot be switched off: name the server's CA in `mtls.ca`, or log what fails with `mtls.verify: 'report'`",
	],
	[
		'checkServerIdentity',
		'verification cannot be replaced: narrow it with `mtls.servername`, `mtls.pins` or `mtls.spiffeId`',
	],
];

/**
 * The options of `mtls`, and those for which there is another way, where they are given beside it:
 * what to do instead, by name. `proxy` is a word of its own there.
 */
export function misplacedOptions(how: (name: string) => string): ReadonlyMap<string, string> {
	const beside = names.filter((name) => name !== 'proxy');
	return new Map([...beside.map((name) => [name, how(name)] as const), ...replaced]);
}

/**
 * Looks for options that nobody would read where they are.
 *
 * @param misplaced - As {@link misplacedOptions} gives them.
 * @throws {MtlsConfigError} for the first one.
 */
export function assertNoneMisplaced(options: object, misplaced: ReadonlyMap<string, string>): void {
	for (const [name, value] of Object.entries(options)) {
		const remedy = value === undefined ? undefined : misplaced.get(name);
		if (remedy !== undefined) throw new MtlsConfigError('ERR_MTLS_UNKNOWN_OPTION', name, remedy);
	}
}

const proxyNames = [
	'cert',
	'key',
	'pfx',
	'passphrase',
	'ca',
	'crl',
	'pins',
	'servername',
	'minVersion',
	'maxVersion',
	'ciphers',
	'allowExpired',
] as const satisfies readonly (keyof ProxyTlsOptions)[];

/**
 * Reads `mtls`, and what lies in it, before any file is read.
 *
 * @throws {MtlsConfigError} for the first option that is unknown or of the wrong type.
 */
export function readMtlsOptions(given: unknown): MtlsOptions {
	const {reload, proxy, ...options} = readKnown<MtlsOptions>(given, names);
	return withoutPrototype({
		...options,
		...(reload !== undefined && {
			reload: typeof reload === 'boolean' ? reload : readReload(reload),
		}),
		...(proxy !== undefined && {proxy: readProxyTls(proxy)}),
	});
}

const remedies = new Map(replaced);

function readProxyTls(given: unknown): ProxyTlsOptions {
	try {
		return readKnown(given, proxyNames);
	} catch (error) {
		throw withOptionPath(error, 'mtls.proxy');
	}
}

function readKnown<T extends MtlsOptions>(given: unknown, known: readonly (keyof T & string)[]): T {
	if (typeof given === 'string') throw badOption('mtls', 'an object', given);
	const options = readOptions<T>(given, {known, option: 'mtls', remedies});
	for (const [name, value] of Object.entries(options)) {
		const {expected, holds} = rules[name as keyof MtlsOptions];
		if (!holds(value)) throw badOption(`mtls.${name}`, expected, value);
	}
	assertOrder(options);
	return options;
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
	if (typeof value !== 'string') return describeType(value);
	if (value.trim() === '') return 'an empty string';
	return /^(TLS|SSL)[v_ ]?\d([._]\d)?$/i.test(value) ? `'${value}'` : 'a string';
}
