import type {X509Certificate} from 'node:crypto';
import type {SecureContext, SecureVersion} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
import type {MtlsOptions, ProxyTlsOptions} from '../options/mtls.ts';
import {withOptionPath} from '../util/check-options.ts';
import type {CertificateWarning} from './credentials/checks.ts';
import {
	type Identity,
	loadContextCertificate,
	loadCredentials,
	renewedBy,
} from './credentials/load-credentials.ts';
import {passphraseProvider} from './credentials/passphrase.ts';
import type {FindIssuer} from './peer/peer-chain.ts';
import {SessionCache} from './session-cache.ts';
import {createContext, trustOptions, type UnsetCredentials} from './tls-options.ts';
import {trustedIssuers} from './trust/ca.ts';
import {loadVerification, type Verification} from './trust/verification.ts';

/**
 * Everything that decides a TLS handshake, frozen: a connection uses one snapshot, never half of two.
 */
export interface Snapshot {
	/** Counts the rotations of one source: sockets and sessions of another epoch are never used again. */
	readonly epoch: number;
	/** Part of every pool key, unique in this process. */
	readonly id: string;
	/** The key of the identity: the same before and after a rotation. */
	readonly identityKey: string;
	readonly identity: CertificateFacts | null;
	/** About the client certificate: it expires soon, others can read its key. */
	readonly warnings: readonly CertificateWarning[];
	/** The option that renews the certificate, where there is one. */
	readonly renewedBy: string | undefined;
	/** The name to verify instead of the URL's host. */
	readonly servername: string | undefined;
	readonly verification: Verification;
	/** Completes the chain of a server, which need not send its root. */
	readonly trustedIssuer: FindIssuer;
	/** What a failure is explained with. */
	readonly given: GivenOptions;
	/** Called for a failed verification that is not enforced. */
	readonly report: Report;
	/** Shared by all snapshots of one client. */
	readonly counts: ConnectionCounts;
	/** The OpenSSL context with the client certificate, or without. */
	context(presentCertificate: boolean): SecureContext;
	/** Sessions of connections that this snapshot has verified. */
	readonly sessions: SessionCache;
	/** For the TLS to an `https://` proxy, for which nothing of the above is used. */
	readonly proxy: ProxyTls;
}

/** The options of a handshake as far as they can explain why it failed; none is secret. */
export interface GivenOptions {
	/** The certificates that are sent with the client certificate, and itself first; PEM. */
	readonly certificates: string;
	/** The trusted CAs, PEM; `undefined`: Node's own. */
	readonly ca: readonly string[] | undefined;
	readonly minVersion: SecureVersion | undefined;
	readonly maxVersion: SecureVersion | undefined;
	readonly ciphers: string | undefined;
	readonly ecdhCurve: string | undefined;
	readonly sigalgs: string | undefined;
	/** The self-signed CAs in `pfx`, which are not trusted by that. */
	readonly pfxCas: readonly X509Certificate[];
	/** The names of the options that are set: `cert`. */
	readonly named: readonly string[];
	/** As {@link UnsetCredentials} has them. */
	readonly unset: readonly string[];
	/** The option that has `ca`, where that is not `mtls.ca`. */
	readonly caOption: string | undefined;
	/** The `origins` of a list of `mtls`, where none matches; else `undefined`. */
	readonly unmatchedOrigins: readonly string[] | undefined;
}

type Report = (failure: {
	readonly summary: string;
	readonly code: string;
	readonly failure: MtlsFailure;
}) => void;

/** How many there have been since the client was made. */
export interface ConnectionCounts {
	fullHandshakes: number;
	resumedHandshakes: number;
	/** By CONNECT, through a proxy. */
	tunnels: number;
}

/** What a snapshot is made from, besides the options. */
export interface SnapshotContext {
	readonly now: Date;
	readonly epoch: number;
	readonly identityKey: string;
	readonly report: Report;
	readonly counts: ConnectionCounts;
}

/** With a context that the app has made, whose key cannot be read. */
export type SnapshotOptions = MtlsOptions &
	UnsetCredentials & {
		readonly secureContext?: SecureContext;
		/** The option that has `ca`, where that is not `mtls.ca`. */
		readonly caOption?: string;
		/** The `origins` of a list of `mtls`, for an origin that none of them matches. */
		readonly unmatchedOrigins?: readonly string[];
	};

let made = 0;

