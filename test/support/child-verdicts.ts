/*
 * Run as a process of its own, which may end at any time: asks the servers that stdin names, in every
 * way there is, and prints each verdict as soon as it is there, a line of JSON each.
 */
import {writeSync} from 'node:fs';
import https from 'node:https';
import {text} from 'node:stream/consumers';
import tls from 'node:tls';
import axios from 'axios';
import {
	type ClientConfig,
	createClient,
	type MtlsClient,
	type MtlsOptions,
} from '../../src/index.ts';
import type {OddKeyPlace} from './odd-keys.ts';
import {tlsCurves} from './tls-curves.ts';

/** What a process is asked to do. */
export interface Questions {
	/** PEM, by name. */
	readonly ca: Readonly<Record<string, readonly string[]>>;
	readonly servers: readonly (Pick<OddKeyPlace, 'name' | 'trust' | 'closely'> & {
		readonly port: number;
	})[];
	/** With Node's own client, with the same but for its reading of the certificate, or with ours in each of {@link ways}. */
	readonly who: 'node' | 'node, unread' | 'ours';
	/** A plain proxy, and a server that our CA vouches for. */
	readonly proxyPort: number;
	readonly goodPort: number;
}

/** What came of one handshake. */
export interface Verdict {
	readonly name: string;
	readonly version: Version;
	readonly way: string;
	/** `OK`, or the code of the error. */
	readonly verdict: string;
}

type Version = (typeof versions)[number];

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

interface Way {
	readonly config?: (questions: Questions) => ClientConfig;
	readonly mtls?: MtlsOptions;
	/** For the few servers that are tried closely. */
	readonly closely?: true;
}

/** Ways of our client to a server. */
const ways: Readonly<Record<string, Way>> = {
	direct: {},
	'through a tunnel': {
		config: ({proxyPort: port}) => ({proxy: {host: '127.0.0.1', port}}),
	},
	'over HTTP/2': {config: () => ({httpVersion: 2, http2Options: {sessionTimeout: 1}})},
	"by axios's adapter": {config: () => ({onDownloadProgress() {}}), closely: true},
	'with verification reported': {
		mtls: {verify: 'report'},
		config: () => ({logger: {error() {}, warn() {}}}),
		closely: true,
	},
	'under another name': {mtls: {servername: 'other.test'}, closely: true},
};

const asProxy = 'as the proxy';

tls.DEFAULT_ECDH_CURVE = tlsCurves;

const questions = JSON.parse(await text(process.stdin)) as Questions;
for (const version of versions) {
	if (questions.who === 'ours') await askWithOurs(version);
	else await askWithNode(version);
}

async function askWithNode(version: Version): Promise<void> {
	for (const {name, port, trust} of questions.servers) {
		const options = {
			port,
			host: 'localhost',
			servername: 'localhost',
			ca: questions.ca[trust] as string[],
			minVersion: version,
			maxVersion: version,
			agent: false,
		};
		const verdict = await (questions.who === 'node' ? requested(options) : connected(options));
		tell({name, version, way: 'node', verdict});
	}
}

/** Node's verdict. */
function requested(options: https.RequestOptions): Promise<string> {
	return new Promise((resolve) => {
		https
			.get(options, (response) => response.resume().once('end', () => resolve('OK')))
			.once('error', (error) => resolve(codeOf(error)));
	});
}

/**
 * Node's verdict on the chain. Where that is good Node goes on to read the certificate for the name, at
 * which it may end the process.
 */
function connected(options: tls.ConnectionOptions): Promise<string> {
	const socket = tls.connect({...options, checkServerIdentity: () => undefined});
	socket.getPeerCertificate = () => ({}) as tls.DetailedPeerCertificate;
	return new Promise((resolve) => {
		socket.once('error', (error) => resolve(codeOf(error)));
		socket.once('secureConnect', () => {
			resolve('OK');
			socket.destroy();
		});
	});
}

async function askWithOurs(version: Version): Promise<void> {
	const range = {minVersion: version, maxVersion: version} as const;
	for (const [trust, ca] of Object.entries(questions.ca)) {
		const servers = questions.servers.filter((server) => server.trust === trust);
		await Promise.all([
			...Object.entries(ways).map(async ([way, {config, mtls, closely: few}]) => {
				// Not one client for all, which could resume what another way has begun.
				const client = makeClient({
					...config?.(questions),
					mtls: {ca: [...ca], ...range, ...mtls},
				});
				for (const {name, port, closely} of servers) {
					if (few && !closely) continue;
					const verdict = await ask(client, port);
					tell({name, version, way, verdict});
				}
				await client.mtls.close();
			}),
			(async () => {
				for (const {name, port} of servers) {
					const client = makeClient({
						mtls: {ca: questions.ca.ours as string[], proxy: {ca: [...ca], ...range}},
						proxy: {protocol: 'https', host: 'localhost', port},
					});
					const verdict = await ask(client, questions.goodPort);
					tell({name, version, way: asProxy, verdict});
					await client.mtls.close();
				}
			})(),
		]);
	}
}

function makeClient(config: ClientConfig): MtlsClient {
	return createClient({logger: false, proxy: false, ...config});
}

async function ask(client: MtlsClient, port: number): Promise<string> {
	try {
		await client.get(`https://localhost:${port}/`, {headers: {Connection: 'close'}});
		return 'OK';
	} catch (error) {
		return codeOf(error);
	}
}

function codeOf(error: unknown): string {
	if (axios.isAxiosError(error)) return String(error.code);
	return error instanceof Error && 'code' in error ? String(error.code) : `no code: ${error}`;
}

function tell(verdict: Verdict): void {
	writeSync(1, `${JSON.stringify(verdict)}\n`);
}
