import type {IncomingMessage, ServerResponse} from 'node:http';
import {AxiosError} from 'axios';
import {expect} from 'vitest';
import {type ClientConfig, createClient, type MtlsClient, type MtlsError} from '../../src/index.ts';
import {
	type Credential,
	createTestPki,
	type MtlsServer,
	type MtlsServerOptions,
	type RecordedConnection,
	type RequestHandler,
	startMtlsServer,
	type TestPki,
} from '../../src/testing/index.ts';
import {type ConnectProxy, type ConnectProxyOptions, startConnectProxy} from './connect-proxy.ts';
import {onTestFinished} from './on-test-finished.ts';
import {startRecordingServer} from './recording-server.ts';
import {type SocksProxy, type SocksProxyOptions, startSocksProxy} from './socks-proxy.ts';

/** What a test of the wire begins with; what it starts ends with the test. */
export interface Fixture {
	readonly pki: TestPki;
	readonly alice: Credential;
	/** Insists on a client certificate. */
	server(options?: MtlsServerOptions): Promise<MtlsServer>;
	/** Requests a certificate, accepts any, and records what reaches it. */
	recordingServer(options?: Parameters<typeof startRecordingServer>[1]): Promise<MtlsServer>;
	proxy(options?: ConnectProxyOptions): Promise<ConnectProxy>;
	socksProxy(options?: SocksProxyOptions): Promise<SocksProxy>;
	/** A client that shows alice's certificate, goes direct and logs nothing. */
	client(config?: ClientConfig): MtlsClient;
}

export async function createFixture(): Promise<Fixture> {
	const pki = await createTestPki();
	const alice = await pki.client({commonName: 'alice'});
	const {cert, key} = alice;
	return {
		pki,
		alice,
		server: async (options) => ending(await startMtlsServer({pki, ...options})),
		recordingServer: async (options) => ending(await startRecordingServer(pki, options)),
		proxy: async (options) => ending(await startConnectProxy(options)),
		socksProxy: async (options) => ending(await startSocksProxy(options)),
		client({mtls, ...config} = {}) {
			const client = createClient({
				mtls: {cert, key, ca: pki.ca, ...mtls},
				logger: false,
				proxy: false,
				...config,
			});
			onTestFinished(() => client.mtls.close({deadlineMs: 0}));
			return client;
		},
	};
}

function ending<T extends {close(): Promise<void>}>(started: T): T {
	onTestFinished(() => started.close());
	return started;
}

/** Options that say nothing, and options that send a request through axios's own adapter. */
export const exchanges = [
	["the client's connections", {}],
	["axios's exchange", {onDownloadProgress() {}}],
] as const;

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers by path, once the whole request is there; other paths are left to the bank. */
export function pages(replies: Readonly<Record<string, Reply>>): RequestHandler {
	return async (request, response, recorded) => {
		const reply = replies[recorded.url];
		if (reply === undefined) return false;
		await recorded.ended;
		reply(request, response);
		return true;
	};
}

export function redirect(location: string, status = 302, headers = {}): Reply {
	return (_, response) => {
		response.writeHead(status, {location, ...headers}).end('gone elsewhere');
	};
}

/** The error that a request fails with; it is one of axios. */
export async function failureOf(request: Promise<unknown>): Promise<AxiosError> {
	const error = await request.then(
		(value) => {
			throw new Error(`answered: ${JSON.stringify(value)}`);
		},
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(AxiosError);
	return error as AxiosError;
}

/** The error of a connection that was not trusted, or did not trust us. */
export async function mtlsFailureOf(request: Promise<unknown>): Promise<MtlsError> {
	const error = await failureOf(request);
	expect(error).toMatchObject({name: 'MtlsError', isAxiosError: true});
	return error as MtlsError;
}

/** Resolves once no connection of `server` is open. */
export async function allClosed({connections}: {connections: readonly RecordedConnection[]}) {
	await Promise.all(connections.map(({closed}) => closed));
}