/**
 * Reads the files, checks that they belong together, and makes the OpenSSL contexts.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function loadSnapshot(options: SnapshotOptions, context: SnapshotContext): Snapshot {
	const {identity, loaded, trust, verification, proxy} = readAll(options, context.now);

	// Made now: OpenSSL checks the key and the ciphers while the client is constructed, and the PEM of
	// the key can be dropped. A context with a large CA list is 0.8 MiB, so the second one is made when needed.
	const withCertificate =
		options.secureContext ??
		createContext(
			{...trust, ...(loaded && {cert: loaded.cert, key: loaded.key})},
			loaded?.certOption,
		);
	let anonymous = identity === undefined ? withCertificate : undefined;
	made += 1;

	return Object.freeze({
		epoch: context.epoch,
		identityKey: context.identityKey,
		id: String(made),
		identity: identity?.facts ?? null,
		warnings: identity?.warnings ?? [],
		renewedBy: renewedBy(options),
		servername: options.servername,
		verification,
		trustedIssuer: trustedIssuers(trust.ca),
		given: givenOptions(options, trust.ca, loaded),
		report: context.report,
		counts: context.counts,
		sessions: new SessionCache(),
		proxy,
		context(presentCertificate: boolean): SecureContext {
			if (presentCertificate) return withCertificate;
			anonymous ??= createContext(trust);
			return anonymous;
		},
	});
}

function givenOptions(
	options: SnapshotOptions,
	ca: readonly string[] | undefined,
	identity: Identity | undefined,
): GivenOptions {
	const {minVersion, maxVersion, ciphers, ecdhCurve, sigalgs} = options;
	const {unset = [], caOption, unmatchedOrigins} = options;
	const named = Object.entries(options)
		.filter(([, value]) => value !== undefined && value !== false)
		.map(([name]) => name);
	const {cert: certificates = '', pfxCas = []} = identity ?? {};
	return {
		...{certificates, ca, minVersion, maxVersion, ciphers, ecdhCurve, sigalgs},
		...{pfxCas, named, unset, caOption, unmatchedOrigins},
	};
}

/**
 * Checks the options and files of an identity that is loaded when it is first used, and keeps nothing.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function assertLoadable(options: MtlsOptions, now: Date): void {
	const given = (['cert', 'key', 'pfx'] as const).find((name) => options[name] !== undefined);
	if (options.identity !== undefined && given !== undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.identity',
			`it fetches what \`${given}\` would give, which cannot be given besides`,
		);
	}
	readAll(options, now);
}

function readAll(options: SnapshotOptions, now: Date) {
	const getPassphrase = passphraseProvider(options);
	const loaded =
		options.secureContext === undefined ? loadCredentials(options, now, getPassphrase) : undefined;
	return {
		identity: options.secureContext ? loadContextCertificate(options, now) : loaded,
		loaded,
		trust: trustOptions(options, getPassphrase),
		verification: loadVerification(options),
		proxy: loadProxyTls(options.proxy, now),
	};
}

/**
 * What decides the TLS handshake with an `https://` proxy: `mtls.proxy`, nothing of `mtls`. It is always
 * enforced: a proxy learns the hosts of the requests, and may get a password.
 */
export type ProxyTls = Pick<
	Snapshot,
	| 'identity'
	| 'warnings'
	| 'servername'
	| 'verification'
	| 'trustedIssuer'
	| 'given'
	| 'context'
	| 'sessions'
>;

/**
 * Loads `mtls.proxy`. Without it a proxy is verified with the CAs that Node trusts, and gets no certificate.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used: `mtls.proxy.ca`.
 */
export function loadProxyTls(options: ProxyTlsOptions | undefined, now: Date): ProxyTls {
	try {
		return readProxyTls(options, now);
	} catch (error) {
		throw withOptionPath(error, 'mtls.proxy');
	}
}

function readProxyTls(options: ProxyTlsOptions = Object.create(null), now: Date): ProxyTls {
	const getPassphrase = passphraseProvider(options);
	const identity = loadCredentials(options, now, getPassphrase);
	const trust = trustOptions(options, getPassphrase);
	// Made now where options are set, so that a mistake fails the construction; else when needed: most
	// clients never use an https proxy.
	let context =
		Object.keys(options).length === 0
			? undefined
			: createContext(
					{...trust, ...(identity && {cert: identity.cert, key: identity.key})},
					identity?.certOption,
				);
	return Object.freeze({
		identity: identity?.facts ?? null,
		warnings: (identity?.warnings ?? []).map(withProxyOption),
		servername: options.servername,
		verification: loadVerification(options),
		trustedIssuer: trustedIssuers(trust.ca),
		given: givenOptions(options, trust.ca, identity),
		sessions: new SessionCache(),
		context() {
			context ??= createContext(trust);
			return context;
		},
	});
}

function withProxyOption(warning: CertificateWarning): CertificateWarning {
	if (!('option' in warning)) return warning;
	return {...warning, option: warning.option.replace('mtls', 'mtls.proxy')};
}
