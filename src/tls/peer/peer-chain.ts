import type {X509Certificate} from 'node:crypto';
import {TLSSocket} from 'node:tls';
import {detailedForm, legacyForm} from './legacy-form.ts';

/**
 * The certificates of the peer, leaf first, then each one's issuer: those that it sent, and the trusted
 * ones above them. Other certificates that it sent are left out. Empty where it sent none.
 */
export type PeerChain = readonly X509Certificate[];

const leftOut = new WeakMap<PeerChain, readonly X509Certificate[]>();

/** The certificates that the peer has sent and that are not part of its chain. */
export function unrelatedTo(chain: PeerChain): readonly X509Certificate[] {
	return leftOut.get(chain) ?? [];
}

/** Finds the issuer of a certificate among the trusted ones. */
export type FindIssuer = (certificate: X509Certificate) => X509Certificate | undefined;

/**
 * Reads what the peer has presented. No other code may read it: legacy-form.ts says what Node's
 * older method can do.
 *
 * Call it once for each handshake, because Node 22 and 24 empty the list that they read. Afterwards the
 * socket's `getPeerCertificate()` and `getPeerX509Certificate()` return what was read here.
 */
export function readPeerChain(socket: TLSSocket, findIssuer: FindIssuer): PeerChain {
	// Calls the method of the prototype: the socket's own is replaced below, and TLS 1.2 may make another
	// handshake on the same connection.
	const leaf = TLSSocket.prototype.getPeerX509Certificate.call(socket);
	const chain = leaf === undefined ? [] : buildChain(leaf, findIssuer);
	const getPeerCertificate = (detailed?: boolean) =>
		detailed || leaf === undefined ? detailedForm(chain) : legacyForm(leaf);
	socket.getPeerX509Certificate = () => leaf;
	socket.getPeerCertificate = getPeerCertificate as TLSSocket['getPeerCertificate'];
	return chain;
}

function buildChain(leaf: X509Certificate, findIssuer: FindIssuer): PeerChain {
	const sent = sentWith(leaf);
	const chain = [leaf];
	for (let last = leaf; !last.checkIssued(last); ) {
		const next = sent.find((each) => last.checkIssued(each)) ?? findIssuer(last);
		// CAs that have signed each other make a circle.
		if (next === undefined || chain.includes(next)) break;
		chain.push(next);
		last = next;
	}
	const others = sent.filter((each) => !chain.includes(each));
	if (others.length > 0) leftOut.set(chain, others);
	return chain;
}

/** What was sent after the leaf, in order: Node links each as the issuer of the one before, true or not. */
function sentWith({issuerCertificate}: X509Certificate): X509Certificate[] {
	const sent: X509Certificate[] = [];
	for (let next = issuerCertificate; next !== undefined; next = next.issuerCertificate) {
		sent.push(next);
	}
	return sent;
}
