import {
	createSecureContext,
	type SecureContext,
	type SecureContextOptions,
	type SecureVersion,
} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {MtlsOptions, ProxyTlsOptions} from '../options/mtls.ts';
import {
	anything,
	badOption,
	boolean,
	describeType,
	isNearly,
	memberOf,
	numeric,
	type OptionCheck,
	oneOf,
	readOptions,
	withOptionPath,
	withoutPrototype,
} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import type {PassphraseProvider} from './credentials/passphrase.ts';
import {loadCa} from './trust/ca.ts';
import {loadCrl} from './trust/crl.ts';
import {assertTrustDefined} from './trust/verification.ts';

/** The default of `minVersion`. */
const lowestVersion: SecureVersion = 'TLSv1.2';

// Lowest first. The two below the default must be set explicitly.
const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const text: OptionCheck = {
	expected: 'a string that is not empty',
	accepts: (value) => typeof value === 'string' && value.trim() !== '',
};
const strings: OptionCheck = {
	expected: 'a list of strings',
	accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};
const version: OptionCheck = {
	expected: 'TLSv1.2 or TLSv1.3',
	accepts: (value) => versions.includes(value as SecureVersion),
};

function isReload(value: unknown): boolean {
	if (typeof value === 'boolean') return true;
	try {
		const {everyMs} = readReload(value);
		return everyMs === undefined || isDelay(everyMs);
	} catch {
		return false;
	}
}

function isDelay(ms: number): boolean {
	return Number.isInteger(ms) && ms >= 1 && ms <= MAX_TIMER_MS;
}

function readReload(value: unknown): {readonly everyMs?: number} {
	return readOptions(value, {known: ['everyMs'], option: 'mtls.reload'});
}

const verifyModes = ['strict', 'report'];

const checks: Readonly<Record<keyof MtlsOptions, OptionCheck>> = {
	cert: anything,
	key: anything,
	pfx: anything,
	alias: text,
	passphrase: {
		expected: 'a string or a function',
		accepts: (value) => typeof value === 'string' || typeof value === 'function',
	},
	identity: {
		expected: 'a function, or an object with load()',
		accepts: (value) =>
			typeof value === 'function' ||
			(typeof value === 'object' &&
				value !== null &&
				typeof memberOf(value, 'load') === 'function'),
	},
	reload: {
		expected: 'true, false or {everyMs}, of 1 ms or more',
		accepts: isReload,
	},
	ca: anything,
	crl: anything,
	pins: anything,
	spiffeId: text,
	verify: oneOf(...verifyModes),
	requireClientAuth: boolean,
	servername: text,
	minVersion: version,
	maxVersion: version,
	ciphers: text,
	ecdhCurve: text,
	sigalgs: text,
	secureOptions: numeric(
		'a number: bits of crypto.constants.SSL_OP_*',
		(value) => Number.isSafeInteger(value) && value >= 0,
	),
	origins: strings,
	allowRedirectsFrom: strings,
	allowExpired: boolean,
	allowAnyPurpose: boolean,
	proxy: {
		expected: 'an object',
		accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
	},
};

const names = Object.keys(checks) as readonly (keyof MtlsOptions)[];

/** The options that say who the client is. An `mtls` without any of these holds trusted CAs alone. */
export const credentialOptions = ['cert', 'key', 'pfx', 'identity'] as const;

// Options of node:tls that have no counterpart here.
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
 * The messages for options of `mtls` and of node:tls that are given outside of `mtls`, by option. `proxy`
 * has none, because it is an option in both places.
 *
 * @param how - The message for an option of `mtls`.
 */
export function misplacedOptions(how: (name: string) => string): ReadonlyMap<string, string> {
	const beside = names.filter((name) => name !== 'proxy');
	return new Map([...beside.map((name) => [name, how(name)] as const), ...replaced]);
}

/**
 * Finds options that have no effect where they are given.
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
	'alias',
	'passphrase',
	'ca',
	'crl',
	'pins',
	'servername',
	'minVersion',
	'maxVersion',
	'ciphers',
	'ecdhCurve',
	'sigalgs',
	'secureOptions',
	'allowExpired',
	'allowAnyPurpose',
] as const satisfies readonly (keyof ProxyTlsOptions)[];

const proxyChecks = Object.fromEntries(proxyNames.map((name) => [name, checks[name]])) as Readonly<
	Record<keyof ProxyTlsOptions, OptionCheck>
>;

/**
 * Reads `mtls` and its nested options, before any file is read.
 *
 * @throws {MtlsConfigError} for the first option that is unknown or of the wrong type.
 */
