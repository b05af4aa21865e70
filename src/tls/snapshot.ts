import type {SecureContext} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
import type {MtlsOptions} from '../options.ts';
import type {CertificateWarning} from './credentials/checks.ts';
import {
	loadContextCertificate,
	loadCredentials,
	renewedBy,
} from './credentials/load-credentials.ts';
import type {FindIssuer} from './peer/peer-chain.ts';
import {loadProxyTls, type ProxyTls} from './proxy-tls.ts';
import {createContext, trustOptions} from './secure-context.ts';
import {SessionCache} from './session-cache.ts';
import {trustedIssuers} from './trust/ca.ts';
import {loadVerification, type Verification} from './trust/verification.ts';

/**
 * Everything that decides a TLS verdict, frozen: a connection sees one snapshot, never half of two.
 */
export interface Snapshot {
	/** Counts the swaps of one source: sockets and sessions of another epoch are never used again. */
	readonly epoch: number;
	/** Part of every pool key: no other snapshot of this process has it. */
	readonly id: string;
	/** Of the identity that it is one of: the same before and after a swap. */
	readonly identityKey: string;
	readonly identity: CertificateFacts | null;
	/** What is to be told of our certificate: that it expires soon, that its key can be read by others. */
	readonly notices: readonly CertificateWarning[];
	/** The option that gives the next certificate, where there is one. */
	readonly renewedBy: string | undefined;
	/** The name to verify instead of the URL's host. */
	readonly servername: string | undefined;
	readonly verification: Verification;
	/** Completes the chain of a server, which need not send all of it. */
	readonly trustedIssuer: FindIssuer;
	/** Told what would have ended a connection, had it been enforced. */
	readonly report: Report;
	/** Where its connections are counted, with those of all snapshots of one client. */
	readonly counts: ConnectionCounts;
	/** The OpenSSL context with our certificate, or with trust alone. */
	context(presentCertificate: boolean): SecureContext;
	/** Sessions of connections that this snapshot has verified. */
	readonly sessions: SessionCache;
	/** For the TLS to an `https://` proxy, which sees nothing of the above. */
	readonly proxy: ProxyTls;
}

/** Takes a failed verification that is not enforced. */
type Report = (judged: {
	readonly summary: string;
	readonly code: string;
	readonly failure: MtlsFailure;
}) => void;

/** What has been made so far. */
export interface ConnectionCounts {
	fullHandshakes: number;
	resumedHandshakes: number;
	/** By CONNECT, through a proxy. */
	tunnels: number;
}

/** What a snapshot is made with, besides the options. */
export interface SnapshotContext {
	readonly now: Date;
	readonly epoch: number;
	readonly identityKey: string;
	readonly report: Report;
	readonly counts: ConnectionCounts;
}

/** The options, and the context of a key that is not ours to read. */
export type SnapshotOptions = MtlsOptions & {readonly secureContext?: SecureContext};

let made = 0;

/**
 * Reads the files, checks that they belong together, and makes the OpenSSL contexts.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function loadSnapshot(options: SnapshotOptions, context: SnapshotContext): Snapshot {
	const {identity, credentials, trust, verification, proxy} = read(options, context.now);

	// Made now: OpenSSL's last word on the key and the ciphers belongs to the construction, and the
	// PEM of the key can go. A context with a large CA list is 0.8 MiB, so the second one waits.
	const withCertificate = options.secureContext ?? createContext({...trust, ...credentials});
	let anonymous = identity === undefined ? withCertificate : undefined;
	made += 1;

	return Object.freeze({
		epoch: context.epoch,
		identityKey: context.identityKey,
		id: String(made),
		identity: identity?.facts ?? null,
		notices: identity?.notices ?? [],
		renewedBy: renewedBy(options),
		servername: options.servername,
		verification,
		trustedIssuer: trustedIssuers(trust.ca),
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

/**
 * Looks for mistakes, and keeps nothing: for identities that are loaded when they are first used.
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
	read(options, now);
}

function read(options: SnapshotOptions, now: Date) {
	const own = options.secureContext === undefined ? loadCredentials(options, now) : undefined;
	const held = options.secureContext && loadContextCertificate(options, now);
	return {
		identity: own ?? held,
		credentials: own && {cert: own.cert, key: own.key},
		trust: trustOptions(options),
		verification: loadVerification(options),
		proxy: loadProxyTls(options.proxy, now),
	};
}
