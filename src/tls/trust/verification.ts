import type {X509Certificate} from 'node:crypto';
import {isIP, isIPv6} from 'node:net';
import {checkServerIdentity, type PeerCertificate} from 'node:tls';
import {types} from 'node:util';
import {MtlsConfigError} from '../../config-error.ts';
import type {MtlsOptions} from '../../options/mtls.ts';
import {bareHost} from '../../util/url.ts';
import {detailedForm} from '../peer/legacy-form.ts';
import type {PeerChain} from '../peer/peer-chain.ts';
import {checkPins, loadPins} from './pins.ts';
import {checkSpiffeId, loadSpiffeId} from './spiffe-id.ts';

/** The name that a server's certificate must have, and the name to send as SNI. */
export interface PeerName {
	/** Host name or IP address, without brackets or trailing dot. */
	readonly verify: string;
	/** Empty for an IP address, which RFC 6066 §3 does not allow in SNI. */
	readonly sni: string;
}

/** The checks after OpenSSL's own check of the chain. */
export interface Verification {
	/** `false` with `verify: 'report'`: a failure is logged and the connection is used. */
	readonly enforced: boolean;
	/** The server must ask for the client certificate. */
	readonly requireClientAuth: boolean;
	/** Why the certificate is not the expected one under `name`, worst first; empty when it is. Never throws. */
	check(name: PeerName, chain: PeerChain): readonly Error[];
}

/** The server did not ask for the client certificate, so the authentication would not be mutual. */
export class ClientAuthNotRequestedError extends Error {
	readonly code = 'ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED';

	constructor() {
		super('the server did not ask for a client certificate');
		this.name = 'ClientAuthNotRequestedError';
	}
}

/**
 * Reads the options that narrow which servers are accepted.
 *
 * @throws {MtlsConfigError} for `mtls.pins` or `mtls.spiffeId`.
 */
export function loadVerification(options: MtlsOptions): Verification {
	const pins = options.pins === undefined ? undefined : loadPins(options.pins);
	const spiffeId = options.spiffeId === undefined ? undefined : loadSpiffeId(options.spiffeId);
	return Object.freeze({
		enforced: options.verify !== 'report',
		requireClientAuth: options.requireClientAuth ?? false,
		check(name: PeerName, chain: PeerChain): Error[] {
			try {
				const nameError =
					spiffeId === undefined
						? checkServerName(name.verify, chain)
						: checkSpiffeId(spiffeId, chain[0]);
				const pinError = pins && checkPins(pins, chain);
				return [nameError, pinError].filter((error) => error !== undefined);
			} catch (error) {
				// Node calls this from OpenSSL's callback, where nothing catches what is thrown.
				return [types.isNativeError(error) ? error : new Error(String(error))];
			}
		},
	});
}

/** The name to verify at `host`: `servername` where the options set one, never a `Host` header. */
export function peerName(host: string, servername: string | undefined): PeerName {
	const verify = bareHost(servername ?? host).replace(/\.$/, '');
	return {verify, sni: isIP(verify) ? '' : verify};
}

/**
 * Whether a server's certificate is for `name`, a host name or an IP address without brackets.
 *
 * @returns Node's error when it is not. It is returned, not thrown: callers must not ignore it.
 */
export function checkServerName(name: string, chain: PeerChain): Error | undefined {
	const [leaf] = chain;
	if (leaf !== undefined && isNamed(leaf, name)) return undefined;
	// Node's own error, with the certificate in Node's form on it.
	return checkServerIdentity(name, detailedForm(chain));
}

/** Whether the subjectAltName has `name`. A certificate without one may have it as its common name. */
function isNamed(leaf: X509Certificate, name: string): boolean {
	// Node 22.23.0, 24.17.0 and 26.4.0 and some after them find no IPv6 address in any certificate
	// (https://github.com/nodejs/node/issues/64144), so OpenSSL is asked too.
	if (isIPv6(name) && leaf.checkIP(name) !== undefined) return true;
	// Node reads no other field where a name fits. To make the whole form takes 0.1 ms.
	const names = {subject: {}, subjectaltname: leaf.subjectAltName};
	return checkServerIdentity(name, names as PeerCertificate) === undefined;
}

/** What leaving each of them out means. */
const withoutIt: Readonly<Record<string, string>> = {
	ca: 'for what Node trusts',
	crl: 'to check no revocation list',
	pins: 'to require no pinned key',
	spiffeId: 'to verify the host name instead',
	servername: "to verify the URL's host",
};

/**
 * Refuses options that say whom to trust where they are given as `undefined`. Security: an app means to
 * narrow whom it trusts by them, and a variable of the environment that is not set would drop that silently.
 *
 * @param known - The options that `given` may have.
 * @param prefix - Of their paths: `mtls.`.
 * @throws {MtlsConfigError} for the first one.
 */
export function assertTrustDefined(given: object, known: readonly string[], prefix: string): void {
	for (const [name, meaning] of Object.entries(withoutIt)) {
		if (!known.includes(name) || !Object.hasOwn(given, name)) continue;
		if (Reflect.get(given, name) !== undefined) continue;
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			prefix + name,
			`it is given as undefined, as by an environment variable that is not set; leave it out ${meaning}`,
		);
	}
}