export function readMtlsOptions(given: unknown): MtlsOptions & UnsetCredentials {
	const {reload, proxy, ...options} = readChecked<MtlsOptions>(given, checks);
	const unset = unsetCredentials(given as MtlsOptions, options);
	return withoutPrototype({
		...options,
		...(unset.length > 0 && {unset}),
		...(reload !== undefined && {
			reload: typeof reload === 'boolean' ? reload : readReload(reload),
		}),
		...(proxy !== undefined && {proxy: readProxyTls(proxy)}),
	});
}

/** What an app gives by environment variables that are not set. */
export interface UnsetCredentials {
	/** Which of `cert`, `key` and `pfx` were given as `undefined`, where nothing else gives an identity. */
	readonly unset?: readonly string[];
}

// `{cert: undefined}` alone may be how an app leaves it out; nobody leaves out both halves, or the whole,
// by writing them down.
function unsetCredentials(given: MtlsOptions, read: MtlsOptions): string[] {
	if (credentialOptions.some((name) => read[name] !== undefined)) return [];
	const isUnset = (name: 'cert' | 'key' | 'pfx') =>
		Object.hasOwn(given, name) && given[name] === undefined;
	if (isUnset('cert') && isUnset('key')) return ['cert', 'key'];
	return isUnset('pfx') ? ['pfx'] : [];
}

const remedies = new Map(replaced);

function readProxyTls(given: unknown): ProxyTlsOptions {
	try {
		return readChecked<ProxyTlsOptions>(given, proxyChecks);
	} catch (error) {
		throw withOptionPath(error, 'mtls.proxy');
	}
}

function readChecked<T extends MtlsOptions>(
	given: unknown,
	known: Readonly<Record<keyof T & string, OptionCheck>>,
): T {
	if (typeof given === 'string') throw badOption('mtls', 'an object', describe(given));
	const options = readOptions<T>(given, {known, option: 'mtls', remedies, describe});
	assertTrustDefined(given as object, Object.keys(known), 'mtls.');
	assertOrder(options);
	return options;
}

// OpenSSL accepts a range without a version, and then fails each handshake.
function assertOrder({minVersion, maxVersion}: MtlsOptions): void {
	if (maxVersion === undefined) return;
	if (versions.indexOf(minVersion ?? lowestVersion) <= versions.indexOf(maxVersion)) return;
	throw minVersion === undefined
		? badOption(
				'mtls.maxVersion',
				`${lowestVersion} or more, where minVersion does not lower it`,
				describe(maxVersion),
			)
		: badOption('mtls.minVersion', `no more than maxVersion (${maxVersion})`, describe(minVersion));
}

/** What other tools take where an option here has few values, such as `verify`. */
const commonWords =
	/^(true|false|yes|no|on|off|none|never|always|optional|required?|full|peer|warn|log)$/i;

// Quotes a version, a misspelt value or a word of other tools, and of anything else names the type: in the
// wrong place it may be a passphrase.
function describe(value: unknown): string {
	if (typeof value !== 'string') return describeType(value);
	if (value.trim() === '') return 'an empty string';
	const isPublic =
		/^((TLS|SSL)[v_ ]?)?\d([._]\d)?$/i.test(value) ||
		commonWords.test(value) ||
		isNearly(value, verifyModes);
	return isPublic ? `'${value}'` : 'a string';
}

/**
 * The options of a secure context, except the client certificate: trusted CAs, CRLs, versions, ciphers.
 *
 * @throws {MtlsConfigError} for `mtls.ca` or `mtls.crl`.
 */
