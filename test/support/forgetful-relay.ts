import net, {type AddressInfo, type Socket} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** Stands on the way to a server, as a firewall does. */
export interface ForgetfulRelay {
	readonly port: number;
	/** How many connections have come so far. */
	readonly connectionCount: number;
	/** From now on says nothing and passes nothing on what is open; neither end is told. */
	forget(): void;
}

/** Starts a relay to `target`, a port of 127.0.0.1; ends with the test. */
export async function startForgetfulRelay(target: number): Promise<ForgetfulRelay> {
	const sockets = new Set<Socket>();
	let passing: Socket[] = [];
	let connectionCount = 0;
	const server = net.createServer((near) => {
		connectionCount += 1;
		const far = net.connect(target, '127.0.0.1');
		const ends = [near, far];
		for (const socket of ends) {
			sockets.add(socket);
			// Cut at the end of the test, or by the other one.
			socket.on('error', () => {});
		}
		passing.push(...ends);
		near.pipe(far);
		far.pipe(near);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => server.close(resolve));
	});
	return {
		port: (server.address() as AddressInfo).port,
		get connectionCount() {
			return connectionCount;
		},
		forget() {
			for (const socket of passing) socket.unpipe().resume();
			passing = [];
		},
	};
}
