import {constants} from 'node:crypto';
import {once} from 'node:events';
import tls from 'node:tls';
import {cookie, keepAlive, lastAnswer, login} from './answers.js';

const headEnd = Buffer.from('\r\n\r\n');
const loginLine = Buffer.from('GET /login ');
const cookieText = Buffer.from(cookie);

/**
 * Answers every GET with one prepared JSON. It looks for the end of the head and nothing more: a
 * server that parsed would be the slower end, and the peers would look alike.
 *
 * @param {tls.TlsOptions} credentials
 * @param {object} [how]
 * @param {boolean} [how.closing] one request a connection
 * @param {boolean} [how.forgetful] no session can be resumed
 */
export async function startJsonServer(credentials, {closing = false, forgetful = false} = {}) {
	const counts = {connections: 0, resumed: 0, requests: 0, withCookie: 0, lastHead: ''};
	let lastHead = headEnd;

	const options = {
		...credentials,
		ALPNProtocols: ['http/1.1'],
		// Without tickets a session is known by a number, and Node keeps no table of those: clients
		// keep sessions and offer them, and every handshake is a full one all the same.
		secureOptions: forgetful ? constants.SSL_OP_NO_TICKET : 0,
	};
	const server = tls.createServer(options, (socket) => {
		counts.connections += 1;
		if (socket.isSessionReused()) counts.resumed += 1;
		socket.setNoDelay(true);
		socket.on('error', () => {}); // A client that hangs up at its end of the measurement.

		/** @type {Buffer | undefined} */
		let partial;
		socket.on('data', (chunk) => {
			const head = partial === undefined ? chunk : Buffer.concat([partial, chunk]);
			partial = head.subarray(-4).equals(headEnd) ? undefined : head;
			if (partial !== undefined) return;
			lastHead = head;
			counts.requests += 1;
			if (head.includes(cookieText)) counts.withCookie += 1;
			if (closing) socket.end(lastAnswer);
			else socket.write(head.subarray(0, loginLine.length).equals(loginLine) ? login : keepAlive);
		});
	});
	server.on('tlsClientError', () => {});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	return {
		server,
		origin: `https://127.0.0.1:${server.address().port}`,
		/** What happened since the last call. */
		takeCounts() {
			const taken = {...counts, lastHead: lastHead.toString('latin1')};
			Object.assign(counts, {connections: 0, resumed: 0, requests: 0, withCookie: 0});
			return taken;
		},
	};
}
