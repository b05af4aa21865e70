import {once} from 'node:events';
import net from 'node:net';
import {answerParent} from '../child.js';

const headEnd = Buffer.from('\r\n\r\n');
const acceptance = 'HTTP/1.1 200 Connection established\r\n\r\n';
let tunnels = 0;

// A proxy that digs tunnels and nothing else, with as little to do as can be.
const server = net.createServer({noDelay: true}, (client) => {
	client.on('error', () => {}); // A client that hangs up at its end of the measurement.
	/** @type {Buffer} */
	let head = Buffer.alloc(0);
	const read = (chunk) => {
		head = Buffer.concat([head, chunk]);
		if (!head.subarray(-4).equals(headEnd)) return;
		client.off('data', read).pause();
		const [, host, port] = /^CONNECT (\S+):(\d+) /.exec(head.toString('latin1')) ?? [];
		const origin = net.connect({host, port: Number(port), noDelay: true}, () => {
			tunnels += 1;
			client.write(acceptance);
			client.pipe(origin).pipe(client);
		});
		origin.on('error', () => client.destroy());
		client.on('close', () => origin.destroy());
	};
	client.on('data', read);
});
server.listen(0, '127.0.0.1');
const listening = once(server, 'listening');

/** Where it listens, and how many tunnels there were since the last question. */
answerParent(async () => {
	await listening;
	const taken = tunnels;
	tunnels = 0;
	return {host: '127.0.0.1', port: server.address().port, tunnels: taken};
});
