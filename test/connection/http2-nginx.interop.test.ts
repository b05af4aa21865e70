import {beforeAll, describe, expect, test} from 'vitest';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {createFixture, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startApache, http2 as withHttp2} from '../support/servers/apache.ts';
import {startNginx} from '../support/servers/nginx.ts';
import {useSession, versions} from '../support/servers/session.ts';

let fixture: Fixture;
let mallory: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	mallory = await (await createTestPki()).client({commonName: 'mallory'});
});

const http2 = {httpVersion: 2} as const;

describe.for(versions)('with %s', (version) => {
	test('a login on nginx lasts for 20 requests on one HTTP/2 connection', async (ctx) => {
		const {pki} = fixture;
		const nginx = await startNginx(ctx, await pki.server(), pki.ca, version, '', 'ssl http2');
		const client = fixture.client({...http2, baseURL: nginx.origin, jar: true});

		await useSession(client, {});
		await Promise.all(Array.from({length: 20}, () => client.get('/accounts')));

		const log = await nginx.log();
		expect(log).toHaveLength(42);
		expect(new Set(log.map(({connection}) => connection)).size).toBe(1);
		expect(log.every(({request}) => request.endsWith(' HTTP/2.0'))).toBe(true);
		expect(log).toEqual(log.map((line) => ({...line, protocol: version, client: 'CN=alice'})));
	});

	test('nginx refuses a certificate with its page, over HTTP/2 too', async (ctx) => {
		const {pki} = fixture;
		const nginx = await startNginx(ctx, await pki.server(), pki.ca, version, '', 'ssl http2');
		const {cert, key} = mallory;
		const client = fixture.client({...http2, mtls: {cert, key}});

		const {failure, response} = await mtlsFailureOf(client.get(`${nginx.origin}/accounts`));

		expect(failure).toMatchObject({kind: 'client-certificate-refused', side: 'client'});
		expect(response?.status).toBe(400);
	});

	test('a login on Apache lasts for 20 requests on one HTTP/2 connection', async (ctx) => {
		const {pki} = fixture;
		const apache = await startApache(ctx, await pki.server(), pki.ca, version, withHttp2);
		const client = fixture.client({...http2, baseURL: apache.origin, jar: true});

		await useSession(client, {});

		const log = await apache.log(22);
		expect(log).toHaveLength(22);
		expect(new Set(log.map(({connection}) => connection)).size).toBe(1);
		expect(log.every(({request}) => request.endsWith(' HTTP/2.0'))).toBe(true);
	});

	test('Apache refuses the certificate of another CA, over HTTP/2 too', async (ctx) => {
		const {pki} = fixture;
		const apache = await startApache(ctx, await pki.server(), pki.ca, version, withHttp2);
		const {cert, key} = mallory;
		const client = fixture.client({...http2, mtls: {cert, key}});

		const {failure} = await mtlsFailureOf(client.post(`${apache.origin}/accounts`, 'secret'));

		expect(failure).toMatchObject({
			kind: 'client-certificate-refused',
			side: 'client',
			alert: 'unknown_ca',
			certain: true,
		});
		expect(await apache.log()).toEqual([]);
	});

	// Apache has made the handshake, learns the path, and may not ask for a certificate any more.
	test('a path of Apache with a rule of its own wants HTTP/1.1, and the failure says so', async (ctx) => {
		const {pki} = fixture;
		const extra = `${withHttp2}
SSLVerifyClient none
<Location /private>
	SSLVerifyClient require
</Location>
`;
		const apache = await startApache(ctx, await pki.server(), pki.ca, version, extra);
		const client = fixture.client({...http2, baseURL: apache.origin, validateStatus: null});
		expect((await client.get('/login', {maxRedirects: 0})).status).toBe(302);

		const {failure} = await mtlsFailureOf(client.get('/private'));

		expect(failure).toMatchObject({
			kind: 'protocol-mismatch',
			side: 'both',
			phase: 'response',
			hint: 'send the request with `httpVersion: 1`',
		});
	});
});

test('nginx reads three uploads of 5 MB at a time on one connection', async (ctx) => {
	const {pki} = fixture;
	const extra = `
		client_max_body_size 20m;
		location = /length { return 200 '$content_length'; }
	`;
	const nginx = await startNginx(ctx, await pki.server(), pki.ca, 'TLSv1.3', extra, 'ssl http2');
	const client = fixture.client({...http2, baseURL: nginx.origin});

	const body = Buffer.alloc(5 * 1024 * 1024);
	const answers = await Promise.all([1, 2, 3].map(() => client.post('/length', body)));

	expect(answers.map(({data}) => data)).toEqual([body.length, body.length, body.length]);
	expect(new Set((await nginx.log()).map(({connection}) => connection)).size).toBe(1);
});
