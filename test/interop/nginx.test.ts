import {AxiosError} from 'axios';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {exchanges, makeWorld, mtlsFailureOf, type World} from '../support/world.ts';
import {startNginx} from './nginx.ts';
import {expectOneHandshake, useSession, versions} from './session.ts';

let world: World;
beforeAll(async () => {
	world = await makeWorld();
});

for (const version of versions) {
	test.for(exchanges)(
		`a login on nginx lasts for 20 requests on one ${version} handshake, with %s`,
		async ([, config], ctx) => {
			const {pki} = world;
			const nginx = await startNginx(ctx, await pki.server(), pki.ca, version);
			const client = world.client({baseURL: nginx.origin, jar: true});

			await useSession(client, config);

			expectOneHandshake(await nginx.log(), version, 'CN=alice');
		},
	);

	test(`nginx's page for a missing or a strange certificate is a told failure with ${version}`, async (ctx) => {
		const {pki} = world;
		const nginx = await startNginx(ctx, await pki.server(), pki.ca, version);
		const {cert, key} = await (await createTestPki()).client({commonName: 'mallory'});
		const url = `${nginx.origin}/accounts`;
		const told: unknown[] = [];
		const logger = {warn: tell, error: tell};
		function tell(fields: object, message: string) {
			told.push({...fields, message});
		}

		for (const own of [{}, {cert, key}]) {
			const client = createClient({mtls: {ca: pki.ca, ...own}, logger, proxy: false});
			onTestFinished(() => client.mtls.close());
			const error: unknown = await client.get(url).catch((reason) => reason);

			if (!(error instanceof AxiosError)) throw error;
			expect(error).toMatchObject({status: 400, code: 'ERR_BAD_REQUEST'});
			expect(error.response?.data).toMatch(/SSL certificate/);
			expect(error.response?.tls).toMatchObject({clientCertificateRequested: true});
		}

		const line = {event: 'request_failed', method: 'GET', url, status: 400};
		expect(told).toEqual([expect.objectContaining(line), expect.objectContaining(line)]);
		expect((await nginx.log()).map(({status, client}) => [status, client])).toEqual([
			[400, ''],
			[400, 'CN=mallory'],
		]);
	});
}

test('an nginx with the certificate of another CA is sent no request', async (ctx) => {
	const impostor = await (await createTestPki()).server();
	const nginx = await startNginx(ctx, impostor, world.pki.ca, 'TLSv1.3');

	const {failure} = await mtlsFailureOf(world.client().get(`${nginx.origin}/accounts`));

	expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server', phase: 'verify'});
	expect(await nginx.log()).toEqual([]);
});
