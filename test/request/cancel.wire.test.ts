import {MemoryCookieStore} from 'tough-cookie';
import {beforeAll, describe, expect, test} from 'vitest';
import {CookieJar} from '../../src/index.ts';
import {expectCanceled, ways} from '../support/cancelling.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	pages,
	redirect,
} from '../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** A jar that answers when `release` is called. */
function slowJar() {
	let release = () => {};
	let ask = () => {};
	const asked = new Promise<void>((resolve) => {
		ask = resolve;
	});
	const released = new Promise<void>((resolve) => {
		release = resolve;
	});
	class SlowStore extends MemoryCookieStore {
		override findCookies(...args: Parameters<MemoryCookieStore['findCookies']>) {
			ask();
			released.then(() => super.findCookies(...args));
			return new Promise<never>(() => {});
		}
	}
	return {jar: new CookieJar(new SlowStore()), asked, release: () => release()};
}

describe.each(exchanges)('over %s', (_, options) => {
	describe.each(ways)('by %s', (_way, way) => {
		test('a request is cancelled before it begins', async () => {
			const server = await fixture.server();
			const {config, cancel} = way();
			cancel();
			await expectCanceled(fixture.client(options).get(server.url(), config));
			expect(server.connections).toEqual([]);
		});

		test('a request is cancelled before the jar answers', async () => {
			const server = await fixture.server();
			const {jar, asked, release} = slowJar();
			const {config, cancel} = way();
			const request = fixture.client({...options, jar}).get(server.url(), config);
			await asked;
			cancel();
			release();
			await expectCanceled(request);
			expect(server.connections).toEqual([]);
		});

		test('a request is cancelled after it was sent', async () => {
			const {config, cancel} = way();
			const server = await fixture.server({
				handler: () => {
					cancel();
					return true;
				},
			});
			await expectCanceled(fixture.client(options).get(server.url(), config));
			await allClosed(server);
			expect(server.requests).toHaveLength(1);
		});

		test('a request is cancelled while its response arrives', async () => {
			const {config, cancel} = way();
			const server = await fixture.server({
				handler: (_request, response) => {
					response.write('some', () => cancel());
					return true;
				},
			});
			await expectCanceled(fixture.client(options).get(server.url(), config));
			await allClosed(server);
		});

		test('a request that is cancelled between two hops sends nothing to the second', async () => {
			const {config, cancel} = way();
			const stranger = await fixture.recordingServer();
			const server = await fixture.server({handler: pages({'/': redirect(stranger.url())})});
			const request = fixture
				.client(options)
				.get(server.url(), {...config, beforeRedirect: cancel});
			await expectCanceled(request);
			expect(server.requests).toHaveLength(1);
			expect(stranger.connections).toEqual([]);
		});

		test('a request that is cancelled on a kept connection leaves the next one another', async () => {
			const {config, cancel} = way();
			const server = await fixture.server({
				handler: (request) => {
					if (request.url !== '/silence') return false;
					cancel();
					return true;
				},
			});
			const client = fixture.client(options);
			await client.get(server.url('/whoami'));
			await expectCanceled(client.get(server.url('/silence'), config));
			await server.connections[0]?.closed;
			expect((await client.get(server.url('/whoami'))).status).toBe(200);
			expect(server.connections).toHaveLength(2);
		});

		test('a request that is cancelled after its response keeps it', async () => {
			const {config, cancel} = way();
			const server = await fixture.server();
			const client = fixture.client(options);
			const response = await client.get(server.url('/whoami'), config);
			cancel();
			expect(response.status).toBe(200);
			await client.get(server.url('/whoami'));
			expect(server.connections).toHaveLength(1);
		});
	});
});

test('a cancelled request is not logged', async () => {
	const told: string[] = [];
	const logger = {
		error: (_fields: object, message: string) => told.push(message),
		warn: (_fields: object, message: string) => told.push(message),
	};
	const server = await fixture.server({handler: () => true});
	const client = fixture.client({logger});
	await expectCanceled(client.get(server.url(), {signal: AbortSignal.timeout(30)}));
	expect(told).toEqual([]);
});
