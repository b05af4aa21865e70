import {once} from 'node:events';
import net, {type AddressInfo, type Socket} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** Stands between clients and a Redis server, and writes down each command that passes. */
export interface RedisRelay {
	readonly port: number;
	/** The commands so far, upper case, without those by which a client presents itself. */
	readonly commands: string[];
	/** Where to connect to from now on; `undefined` refuses. Connections that are open end. */
	lead(target: number | undefined): Promise<void>;
}

/** What node-redis says when it connects. */
const greetings = new Set(['HELLO', 'CLIENT', 'SELECT', 'PING']);

/** Starts a relay to `target`, a port of 127.0.0.1; ends with the test. */
export async function startRedisRelay(target: number): Promise<RedisRelay> {
	const commands: string[] = [];
	const open = new Set<Socket>();
	let to = target;
	const keep = (socket: Socket) => {
		open.add(socket);
		// Who cannot connect, or is cut off, sees that its connection ends.
		socket.on('error', () => {}).once('close', () => open.delete(socket));
	};
	const server = net.createServer((near) => {
		keep(near);
		const far = net.connect(to, '127.0.0.1');
		keep(far);
		const read = commandReader((name) => {
			if (!greetings.has(name)) commands.push(name);
		});
		near.on('data', (chunk) => {
			read(chunk);
			far.write(chunk);
		});
		far.on('data', (chunk) => near.write(chunk));
		near.once('close', () => far.destroy());
		far.once('close', () => near.destroy());
	});
	const listen = async (port: number) => {
		server.listen(port, '127.0.0.1');
		await once(server, 'listening');
		return (server.address() as AddressInfo).port;
	};
	const cut = async () => {
		const closed = server.listening && once(server, 'close');
		server.close();
		for (const socket of open) socket.destroy();
		await closed;
	};
	const port = await listen(0);
	onTestFinished(cut);
	return {
		port,
		commands,
		async lead(next) {
			await cut();
			if (next === undefined) return;
			to = next;
			await listen(port);
		},
	};
}

/** Reads what a client sends: arrays of bulk strings, `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`, of which the first is the command. */
function commandReader(onCommand: (name: string) => void): (chunk: Buffer) => void {
	let rest = Buffer.alloc(0);
	let left = 0;
	let isName = false;
	return (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		for (;;) {
			const end = rest.indexOf('\r\n');
			if (end < 0) return;
			const size = Number(rest.toString('latin1', 1, end));
			if (left === 0) {
				left = size;
				isName = true;
				rest = rest.subarray(end + 2);
				continue;
			}
			const next = end + 2 + size + 2;
			if (rest.length < next) return;
			if (isName) onCommand(rest.toString('latin1', end + 2, next - 2).toUpperCase());
			isName = false;
			left -= 1;
			rest = rest.subarray(next);
		}
	};
}
