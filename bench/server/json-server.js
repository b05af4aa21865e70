import {constants} from 'node:crypto';
import {once} from 'node:events';
import tls from 'node:tls';
import {cookie, headOnly, keepAlive, lastAnswer, login, streamed} from './answers.js';

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');
const cookieText = Buffer.from(cookie);

/**
 * Answers every request with one prepared JSON. It looks for the end of the request and nothing more:
 * a server that parsed would be the slower end, and the peers would look alike.
 *
 * @param {tls.TlsOptions} credentials
 * @param {object} [how]
 * @param {boolean} [how.closing] one request a connection
 * @param {boolean} [how.forgetful] no session can be resumed
 */
export async function startJsonServer(credentials, {closing = false, forgetful = false} = {}) {
	const counts = {connections: 0, resumed: 0, requests: 0, withCookie: 0};
	let last = headEnd;

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
			const request = partial === undefined ? chunk : Buffer.concat([partial, chunk]);
			partial = isWhole(request) ? undefined : request;
			if (partial !== undefined) return;
			last = request;
			counts.requests += 1;
			if (request.includes(cookieText)) counts.withCookie += 1;
			if (closing) socket.end(lastAnswer);
			else socket.write(answerTo(request));
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
			const end = last.indexOf(headEnd);
			const taken = {
				...counts,
				lastHead: last.toString('latin1', 0, end + 2),
				lastBody: last.toString('latin1', end + headEnd.length),
			};
			Object.assign(counts, {connections: 0, resumed: 0, requests: 0, withCookie: 0});
			return taken;
		},
	};
}

/** @param {Buffer} request so far */
function isWhole(request) {
	if (request[0] !== 'P'.charCodeAt(0)) return endsWith(request, headEnd);
	const end = request.indexOf(headEnd);
	if (end === -1) return false;
	const length = /^content-length: *(\d+)/im.exec(request.toString('latin1', 0, end))?.[1];
	if (length === undefined) return endsWith(request, lastChunk);
	return request.length === end + headEnd.length + Number(length);
}

function endsWith(buffer, end) {
	return buffer.subarray(-end.length).equals(end);
}

/** @param {Buffer} request */
function answerTo(request) {
	const line = request.toString('latin1', 0, 12);
	if (line.startsWith('HEAD ')) return headOnly;
	if (line.startsWith('GET /login ')) return login;
	return line.startsWith('GET /stream ') ? streamed : keepAlive;
}
