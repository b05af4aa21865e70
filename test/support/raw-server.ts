import net, {type AddressInfo, type Socket} from 'node:net';
import tls, {type TlsOptions} from 'node:tls';
import {onTestFinished} from './on-test-finished.ts';

/**
 * Answers requests without a body by the lines that `answer` makes of their heads, byte for byte,
 * where Node's own server would refuse to write them. Ends with the test.
 *
 * @param answer - Takes and gives a character for each byte.
 * @param tlsOptions - Without them it serves http.
 * @returns the port.
 */
export async function startRawServer(
	answer: (head: string) => readonly string[],
	tlsOptions?: TlsOptions,
): Promise<number> {
	const serve = (socket: Socket) => {
		let head = '';
		socket.setEncoding('latin1');
		// A client that does not understand an answer hangs up.
		socket.on('error', () => {});
		socket.on('data', (chunk: string) => {
			head += chunk;
			if (!head.endsWith('\r\n\r\n')) return;
			socket.write(`${answer(head).join('\r\n')}\r\n\r\n`, 'latin1');
			head = '';
		});
	};
	const server = tlsOptions ? tls.createServer(tlsOptions, serve) : net.createServer(serve);
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => sockets.add(socket));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => server.close(resolve));
	});
	return (server.address() as AddressInfo).port;
}