export function trustOptions(
	options: MtlsOptions,
	getPassphrase: PassphraseProvider,
): SecureContextOptions & {readonly ca?: readonly string[]} {
	const ca = loadCa(options.ca, getPassphrase);
	return {
		...(ca !== undefined && {ca}),
		...(options.crl !== undefined && {crl: loadCrl(options.crl)}),
		// Always set, because a flag can lower Node's own default (`--tls-min-v1.0`).
		minVersion: options.minVersion ?? lowestVersion,
		...(options.maxVersion !== undefined && {maxVersion: options.maxVersion}),
		...(options.ciphers !== undefined && {ciphers: options.ciphers}),
		...(options.ecdhCurve !== undefined && {ecdhCurve: options.ecdhCurve}),
		...(options.sigalgs !== undefined && {sigalgs: options.sigalgs}),
		...(options.secureOptions !== undefined && {secureOptions: options.secureOptions}),
	};
}

/**
 * Makes an OpenSSL context.
 *
 * @param certOption - The option that the client certificate was read from.
 * @throws {MtlsConfigError} for what OpenSSL refuses: an option of TLS, or else the client certificate.
 */
export function createContext(
	options: SecureContextOptions,
	certOption = 'mtls.cert',
): SecureContext {
	try {
		return createSecureContext(withoutPrototype(options));
	} catch (cause) {
		throw refusedOption(options) ?? refusedCertificate(options, certOption, cause);
	}
}

/** What each option of TLS takes, for messages. */
const expectedOf = {
	ciphers: "OpenSSL's names of ciphers with colons between",
	ecdhCurve: "OpenSSL's names of curves with colons between, such as 'X25519:prime256v1'",
	sigalgs: "OpenSSL's names of signature algorithms with colons between, such as 'RSA-PSS+SHA256'",
} as const;

// OpenSSL does not say which option it refuses, and of some not even why.
function refusedOption(options: SecureContextOptions): MtlsConfigError | undefined {
	for (const [name, expected] of Object.entries(expectedOf)) {
		const value = options[name as keyof typeof expectedOf];
		if (value === undefined) continue;
		try {
			// With an empty `ca` Node does not load its own.
			createSecureContext(withoutPrototype({ca: [], [name]: value}));
		} catch (cause) {
			const {code} = cause as NodeJS.ErrnoException;
			return new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				`mtls.${name}`,
				`OpenSSL refuses it${code === undefined ? '' : ` (${code})`}: expected ${expected}`,
				cause,
			);
		}
	}
	return undefined;
}

/** What OpenSSL finds too weak in our certificates, by its code, and the repair. */
const weaknesses: Readonly<Record<string, readonly [what: string, repair: string]>> = {
	ERR_SSL_EE_KEY_TOO_SMALL: [
		'our key is too short',
		'have a certificate issued for an RSA key of 2048 bits or more, or an EC key',
	],
	ERR_SSL_CA_KEY_TOO_SMALL: [
		'the key of a CA that our certificate comes with is too short',
		'have a certificate issued by another CA',
	],
	ERR_SSL_CA_MD_TOO_WEAK: [
		'our certificate, or a CA that it comes with, is signed with a weak hash such as SHA-1',
		'have one issued that is signed with SHA-256',
	],
};

function refusedCertificate(
	options: SecureContextOptions,
	option: string,
	cause: unknown,
): MtlsConfigError {
	const {code = 'no code'} = cause as NodeJS.ErrnoException;
	const [what, repair] = weaknesses[code] ?? [];
	const level = what === undefined ? undefined : lowerLevel(options);
	const meanwhile =
		level === undefined
			? ''
			: `; \`mtls.ciphers: '${level}'\` takes it meanwhile, and weaker servers too`;
	return new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		what === undefined
			? `OpenSSL refuses our certificate: ${code}`
			: `OpenSSL refuses our certificate: ${what} (${code}); ${repair}${meanwhile}`,
		cause,
	);
}

/** The `ciphers` with the highest security level of OpenSSL at which the certificate is taken. */
function lowerLevel(options: SecureContextOptions): string | undefined {
	const {ciphers = 'DEFAULT', ...others} = options;
	return [1, 0]
		.map((level) => `${ciphers.replace(/[:@]*@SECLEVEL=\d/g, '')}@SECLEVEL=${level}`)
		.find((weaker) => {
			try {
				createSecureContext(withoutPrototype({...others, ca: [], ciphers: weaker}));
				return true;
			} catch {
				return false;
			}
		});
}
