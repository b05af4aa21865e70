import {once} from 'node:events';
import http2 from 'node:http2';
import {cookie, json, length, setCookie} from './answers.js';

const head = {
	':status': 200,
	'content-type': 'application/json; charset=utf-8',
	'content-length': length,
};

/**
 * Answers every request over HTTP/2 with the one JSON.
 *
 * @param {http2.SecureServerOptions} credentials
 */
export async function startHttp2Server(credentials) {
	const counts = {connections: 0, resumed: 0, requests: 0, withCookie: 0};
	const last = {head: '', body: ''};

	const server = http2.createSecureServer(credentials);
	server.on('session', (session) => {
		counts.connections += 1;
		session.on('error', () => {}); // A client that hangs up at its end of the measurement.
	});
	server.on('stream', (stream, {':method': method, ':path': path, cookie: cookies}) => {
		stream.on('error', () => {});
		counts.requests += 1;
		if (cookies === cookie) counts.withCookie += 1;
		const respond = (body) => {
			last.head = `${method} ${path}`;
			last.body = body;
			stream.respond(path === '/login' ? {...head, 'set-cookie': setCookie} : head);
			stream.end(json);
		};
		if (method === 'GET') return respond('');
		let body = '';
		stream.setEncoding('latin1');
		stream.on('data', (chunk) => {
			body += chunk;
		});
		stream.on('end', () => respond(body));
	});
	server.on('tlsClientError', () => {});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');

	return {
		origin: `https://127.0.0.1:${server.address().port}`,
		/** What happened since the last call. */
		takeCounts() {
			const taken = {...counts, lastHead: last.head, lastBody: last.body};
			Object.assign(counts, {connections: 0, resumed: 0, requests: 0, withCookie: 0});
			return taken;
		},
	};
}
