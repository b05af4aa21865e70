import {AxiosError, isCancel} from 'axios';
import {expect, onTestFinished, test} from 'vitest';
import {CookieJar, createClient} from '../../src/index.ts';
import {startMtlsServer} from '../../src/testing/index.ts';
import {SilentStore} from '../support/silent-store.ts';

async function start() {
	const server = await startMtlsServer();
	const {cert, key} = await server.pki.client();
	const client = createClient({
		baseURL: server.origin,
		mtls: {cert, key, ca: server.ca},
		logger: false,
	});
	onTestFinished(async () => {
		await client.mtls.close();
		await server.close();
	});
	return {server, client, jar: new CookieJar(new SilentStore())};
}

test('a jar that never answers is ended by the timeout, and nothing is sent', async () => {
	const {server, client, jar} = await start();
	const error = await client.get('/whoami', {jar, timeout: 40}).catch((failure) => failure);
	expect(error).toBeInstanceOf(AxiosError);
	expect(error).toMatchObject({
		code: 'ECONNABORTED',
		message: 'timeout of 40ms exceeded: the jar has not given its cookies yet',
	});
	expect(server.connections).toHaveLength(0);
});

test('a jar that never answers is ended by the signal, and nothing is sent', async () => {
	const {server, client, jar} = await start();
	const controller = new AbortController();
	const pending = client.get('/whoami', {jar, signal: controller.signal, timeout: 10_000});
	setImmediate(() => controller.abort());
	expect(isCancel(await pending.catch((failure) => failure))).toBe(true);
	expect(server.connections).toHaveLength(0);
});

test('cookies that the app gives as a list are one header, beside those of the jar', async () => {
	const {server, client} = await start();
	const jar = new CookieJar();
	await jar.setCookie('a=jar; Path=/', server.origin);
	await jar.setCookie('c=jar; Path=/', server.origin);
	await client.get('/whoami', {jar, headers: {Cookie: ['a=1', 'b=2']}});
	expect(server.requests[0]?.headers.cookie).toBe('c=jar; a=1; b=2');
});
