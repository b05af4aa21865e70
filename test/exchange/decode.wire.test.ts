import {gzipSync} from 'node:zlib';
import {AxiosError} from 'axios';
import {expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {startMtlsServer} from '../../src/testing/index.ts';

// Seen: a body that could not be unpacked ended its connection, which carried the next request by
// then. Why: the connection is free when the last byte is there, and unpacking ends later.
// Now: a request that fails after its last byte leaves the connection alone.
test('a body that cannot be unpacked does not end the request that follows on its connection', async () => {
	const broken = gzipSync(Buffer.alloc(20_000_000, 'x'));
	broken.fill(0xff, broken.length - 8);
	let letGo = () => {};
	const failed = new Promise<void>((resolve) => {
		letGo = resolve;
	});
	const server = await startMtlsServer({
		handler: (request, response) => {
			if (request.url === '/broken') {
				response.writeHead(200, {'content-encoding': 'gzip'}).end(broken);
			} else {
				void failed.then(() => response.end('held'));
			}
			return true;
		},
	});
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

	const unpacking = client.get('/broken').catch((error) => error);
	let over = false;
	void unpacking.finally(() => {
		over = true;
	});
	// On the first turn on which the connection is free again, which is before the body is unpacked.
	while (!over && client.mtls.stats().sockets.idle === 0) await new Promise(setImmediate);
	expect(over).toBe(false);
	const held = client.get('/held');
	expect(await unpacking).toBeInstanceOf(AxiosError);
	letGo();
	expect((await held).data).toBe('held');
	expect(server.requests.map(({url}) => url)).toEqual(['/broken', '/held']);
	expect(server.connections).toHaveLength(1);
});
