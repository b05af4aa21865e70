import {inspect} from 'node:util';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {CookieJar, createClient, type MtlsClient} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture} from '../support/fixture.ts';
import {createSecrets, marks, type Secrets, secretRequest} from '../support/secrets.ts';

let fixture: Fixture;
let vault: Secrets;
beforeAll(async () => {
	[fixture, vault] = await Promise.all([createFixture(), createSecrets()]);
});

/** What an app prints of a client that works: Node hangs each pending request on its socket. */
function livePrints({mtls}: MtlsClient): string {
	return [mtls.agent, mtls]
		.flatMap((value) => [
			String(value),
			JSON.stringify(value),
			inspect(value, {depth: 8}),
			inspect({value}, {depth: 8, showHidden: true}),
		])
		.join('\n');
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a client prints no secret before, while and after it makes a request', async () => {
		let answer = () => {};
		const arrived = new Promise<void>((arrive) => {
			answer = arrive;
		});
		const held: {end(text: string): unknown}[] = [];
		const server = await fixture.server({
			pki: vault.pki,
			handler(_request, response) {
				held.push(response);
				answer();
				return true;
			},
		});
		const {cert, key, passphrase = ''} = vault.client;
		const jar = new CookieJar();
		await jar.setCookie(`session=${marks.jar}; Secure; Path=/`, server.url());
		const client = createClient({
			...options,
			jar,
			proxy: false,
			mtls: {cert, key, passphrase, ca: vault.pki.ca},
			logger: false,
		});
		onTestFinished(() => client.mtls.close());

		vault.expectNone(livePrints(client));
		const request = client.request(secretRequest(server.url('/login')));
		await arrived;
		vault.expectNone(livePrints(client));
		for (const response of held) response.end('{}');
		await request;
		vault.expectNone(livePrints(client));

		expect(livePrints(client)).toContain("MtlsAgent('CN=alice', epoch 0)");
		expect(server.requests).toMatchObject([{headers: {'x-api-key': marks.apiKey}}]);
	});
});
