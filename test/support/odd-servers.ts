import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {createSecureServer} from 'node:http2';
import {type AddressInfo, connect as connectTcp, type Server} from 'node:net';
import {type Duplex, pipeline} from 'node:stream';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import type {Questions, Verdict} from './child-verdicts.ts';
import type {OddKeyPlace} from './odd-keys.ts';
import {onTestFinished} from './on-test-finished.ts';
import {tlsCurves} from './tls-curves.ts';

/** Starts a process that ends with the test. */
export function startChild(name: string, ...argv: readonly string[]) {
	const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
	const child = spawn(process.execPath, [script, ...argv], {stdio: ['pipe', 'pipe', 'inherit']});
	onTestFinished(() => void child.kill());
	return child;
}

/** What a process of its own makes of servers. */
export async function verdictsOf(questions: Questions) {
	const child = startChild('child-verdicts');
	child.stdin.end(JSON.stringify(questions));
	const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
	const lines = output.split('\n').filter((line) => line !== '');
	return {code, signal, verdicts: lines.map((line) => JSON.parse(line) as Verdict)};
}

/** Starts a server that speaks HTTP/1.1 and HTTP/2, and is a proxy to those who ask for one. */
export async function startServer({cert, key}: Pick<OddKeyPlace, 'cert' | 'key'>): Promise<number> {
	const server = createSecureServer({
		cert,
		key,
		allowHTTP1: true,
		ecdhCurve: tlsCurves,
		// To refuse a weak key is up to the client.
		ciphers: 'DEFAULT@SECLEVEL=0',
	});
	server.on('request', (_, response) => response.end('ok'));
	server.on('connect', ({url}: IncomingMessage, client: Duplex) => {
		const {hostname, port} = new URL(`http://${url}`);
		const target = connectTcp(Number(port), hostname);
		client.write('HTTP/1.1 200 OK\r\n\r\n');
		pipeline(client, target, client, () => {});
	});
	server.on('sessionError', () => {});
	return listening(server);
}

/** Listens until the end of the test. @returns the port */
export async function listening(server: Server): Promise<number> {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	return (server.address() as AddressInfo).port;
}
