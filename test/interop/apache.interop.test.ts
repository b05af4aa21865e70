import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startApache} from '../support/servers/apache.ts';
import {expectOneHandshake, useSession, versions} from '../support/servers/session.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

// OpenSSL's own words on the server's side: with TLS 1.3 the refusal comes after our handshake.
const refusals = {
	'TLSv1.2': {required: 'handshake_failure', refused: 'unknown_ca', phase: 'handshake'},
	'TLSv1.3': {required: 'certificate_required', refused: 'unknown_ca', phase: 'response'},
};

for (const version of versions) {
	test.for(exchanges)(
		`a login on Apache lasts for 20 requests on one ${version} handshake, with %s`,
		async ([, config], ctx) => {
			const {pki} = fixture;
			const apache = await startApache(ctx, await pki.server(), pki.ca, version);
			const client = fixture.client({baseURL: apache.origin, jar: true});

			await useSession(client, config);

			expectOneHandshake(await apache.log(22), version, 'CN=alice');
		},
	);

	test(`Apache's alert for a missing or an unknown certificate is a typed failure with ${version}`, async (ctx) => {
		const {pki} = fixture;
		const apache = await startApache(ctx, await pki.server(), pki.ca, version);
		const {cert, key} = await (await createTestPki()).client({commonName: 'mallory'});
		const {required, refused, phase} = refusals[version];
		const told: object[] = [];
		const logger = {warn() {}, error: (fields: object) => told.push(fields)};
		const kinds = {
			'client-certificate-required': {own: {}, alert: required},
			'client-certificate-refused': {own: {cert, key}, alert: refused},
		};

		for (const [kind, {own, alert}] of Object.entries(kinds)) {
			const client = createClient({mtls: {ca: pki.ca, ...own}, logger, proxy: false});
			onTestFinished(() => client.mtls.close());
			const {failure} = await mtlsFailureOf(client.post(`${apache.origin}/login`, {user: 'alice'}));

			const facts = {kind, alert, phase, side: 'client', certain: true, protocol: version};
			expect(failure).toMatchObject({...facts, clientCertificateRequested: true});
			expect(told.pop()).toMatchObject({event: 'connection_failed', ...facts});
			expect(told).toEqual([]);
		}
		expect(await apache.log()).toEqual([]);
	});
}

test('an Apache with the certificate of another CA is sent no request', async (ctx) => {
	const impostor = await (await createTestPki()).server();
	const apache = await startApache(ctx, impostor, fixture.pki.ca, 'TLSv1.3');

	const {failure} = await mtlsFailureOf(fixture.client().get(`${apache.origin}/accounts`));

	expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server', phase: 'verify'});
	expect(await apache.log()).toEqual([]);
});
