import {isIP} from 'node:net';
import type {PeerCertificate} from 'node:tls';
import {checkServerName} from './server-name.ts';

/** The name that a connection is checked against, and what it says in SNI. */
export interface PeerName {
	/** Host name or IP address, without brackets or trailing dot. */
	readonly verify: string;
	/** Empty for an IP address, which RFC 6066 §3 does not allow in SNI. */
	readonly sni: string;
}

/** The name to verify at `host`: `servername` where the options set one, never a `Host` header. */
export function peerName(host: string, servername: string | undefined): PeerName {
	const verify = (servername ?? host).replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
	return {verify, sni: isIP(verify) ? '' : verify};
}

/** Checks `certificate` against a name of our choice rather than the one that Node derives from the request. */
export function checkPeerName(
	name: PeerName,
): (_: string, certificate: PeerCertificate) => Error | undefined {
	return (_, certificate) => checkServerName(name.verify, certificate);
}
