import {X509Certificate} from 'node:crypto';
import {isIPv6} from 'node:net';
import {checkServerIdentity, type PeerCertificate} from 'node:tls';

/**
 * Whether `certificate` is for `name`, a host name or an IP address without brackets.
 *
 * @returns Node's error when it is not. Returned, not thrown: that is the verdict, and to return
 * nothing by mistake would switch the check off.
 */
export function checkServerName(name: string, certificate: PeerCertificate): Error | undefined {
	// Node 22.23.0, 24.17.0 and 26.4.0 and some after them find no IPv6 address in any certificate
	// (https://github.com/nodejs/node/issues/64144), so OpenSSL may accept one. Whatever it does not
	// accept is left to Node, and to its words.
	if (isIPv6(name) && new X509Certificate(certificate.raw).checkIP(name) !== undefined) {
		return undefined;
	}
	return checkServerIdentity(name, certificate);
}
