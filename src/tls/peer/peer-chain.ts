import type {X509Certificate} from 'node:crypto';
import {TLSSocket} from 'node:tls';
import {detailedForm, legacyForm} from './legacy-form.ts';

/**
 * The certificates of the other side, leaf first, then each one's issuer: those that it sent, and
 * those above them that we trust. What else it sent is left out. Empty where it has shown none.
 */
export type PeerChain = readonly X509Certificate[];

/** The certificate that has issued another, of those that we trust. */
export type FindIssuer = (certificate: X509Certificate) => X509Certificate | undefined;

/**
 * Reads what the other side has presented. This is the only way to it: legacy-certificate.ts tells
 * what Node's older one may cost.
 *
 * To be called once for each handshake, because Node 22 and 24 empty the list that they read. From then
 * on the socket's own `getPeerCertificate()` and `getPeerX509Certificate()` answer from what was read.
 */
export function readPeerChain(socket: TLSSocket, findIssuer: FindIssuer): PeerChain {
	// Not by the socket's name for it, which is ours after the first handshake, and TLS 1.2 may make
	// another on the same connection.
	const leaf = TLSSocket.prototype.getPeerX509Certificate.call(socket);
	const chain = leaf === undefined ? [] : chainOf(leaf, findIssuer);
	const answer = (detailed?: boolean) =>
		detailed || leaf === undefined ? detailedForm(chain) : legacyForm(leaf);
	socket.getPeerX509Certificate = () => leaf;
	socket.getPeerCertificate = answer as TLSSocket['getPeerCertificate'];
	return chain;
}

function chainOf(leaf: X509Certificate, findIssuer: FindIssuer): PeerChain {
	const sent = sentWith(leaf);
	const chain = [leaf];
	for (let last = leaf; !last.checkIssued(last); ) {
		const next = sent.find((each) => last.checkIssued(each)) ?? findIssuer(last);
		// CAs that have signed each other go round in a circle.
		if (next === undefined || chain.includes(next)) break;
		chain.push(next);
		last = next;
	}
	return chain;
}

/** What was sent after the leaf, in that order: Node hangs each on the one before, whoever issued it. */
function sentWith({issuerCertificate}: X509Certificate): X509Certificate[] {
	const sent: X509Certificate[] = [];
	for (let next = issuerCertificate; next !== undefined; next = next.issuerCertificate) {
		sent.push(next);
	}
	return sent;
}
