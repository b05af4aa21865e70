import type {AddressInfo, Server, Socket} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** Lets a server listen until the test ends, which cuts its connections. @returns the port */
export async function listening(server: Server): Promise<number> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket) => sockets.add(socket));
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', () => resolve());
	});
	return (server.address() as AddressInfo).port;
}
