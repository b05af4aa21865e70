import {beforeAll, expect, test} from 'vitest';
import {createTestPki} from '../../src/testing/index.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startNginx} from '../support/servers/nginx.ts';
import {expectOneHandshake, useSession, versions} from '../support/servers/session.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

for (const version of versions) {
	test.for(exchanges)(
		`a login on nginx lasts for 20 requests on one ${version} handshake, with %s`,
		async ([, config], ctx) => {
			const {pki} = fixture;
			const nginx = await startNginx(ctx, await pki.server(), pki.ca, version);
			const client = fixture.client({baseURL: nginx.origin, jar: true});

			await useSession(client, config);

			expectOneHandshake(await nginx.log(), version, 'CN=alice');
		},
	);
}

test('an nginx with the certificate of another CA is sent no request', async (ctx) => {
	const impostor = await (await createTestPki()).server();
	const nginx = await startNginx(ctx, impostor, fixture.pki.ca, 'TLSv1.3');

	const {failure} = await mtlsFailureOf(fixture.client().get(`${nginx.origin}/accounts`));

	expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server', phase: 'verify'});
	expect(await nginx.log()).toEqual([]);
});
