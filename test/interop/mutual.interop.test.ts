/*
 * `requireClientAuth` against servers of other makes, which ask in their own ways.
 */
import {beforeAll, expect, test} from 'vitest';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startApache} from '../support/servers/apache.ts';
import {startNginx} from '../support/servers/nginx.ts';
import {type LoggingServer, versions} from '../support/servers/session.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const cases = versions.flatMap((version) =>
	exchanges.map(([exchange, config]) => ({version, exchange, config})),
);

async function expectAsked(server: LoggingServer, path: string, config: object): Promise<void> {
	const client = fixture.client({mtls: {requireClientAuth: true}});
	for (let i = 0; i < 2; i++) {
		const answer = await client.get(server.origin + path, {...config, validateStatus: () => true});
		expect(answer.tls).toMatchObject({clientCertificateRequested: true, authorized: true});
	}
	expect((await server.log(2)).map(({client: shown}) => shown)).toEqual(['CN=alice', 'CN=alice']);
}

async function expectNotAsked(server: LoggingServer, path: string, config: object): Promise<void> {
	const client = fixture.client({mtls: {requireClientAuth: true}});
	const {failure} = await mtlsFailureOf(client.post(server.origin + path, 'the body', config));
	expect(failure).toMatchObject({
		kind: 'client-auth-not-requested',
		side: 'server',
		phase: 'verify',
		clientCertificateRequested: false,
	});
	expect(await server.log()).toEqual([]);
}

test.for(cases)(
	'an nginx that requests a certificate gets it with $version and $exchange',
	async ({version, config}, ctx) => {
		const {pki} = fixture;
		for (const keyType of ['ec', 'rsa'] as const) {
			const own = await pki.server({keyType});
			await expectAsked(await startNginx(ctx, own, pki.ca, version), '/accounts', config);
		}
	},
);

test.for(cases)(
	'an Apache that requests a certificate gets it with $version and $exchange',
	async ({version, config}, ctx) => {
		const {pki} = fixture;
		const own = await pki.server();
		await expectAsked(await startApache(ctx, own, pki.ca, version), '/accounts', config);
		const optional = await startApache(ctx, own, pki.ca, version, 'SSLVerifyClient optional');
		await expectAsked(optional, '/accounts', config);
	},
);

test.for(cases)(
	'an Apache that requests no certificate, or for one path alone, gets no request with $version and $exchange',
	async ({version, config}, ctx) => {
		const {pki} = fixture;
		const own = await pki.server();
		for (const extra of [
			'SSLVerifyClient none',
			'SSLVerifyClient none\n<Location /ca.crt>\n\tSSLVerifyClient require\n</Location>',
		]) {
			const apache = await startApache(ctx, own, pki.ca, version, extra);
			await expectNotAsked(apache, '/ca.crt', config);
		}
	},
);
