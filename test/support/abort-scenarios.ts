/*
 * Run as a process of its own: gives requests up in each phase of their life, and prints as JSON what
 * each has left behind. No client is closed and no timer is short, so it ends by itself only when
 * nothing was left.
 */
import dns from 'node:dns';
import {getEventListeners} from 'node:events';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer, type Socket} from 'node:net';
import {buffer} from 'node:stream/consumers';
import axios, {type AxiosRequestConfig} from 'axios';
import {type ClientConfig, CookieJar, createClient} from '../../src/index.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {SilentStore} from './silent-store.ts';

/** What a request has left behind. */
export interface Leftovers {
	readonly phase: string;
	readonly exchange: string;
	readonly way: string;
	readonly deadline: string;
	readonly code: unknown;
	/** On the signal or the token. */
	readonly listeners: number;
	readonly sockets: {readonly active: number; readonly queued: number};
	/** Connections of the server that are open. */
	readonly open: number;
	/** What keeps the process alive, and did not before. */
	readonly resources: readonly string[];
}

/** Where a request goes, and when it is given up. */
interface Scene {
	readonly url: string;
	readonly client?: ClientConfig;
	readonly config?: AxiosRequestConfig;
	readonly reached: Promise<void>;
	open(): number;
	close(): Promise<void>;
}

const pki = await createTestPki();
const {cert, key} = await pki.client({commonName: 'alice'});
const mtls = {cert, key, ca: pki.ca};

const minute = 60_000;
const parts = {connectMs: minute, handshakeMs: minute, firstByteMs: minute};

/** Deadlines that a request has. That of the whole request puts a signal of ours before the app's. */
const deadlines: Readonly<Record<string, AxiosRequestConfig>> = {
	none: {},
	parts: {timeout: minute, timeouts: parts},
	whole: {timeout: minute, timeouts: {...parts, requestMs: minute}},
};

function moment() {
	let come = () => {};
	const reached = new Promise<void>((resolve) => {
		come = resolve;
	});
	return {reached, come: () => come()};
}

/** Nothing is sent: it is enough that it waits. */
function waiting(clientOf: (come: () => void) => ClientConfig, dispose = () => {}): Scene {
	const {reached, come} = moment();
	return {
		url: 'https://nobody.test/',
		client: clientOf(come),
		reached,
		open: () => 0,
		async close() {
			dispose();
		},
	};
}

