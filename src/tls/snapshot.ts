import {createSecureContext, type SecureContext, type SecureContextOptions} from 'node:tls';
import type {CertificateFacts} from '../certificate.ts';
import {MtlsConfigError, type MtlsFailure} from '../errors.ts';
import type {MtlsOptions} from '../options.ts';
import {loadCrl} from './crl.ts';
import {type IdentityNotice, loadIdentity} from './identity.ts';
import {SessionCache} from './session.ts';
import {assertOptions, lowestVersion} from './settings.ts';
import {loadTrust} from './trust.ts';
import {loadVerification, type Verification} from './verify.ts';

/** Whether a connection may offer our certificate. */
export type Showing = 'shown' | 'withheld';

/**
 * Everything that decides a TLS verdict, frozen: a connection sees one snapshot, never half of two.
 */
export interface Snapshot {
	/** Part of every pool key: sockets and sessions of another epoch are never used again. */
	readonly epoch: number;
	readonly identity: CertificateFacts | null;
	/** What is to be told of our certificate: that it expires soon, that its key can be read by others. */
	readonly notices: readonly IdentityNotice[];
	/** The name to verify instead of the URL's host. */
	readonly servername: string | undefined;
	readonly verification: Verification;
	/** Told what would have ended a connection, had it been enforced. */
	readonly report: Report;
	/** The OpenSSL context with our certificate, or with trust alone. */
	context(showing: Showing): SecureContext;
	/** Sessions of connections that this snapshot has verified. */
	readonly sessions: SessionCache;
}

/** Takes a failed verification that is not enforced. */
export type Report = (judged: {
	readonly summary: string;
	readonly code: string;
	readonly failure: MtlsFailure;
}) => void;

/**
 * Reads the files, checks that they belong together, and makes the OpenSSL contexts.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function loadSnapshot(options: MtlsOptions, now: Date, report: Report, epoch = 0): Snapshot {
	assertOptions(options);
	const identity = loadIdentity(options, now);
	const ca = loadTrust(options.ca);
	const crl = loadCrl(options.crl);
	const trust: SecureContextOptions = {
		...(ca !== undefined && {ca}),
		...(crl !== undefined && {crl}),
		// Node's default can be lowered by a flag; a floor in our own words cannot.
		minVersion: options.minVersion ?? lowestVersion,
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
		notices: identity?.notices ?? [],
		servername: options.servername,
		verification: loadVerification(options),
		report,
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
