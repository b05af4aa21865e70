import net, {type Socket} from 'node:net';
import {pipeline} from 'node:stream';

/** What a client asked a SOCKS proxy for. */
interface SocksRequest {
	/** The methods that the client offered (RFC 1928 §3). */
	readonly methods: readonly number[];
	/** What it logged in with (RFC 1929); `undefined` without the method for it. */
	readonly login: {readonly username: string; readonly password: string} | undefined;
	readonly addressType: 'ipv4' | 'name' | 'ipv6';
	/** A name, or an address as `node:net` writes it. */
	readonly host: string;
	readonly port: number;
	readonly remotePort: number;
}

export interface SocksProxyOptions {
	/** Refuses every other login, and clients without one. @defaultValue no login is wanted */
	credentials?: {readonly username: string; readonly password: string};
	/** The code of the reply (RFC 1928 §6); 0 connects. @defaultValue 0, or 5 if the server refuses */
	reply?: number | ((request: SocksRequest) => number);
	/** Sends each byte of its answers in a packet of its own. @defaultValue false */
	bytewise?: boolean;
	/** The address in its replies: of four bytes, of sixteen, or a name. @defaultValue four */
	bound?: 'ipv4' | 'name' | 'ipv6';
	/** The address to listen on. @defaultValue `'127.0.0.1'` */
	listenOn?: string;
	/** Where a name leads, so that tests may use any name. @defaultValue to itself */
	route?: (host: string, port: number) => {readonly host: string; readonly port: number};
}

export interface SocksProxy extends AsyncDisposable {
	readonly port: number;
	readonly requests: readonly SocksRequest[];
	/** All that came through the tunnels from the clients. */
	readonly heard: readonly Buffer[];
	/** Connections that reached the proxy. */
	readonly connectionCount: number;
	/** Resolves once no connection to the proxy is open. */
	closed(): Promise<unknown>;
	close(): Promise<void>;
}

const accepted = 0;
const noMethod = 0xff;
const userAndPassword = 2;
const bounds = {
	ipv4: Buffer.from([1, 0, 0, 0, 0, 0, 0]),
	name: Buffer.concat([Buffer.from([3, 5]), Buffer.from('proxy'), Buffer.from([0, 0])]),
	ipv6: Buffer.concat([Buffer.from([4]), Buffer.alloc(18)]),
};

/** Starts a SOCKS 5 proxy (RFC 1928, RFC 1929) that gives outgoing connections. */
export async function startSocksProxy(options: SocksProxyOptions = {}): Promise<SocksProxy> {
	const requests: SocksRequest[] = [];
	const heard: Buffer[] = [];
	const sockets = new Set<Socket>();
	const ends: Promise<void>[] = [];
	let connectionCount = 0;
	const track = (socket: Socket): Socket => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
		// Either end of a tunnel may be cut at any time; 'close' tells the rest.
		return socket.on('error', () => {});
	};
	const server = net.createServer({noDelay: true}, (client) => {
		connectionCount += 1;
		track(client);
		ends.push(new Promise((resolve) => client.once('close', () => resolve())));
		// The client may hang up in the middle of the dialogue.
		serve(client).catch(() => client.destroy());
	});

	async function serve(client: Socket): Promise<void> {
		const request = await readRequest(client, options);
		if (request === undefined) return;
		requests.push(request);
		const {reply = accepted, route = (host, port) => ({host, port})} = options;
		const code = typeof reply === 'function' ? reply(request) : reply;
		const bound = bounds[options.bound ?? 'ipv4'];
		const answer = (rep: number) =>
			send(client, Buffer.concat([Buffer.from([5, rep, 0]), bound]), options);
		if (code !== accepted) {
			await answer(code);
			client.end();
			return;
		}
		const origin = track(net.connect(route(request.host, request.port)));
		origin.once('error', () => {
			void answer(5).then(() => client.end());
		});
		origin.once('connect', async () => {
			origin.removeAllListeners('error').on('error', () => {});
			await answer(accepted);
			client.on('data', (chunk: Buffer) => heard.push(chunk));
			pipeline(client, origin, client, () => {});
		});
	}

	const port = await new Promise<number>((resolve) => {
		server.listen(0, options.listenOn ?? '127.0.0.1', () => {
			const address = server.address();
			resolve(typeof address === 'object' && address !== null ? address.port : 0);
		});
	});
	let closing: Promise<void> | undefined;
	const close = () => {
		closing ??= new Promise((resolve) => {
			server.close(() => resolve());
			for (const socket of sockets) socket.destroy();
		});
		return closing;
	};
	return {
		port,
		requests,
		heard,
		get connectionCount() {
			return connectionCount;
		},
		closed: () => Promise.all(ends),
		close,
		[Symbol.asyncDispose]: close,
	};
}

/** The dialogue up to the reply; `undefined` when it ended before. */
async function readRequest(
	client: Socket,
	options: SocksProxyOptions,
): Promise<SocksRequest | undefined> {
	const {credentials} = options;
	const [version, count = 0] = await read(client, 2);
	if (version !== 5) throw new Error(`version ${version}`);
	const methods = [...(await read(client, count))];
	const wanted = credentials ? userAndPassword : 0;
	const method = methods.includes(wanted) ? wanted : noMethod;
	await send(client, Buffer.from([5, method]), options);
	if (method === noMethod) {
		client.end();
		return undefined;
	}
	let login: SocksRequest['login'];
	if (method === userAndPassword) {
		await read(client, 1);
		const username = await readText(client);
		const password = await readText(client);
		login = {username, password};
		const good = username === credentials?.username && password === credentials?.password;
		await send(client, Buffer.from([1, good ? 0 : 1]), options);
		if (!good) {
			client.end();
			return undefined;
		}
	}
	const [, command, , type] = await read(client, 4);
	if (command !== 1) throw new Error(`command ${command}`);
	const remotePort = client.remotePort ?? 0;
	if (type === 3) {
		const host = await readText(client);
		const port = (await read(client, 2)).readUInt16BE();
		return {methods, login, addressType: 'name', host, port, remotePort};
	}
	const bytes = await read(client, type === 1 ? 4 : 16);
	const port = (await read(client, 2)).readUInt16BE();
	const host =
		type === 1
			? bytes.join('.')
			: new URL(`http://[${bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:')}]`).hostname.slice(
					1,
					-1,
				);
	return {methods, login, addressType: type === 1 ? 'ipv4' : 'ipv6', host, port, remotePort};
}

async function readText(client: Socket): Promise<string> {
	const [length = 0] = await read(client, 1);
	return String(await read(client, length));
}

/** Reads exactly as many bytes. @throws when the client hangs up before. */
async function read(client: Socket, length: number): Promise<Buffer> {
	if (length === 0) return Buffer.alloc(0);
	for (;;) {
		const bytes: Buffer | null = client.read(length);
		if (bytes?.length === length) return bytes;
		if (client.readableEnded || client.destroyed) throw new Error('the client hung up');
		await new Promise<void>((resolve) => {
			const done = () => {
				client.off('readable', done).off('end', done).off('close', done);
				resolve();
			};
			client.on('readable', done).on('end', done).on('close', done);
		});
	}
}

async function send(client: Socket, answer: Buffer, {bytewise}: SocksProxyOptions): Promise<void> {
	const packets = bytewise ? [...answer].map((byte) => Buffer.of(byte)) : [answer];
	for (const packet of packets) {
		await new Promise((resolve) => client.write(packet, resolve));
		// So that the client reads each of them alone.
		if (bytewise) await new Promise((resolve) => setImmediate(resolve));
	}
}
