import {once} from 'node:events';
import net from 'node:net';

/**
 * Opens `count` ports that all lead to one TLS server: as many origins, on any platform, with one
 * certificate.
 *
 * @param {import('node:tls').Server} server
 * @param {number} count
 * @returns {Promise<string[]>} the origins
 */
export async function openOrigins(server, count) {
	return Promise.all(
		Array.from({length: count}, async () => {
			const door = net.createServer((socket) => server.emit('connection', socket));
			door.listen(0, '127.0.0.1');
			await once(door, 'listening');
			return `https://127.0.0.1:${door.address().port}`;
		}),
	);
}
