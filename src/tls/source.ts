import {createSecureContext, type SecureContext, type SecureContextOptions} from 'node:tls';
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

const versions = new Set(['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1']);

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
		minVersion: options.minVersion ?? 'TLSv1.2',
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
		const option = /cipher/i.test(`${code} ${message}`)
			? 'mtls.ciphers'
			: /PROTOCOL_VERSION/.test(String(code))
				? 'mtls.minVersion'
				: 'mtls.cert';
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
		if (version !== undefined && !versions.has(version)) {
			throw badOption(`mtls.${name}`, 'TLSv1.2 or TLSv1.3', version);
		}
	}
	for (const name of ['passphrase', 'servername', 'ciphers'] as const) {
		const value = options[name];
		if (value !== undefined && typeof value !== 'string') {
			throw badOption(`mtls.${name}`, 'a string', value);
		}
	}
	if (options.allowExpired !== undefined && typeof options.allowExpired !== 'boolean') {
		throw badOption('mtls.allowExpired', 'true or false', options.allowExpired);
	}
}

// Tells the type alone: a value in the wrong place may be a passphrase.
function badOption(option: string, expected: string, found: unknown): MtlsConfigError {
	const type = found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, `expected ${expected}, found ${type}`);
}
