/*
 * What a TLS 1.2 server sends in clear (RFC 5246 §7.3): its certificate, and the request for ours.
 */
import {type CertificateRequest, readCertificateRequest} from '../tls/peer/certificate-request.ts';

/** The server's answer to a ClientHello of TLS 1.2. */
export type ServerFlight =
	/** More bytes are needed. */
	| {readonly state: 'incomplete'}
	/** The port speaks something else. */
	| {readonly state: 'not-tls'}
	/** The number of the alert: 70 where the server speaks TLS 1.3 alone. */
	| {readonly state: 'alert'; readonly alert: number}
	/** `undefined`: the server does not ask for a certificate. */
	| {readonly state: 'done'; readonly request: CertificateRequest | undefined};

const recordTypes = {alert: 21, handshake: 22} as const;
const messageTypes = {certificateRequest: 13, serverHelloDone: 14} as const;

/** Reads all bytes that have come so far. */
export function readServerFlight(bytes: Buffer): ServerFlight {
	const messages: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const type = bytes[at];
		// The major version is 3 in SSL 3.0 and all of TLS.
		const isTls = type === recordTypes.alert || type === recordTypes.handshake;
		if (!isTls || (bytes.length > at + 1 && bytes[at + 1] !== 3)) return {state: 'not-tls'};
		if (bytes.length < at + 5) break;
		const end = at + 5 + bytes.readUInt16BE(at + 3);
		if (end > bytes.length) break;
		const content = bytes.subarray(at + 5, end);
		if (type === recordTypes.alert) return {state: 'alert', alert: content[1] ?? 0};
		messages.push(content);
		at = end;
	}
	return readMessages(Buffer.concat(messages));
}

// A message may be cut over records, and a record may hold several (RFC 5246 §6.2.1).
function readMessages(bytes: Buffer): ServerFlight {
	let request: CertificateRequest | undefined;
	for (let at = 0; at + 4 <= bytes.length; ) {
		const end = at + 4 + bytes.readUIntBE(at + 1, 3);
		if (end > bytes.length) break;
		if (bytes[at] === messageTypes.serverHelloDone) return {state: 'done', request};
		if (bytes[at] === messageTypes.certificateRequest) {
			request = readCertificateRequest(bytes.subarray(at + 4, end));
		}
		at = end;
	}
	return {state: 'incomplete'};
}
