import {
	createSecureContext,
	type SecureContext,
	type SecureContextOptions,
	type SecureVersion,
} from 'node:tls';
import type {CertificateFacts} from '../certificate.ts';
import {MtlsConfigError} from '../errors.ts';
import type {MtlsOptions} from '../options.ts';
import {loadIdentity} from './identity.ts';
import {SessionCache} from './session.ts';
import {loadTrust} from './trust.ts';

/** Whether a connection may offer our certificate. */
export type Showing = 'shown' | 'withheld';

/**
 * Everything that decides a TLS verdict, frozen: a connection sees one snapshot, never half of two.
 */
export interface Snapshot {
	/** Part of every pool key: sockets and sessions of another epoch are never used again. */
	readonly epoch: number;
	readonly identity: CertificateFacts | null;
	/** The name to verify instead of the URL's host. */
	readonly servername: string | undefined;
	/** The OpenSSL context with our certificate, or with trust alone. */
	context(showing: Showing): SecureContext;
	/** Sessions of connections that this snapshot has verified. */
	readonly sessions: SessionCache;
}

const knownOptions = new Set([
	'cert',
	'key',
	'passphrase',
	'ca',
	'servername',
	'minVersion',
	'maxVersion',
	'ciphers',
	'origins',
	'allowExpired',
] satisfies (keyof MtlsOptions)[]) as ReadonlySet<string>;

// Lowest first. The two below the floor are for whoever asks for them by name.
const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const floor: SecureVersion = 'TLSv1.2';

/**
 * Reads the files, checks that they belong together, and makes the OpenSSL contexts.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function loadSnapshot(options: MtlsOptions, now: Date, epoch = 0): Snapshot {
	assertOptions(options);
	const identity = loadIdentity(options, now);
	const ca = loadTrust(options.ca);
	const trust: SecureContextOptions = {
		...(ca !== undefined && {ca}),
		// Node's default can be lowered by a flag; a floor in our own words cannot.
		minVersion: options.minVersion ?? floor,
		...(options.maxVersion !== undefined && {maxVersion: options.maxVersion}),
		...(options.ciphers !== undefined && {ciphers: options.ciphers}),
	};

	// Made now: OpenSSL's last word on the key and the ciphers belongs to the construction, and the
	// PEM of the key can go. A context with a large CA list is 0.8 MiB, so the second one waits.
	const shown = makeContext(
		identity === undefined ? trust : {...trust, cert: identity.cert, key: identity.key},
	);
	let withheld = identity === undefined ? shown : undefined;

	return Object.freeze({
		epoch,
		identity: identity?.facts ?? null,
		servername: options.servername,
		sessions: new SessionCache(),
		context(showing: Showing): SecureContext {
			if (showing === 'shown') return shown;
			withheld ??= makeContext(trust);
			return withheld;
		},
	});
}

function makeContext(options: SecureContextOptions): SecureContext {
	try {
		return createSecureContext(options);
	} catch (cause) {
		const {code, message} = cause as NodeJS.ErrnoException;
		const option = /cipher/i.test(`${code} ${message}`) ? 'mtls.ciphers' : 'mtls.cert';
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`OpenSSL refuses it: ${code ?? 'no code'}`,
			cause,
		);
	}
}

function assertOptions(options: MtlsOptions): void {
	if (typeof options !== 'object' || options === null || Array.isArray(options)) {
		throw badOption('mtls', 'an object', options);
	}
	for (const name of Object.keys(options)) {
		if (!knownOptions.has(name)) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNKNOWN_OPTION',
				`mtls.${name}`,
				`no such option; known are ${[...knownOptions].join(', ')}`,
			);
		}
	}
	for (const name of ['minVersion', 'maxVersion'] as const) {
		const version = options[name];
		if (version !== undefined && !versions.includes(version)) {
			throw badOption(`mtls.${name}`, 'TLSv1.2 or TLSv1.3', version);
		}
	}
	assertOrder(options);
	for (const name of ['servername', 'ciphers'] as const) {
		const value = options[name];
		if (value !== undefined && (typeof value !== 'string' || value.trim() === '')) {
			throw badOption(`mtls.${name}`, 'a string that is not empty', value);
		}
	}
	if (options.passphrase !== undefined && typeof options.passphrase !== 'string') {
		throw badOption('mtls.passphrase', 'a string', options.passphrase);
	}
	const {origins} = options;
	if (
		origins !== undefined &&
		!(Array.isArray(origins) && origins.every((origin) => typeof origin === 'string'))
	) {
		throw badOption('mtls.origins', 'a list of strings', origins);
	}
	if (options.allowExpired !== undefined && typeof options.allowExpired !== 'boolean') {
		throw badOption('mtls.allowExpired', 'true or false', options.allowExpired);
	}
}

// OpenSSL takes a range in which there is no version, and then fails each handshake.
function assertOrder({minVersion, maxVersion}: MtlsOptions): void {
	if (maxVersion === undefined) return;
	if (versions.indexOf(minVersion ?? floor) <= versions.indexOf(maxVersion)) return;
	throw minVersion === undefined
		? badOption(
				'mtls.maxVersion',
				`${floor} or more, where minVersion does not lower it`,
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
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'an array';
	if (typeof value !== 'string') return typeof value;
	if (value.trim() === '') return 'an empty string';
	return /^(TLS|SSL)[v_ ]?\d([._]\d)?$/i.test(value) ? `'${value}'` : 'a string';
}