/** A server that accepts TCP, reads, and says nothing. */
async function mute(
	sceneOf: (port: number) => {url: string; client?: ClientConfig},
): Promise<Scene> {
	const {reached, come} = moment();
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {}).once('data', come);
		socket.once('close', () => sockets.delete(socket));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	return {
		...sceneOf(port),
		reached,
		open: () => sockets.size,
		async close() {
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** A server that answers as far as `answer` does. */
async function served(
	answer: (request: IncomingMessage, response: ServerResponse, come: () => void) => void,
	config: AxiosRequestConfig = {},
): Promise<Scene> {
	const {reached, come} = moment();
	let open = 0;
	const server = await startMtlsServer({
		pki,
		handler: (request, response, {connection}) => {
			open += 1;
			connection.closed.then(() => {
				open -= 1;
			});
			answer(request, response, come);
			return true;
		},
	});
	return {
		url: server.url('/x'),
		config,
		reached,
		open: () => open,
		close: () => server.close(),
	};
}

/** Time for what was written to be read at the other end. */
async function turns(count = 10): Promise<void> {
	for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const half = (status: number, headers: Record<string, string>) =>
	served((_, response, come) => {
		response.writeHead(status, headers);
		response.write('half of it', () => turns().then(come));
	});

const phases: Readonly<Record<string, () => Scene | Promise<Scene>>> = {
	'waiting for the jar': () => waiting((come) => ({jar: new CookieJar(new SilentStore(come))})),
	'waiting for our identity': () =>
		waiting((come) => ({
			mtls: {
				ca: pki.ca,
				identity: () => {
					setImmediate(come);
					return new Promise(() => {});
				},
			},
		})),
	'looking a name up': () => {
		const {lookup} = dns;
		return waiting(
			(come) => {
				dns.lookup = (() => setImmediate(come)) as never;
				return {};
			},
			() => {
				dns.lookup = lookup;
			},
		);
	},
	'digging a tunnel': () =>
		mute((port) => ({url: 'https://a.test/', client: {proxy: {host: '127.0.0.1', port}}})),
	'shaking hands': () => mute((port) => ({url: `https://localhost:${port}/`})),
	'sending the body': () =>
		served((_request, _response, come) => come(), {
			method: 'post',
			data: Buffer.alloc(16 * 1024 * 1024),
		}),
	'waiting for the answer': () => served((_request, _response, come) => come()),
	'reading the body': () => half(200, {'content-type': 'text/plain'}),
	'reading the body of a redirect': () => half(302, {location: '/elsewhere'}),
	'reading a stream': async () => ({
		...(await half(200, {})),
		config: {responseType: 'stream'},
	}),
};

const exchanges: Readonly<Record<string, AxiosRequestConfig>> = {
	undici: {},
	axios: {onDownloadProgress() {}},
};

const ways = {
	signal() {
		const controller = new AbortController();
		const {signal} = controller;
		return {
			config: {signal},
			cancel: () => controller.abort(),
			listeners: () => getEventListeners(signal, 'abort').length,
		};
	},
	token() {
		const {token, cancel} = axios.CancelToken.source();
		const inside = token as unknown as {_listeners: unknown[] | null};
		return {
			config: {cancelToken: token},
			cancel: () => cancel(),
			listeners: () => inside._listeners?.length ?? 0,
		};
	},
};

/** Node closes sockets a few turns later. */
async function settled(isSettled: () => boolean): Promise<void> {
	for (let turn = 0; turn < 2_000 && !isSettled(); turn += 1) await turns(1);
}

type Play = Pick<Leftovers, 'phase' | 'exchange' | 'deadline'> & {way: keyof typeof ways};

async function play(asked: Play): Promise<Leftovers> {
	const scene = await (phases[asked.phase] as () => Scene | Promise<Scene>)();
	try {
		return await giveUp(asked, scene);
	} finally {
		// Node 22, which runs this as it is, has no `await using`.
		await scene.close();
	}
}

async function giveUp({phase, exchange, way, deadline}: Play, scene: Scene): Promise<Leftovers> {
	const client = createClient({mtls, logger: false, proxy: false, ...scene.client});
	const before = process.getActiveResourcesInfo();
	const {config, cancel, listeners} = ways[way]();
	const request = client
		.request({
			url: scene.url,
			...deadlines[deadline],
			...scene.config,
			...exchanges[exchange],
			...config,
		})
		.then(({data}) => buffer(data))
		.then(
			() => 'answered',
			(error) => error.code,
		);
	await scene.reached;
	cancel();
	const code = await request;
	const left = () => difference(process.getActiveResourcesInfo(), before);
	const counts = () => client.mtls.stats().sockets;
	await settled(() => scene.open() + counts().active + counts().queued + left().length === 0);
	const {active, queued} = counts();
	return {
		phase,
		exchange,
		way,
		deadline,
		code,
		listeners: listeners(),
		sockets: {active, queued},
		open: scene.open(),
		resources: left(),
	};
}

function difference(now: readonly string[], before: readonly string[]): string[] {
	const rest = [...before];
	return now.filter((name) => {
		const index = rest.indexOf(name);
		if (index >= 0) rest.splice(index, 1);
		return index < 0 && name !== 'Immediate';
	});
}

const all: Leftovers[] = [];
for (const phase of Object.keys(phases)) {
	for (const exchange of Object.keys(exchanges)) {
		for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
			for (const deadline of Object.keys(deadlines)) {
				all.push(await play({phase, exchange, way, deadline}));
			}
		}
	}
}
process.stdout.write(JSON.stringify(all));
