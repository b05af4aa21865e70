import type {X509Certificate} from 'node:crypto';
import {isIPv6} from 'node:net';
import {checkServerIdentity, type PeerCertificate} from 'node:tls';
import {detailedForm} from '../peer/legacy-form.ts';
import type {PeerChain} from '../peer/peer-chain.ts';

/**
 * Whether a server's certificate is for `name`, a host name or an IP address without brackets.
 *
 * @returns Node's error when it is not. Returned, not thrown: that is the verdict, and to return
 * nothing by mistake would switch the check off.
 */
export function checkServerName(name: string, chain: PeerChain): Error | undefined {
	const [leaf] = chain;
	if (leaf !== undefined && isNamed(leaf, name)) return undefined;
	// Node's words, with the certificate in Node's form on the error.
	return checkServerIdentity(name, detailedForm(chain));
}

/** Whether the subjectAltName has `name`. A certificate without one may have it as its common name. */
function isNamed(leaf: X509Certificate, name: string): boolean {
	// Node 22.23.0, 24.17.0 and 26.4.0 and some after them find no IPv6 address in any certificate
	// (https://github.com/nodejs/node/issues/64144), so OpenSSL may accept one.
	if (isIPv6(name) && leaf.checkIP(name) !== undefined) return true;
	// Where it fits, Node looks at nothing else. The whole form would take 0.1 ms for a good server.
	const names = {subject: {}, subjectaltname: leaf.subjectAltName};
	return checkServerIdentity(name, names as PeerCertificate) === undefined;
}
