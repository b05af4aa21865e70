import net, {type AddressInfo, type Socket} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** Counts the connections that are open at once, on the way to servers. */
export interface CountingRelays {
	/** How many were open at once at most. */
	readonly most: number;
	/** Starts a relay to `target`, a port of 127.0.0.1; ends with the test. @returns its port. */
	to(target: number): Promise<number>;
}

/** Starts with none. */
export function countingRelays(): CountingRelays {
	const open = new Set<Socket>();
	const sockets = new Set<Socket>();
	let most = 0;
	async function to(target: number): Promise<number> {
		const server = net.createServer((near) => {
			const far = net.connect(target, '127.0.0.1');
			for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
			open.add(near);
			const gone = () => {
				open.delete(near);
				far.destroy();
			};
			near.once('end', gone).once('close', gone);
			far.once('close', () => near.destroy());
			near.pipe(far);
			far.pipe(near);
			// What has been closed before may be told after.
			setImmediate(() => {
				most = Math.max(most, open.size);
			});
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		onTestFinished(async () => {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		});
		return (server.address() as AddressInfo).port;
	}
	return {
		get most() {
			return most;
		},
		to,
	};
}
