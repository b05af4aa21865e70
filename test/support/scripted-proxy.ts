import {once} from 'node:events';
import {createServer, type Server, type Socket} from 'node:net';
import {createServer as createTlsServer, type TlsOptions} from 'node:tls';

/** What a proxy does to one CONNECT: `undefined` is silence, a function does as it likes. */
type Play = string | undefined | ((socket: Socket) => void);

/** What is to come of it. */
export interface Scene {
	readonly play: Play;
	/** Ends the connection after the words. */
	readonly hangsUp?: boolean;
	readonly code: string;
	/** Of the failure, where it is one of ours. */
	readonly kind?: string;
	readonly status?: number;
}

const acceptance = 'HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n';
const badReply = {code: 'ERR_PROXY_BAD_REPLY', kind: 'proxy-bad-reply'};

/** By the name that is asked for: `silence.test`. */
export const scenes: Readonly<Record<string, Scene>> = {
	silence: {play: undefined, code: 'ECONNABORTED'},
	'half-head': {play: 'HTTP/1.1 200 OK\r\nVia', code: 'ECONNABORTED'},
	'no-end': {play: flood, ...badReply},
	'no-end-of-interim': {play: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000), ...badReply},
	'interim-and-refusal': {
		play: 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n',
		code: 'ERR_PROXY_REFUSED',
		kind: 'proxy-refused',
		status: 503,
	},
	'one-line-without-end': {play: `HTTP/1.1 200 ${'x'.repeat(20_000)}`, ...badReply},
	'no-http': {play: '220 mail.test ESMTP\r\n', ...badReply},
	login: {
		play: 'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
		code: 'ERR_PROXY_AUTH_REQUIRED',
		kind: 'proxy-auth-required',
		status: 407,
	},
	unreachable: {
		play: 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops',
		code: 'ERR_PROXY_REFUSED',
		kind: 'proxy-refused',
		status: 502,
	},
	'another-protocol': {
		play: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
		code: 'ERR_PROXY_REFUSED',
		kind: 'proxy-refused',
		status: 101,
	},
	'early-bytes': {play: `${acceptance}HTTP/1.1 200 OK\r\n`, ...badReply},
	...Object.fromEntries(
		Array.from({length: acceptance.length}, (_, length) => [
			`close-${length}`,
			{play: acceptance.slice(0, length), hangsUp: true, ...badReply},
		]),
	),
	// The tunnel stood, and it is the server's handshake that ends.
	'close-after': {play: acceptance, hangsUp: true, code: 'ECONNRESET', kind: 'reset'},
	'interim-and-close-after': {
		play: `HTTP/1.1 100 Continue\r\n\r\n${acceptance}`,
		hangsUp: true,
		code: 'ECONNRESET',
		kind: 'reset',
	},
	'no-tls': {
		play: (socket) => {
			socket.write(acceptance);
			// The hello of the handshake.
			socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall yours'));
		},
		code: 'ERR_SSL_WRONG_VERSION_NUMBER',
		kind: 'not-tls',
	},
};

/** Starts a proxy that plays the scene whose name is asked for; an `https://` one with `tls`. */
export async function startScriptedProxy(tls?: TlsOptions): Promise<Server> {
	const server = tls ? createTlsServer(tls, meet) : createServer(meet);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return server;
}

function meet(socket: Socket): void {
	socket.on('error', () => {});
	socket.once('data', (chunk) => {
		const [, name = ''] = /^CONNECT ([\w-]+)\.test:443 HTTP\/1\.1\r\n/.exec(String(chunk)) ?? [];
		const {play, hangsUp} = scenes[name] ?? {};
		if (typeof play === 'function') play(socket);
		else if (hangsUp) socket.end(play ?? '');
		else if (play !== undefined) socket.write(play);
	});
}

/** Header after header, for as long as somebody reads. */
function flood(socket: Socket): void {
	socket.write('HTTP/1.1 200 OK\r\n');
	const more = () => {
		while (!socket.destroyed && socket.write(`X: ${'x'.repeat(1_000)}\r\n`));
	};
	socket.on('drain', more);
	more();
}
