import {once} from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** A proxy that opens tunnels (RFC 9110, section 9.3.6) for those who know its login. */
export async function startProxy({user, password}) {
	const login = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
	const tunnels = [];
	const sockets = new Set();
	const proxy = http.createServer();
	proxy.on('connection', (socket) => sockets.add(socket));
	proxy.on('connect', (request, socket) => {
		if (request.headers['proxy-authorization'] !== login) {
			socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
			return;
		}
		tunnels.push(request.url);
		const [host, port] = request.url.split(':');
		const upstream = net.connect(Number(port), host, () => {
			socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			socket.pipe(upstream).pipe(socket);
		});
		upstream.on('error', () => socket.destroy());
		socket.on('error', () => upstream.destroy());
	});
	proxy.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	return {
		port: proxy.address().port,
		/** The `host:port` of each tunnel. */
		tunnels,
		close() {
			proxy.close();
			for (const socket of sockets) socket.destroy();
		},
	};
}
