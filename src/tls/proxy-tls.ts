import type {SecureContext} from 'node:tls';
import type {CertificateFacts} from '../facts.ts';
import type {ProxyTlsOptions} from '../options.ts';
import {withOptionPath} from '../util/check-options.ts';
import type {CertificateWarning} from './credentials/checks.ts';
import {loadCredentials} from './credentials/load-credentials.ts';
import type {FindIssuer} from './peer/peer-chain.ts';
import {createContext, trustOptions} from './secure-context.ts';
import {SessionCache} from './session-cache.ts';
import {trustedIssuers} from './trust/ca.ts';
import {loadVerification, type Verification} from './trust/verification.ts';

/** What decides about the TLS to an `https://` proxy. Nothing of it is the client's own. */
export interface ProxyTls {
	/** The certificate for proxies alone; `null` when there is none. */
	readonly identity: CertificateFacts | null;
	/** What is to be told of it. */
	readonly notices: readonly CertificateWarning[];
	/** The name to verify instead of the proxy's host. */
	readonly servername: string | undefined;
	/** Always enforced: a proxy hears where we go, and may hear a password. */
	readonly verification: Verification;
	readonly trustedIssuer: FindIssuer;
	/** Never called, as nothing is let go on. */
	readonly report: () => void;
	context(): SecureContext;
	readonly sessions: SessionCache;
}

/**
 * Loads `mtls.proxy`. Without it a proxy is verified by what Node trusts, and is shown nothing.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used: `mtls.proxy.ca`.
 */
export function loadProxyTls(options: ProxyTlsOptions | undefined, now: Date): ProxyTls {
	try {
		return load(options, now);
	} catch (error) {
		throw withOptionPath(error, 'mtls.proxy');
	}
}

function load(options: ProxyTlsOptions = Object.create(null), now: Date): ProxyTls {
	const identity = loadCredentials(options, now);
	const trust = trustOptions(options);
	// A mistake in it belongs to the construction. What nobody has set can wait for an https proxy,
	// which most clients never see.
	let context =
		Object.keys(options).length === 0
			? undefined
			: createContext({...trust, ...(identity && {cert: identity.cert, key: identity.key})});
	return Object.freeze({
		identity: identity?.facts ?? null,
		notices: (identity?.notices ?? []).map(ofProxy),
		servername: options.servername,
		verification: loadVerification(options),
		trustedIssuer: trustedIssuers(trust.ca),
		report() {},
		sessions: new SessionCache(),
		context() {
			context ??= createContext(trust);
			return context;
		},
	});
}

function ofProxy(notice: CertificateWarning): CertificateWarning {
	if (!('option' in notice)) return notice;
	return {...notice, option: notice.option.replace('mtls', 'mtls.proxy')};
}
