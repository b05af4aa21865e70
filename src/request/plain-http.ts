/*
 * Plain http that was sent to a port of TLS: the error says that the URL has to begin with https://.
 */
import {type AxiosResponse, isAxiosError} from 'axios';
import type {ConnectionLoss} from '../exchange/may-retry.ts';
import {appendMessage} from '../util/append-message.ts';

// nginx and those made of it (its status 497), Apache, Go's net/http, and Tomcat.
const pages = [
	'The plain HTTP request was sent to HTTPS port',
	"You're speaking plain HTTP to an SSL-enabled server port.",
	'Client sent an HTTP request to an HTTPS server.',
	'This combination of host and port requires TLS.',
];

// With their padding for old browsers the pages have some 700 characters.
const longestPage = 4_096;

/** What a response to plain http shows of the port, if it is a page by which a server refuses http. */
export function tlsPortNote({status, data}: AxiosResponse): string | undefined {
	if (status !== 400 || (typeof data !== 'string' && !Buffer.isBuffer(data))) return undefined;
	if (data.length > longestPage) return undefined;
	const text = data.toString();
	return pages.some((page) => text.includes(page))
		? 'this port speaks TLS, so the URL has to begin with https://'
		: undefined;
}

/**
 * Adds to the error of a request of plain http, which got no response, that the port may speak TLS: a
 * server that expects a handshake sends an alert, or hangs up.
 *
 * @param hasIdentity - There is a client certificate, which plain http cannot present.
 */
export function explainPlainHttp(
	error: unknown,
	loss: ConnectionLoss | undefined,
	hasIdentity: boolean,
): void {
	if (!isAxiosError(error) || error.response) return;
	if (isAlert((error.cause as {rawPacket?: unknown} | undefined)?.rawPacket)) {
		appendMessage(error, ': the server answered with TLS, so the URL has to begin with https://');
		return;
	}
	const hungUp =
		loss !== undefined && !loss.reused && !loss.answered && error.code === 'ECONNRESET';
	if (hungUp && hasIdentity) {
		appendMessage(
			error,
			': if this port speaks TLS, as `mtls` needs it, the URL has to begin with https://, not http://',
		);
	}
}

/** A record of TLS that holds an alert (RFC 8446 §5.1). Node's parser has kept it. */
function isAlert(packet: unknown): boolean {
	return Buffer.isBuffer(packet) && packet[0] === 0x15 && packet[1] === 0x03;
}
