import {beforeAll, describe, expect, test} from 'vitest';
import {createClient, isMtlsError, type MtlsClient, type MtlsError} from '../../src/index.ts';
import {
	type Credential,
	createTestPki,
	type RequestHandler,
	startMtlsServer,
	type TestPki,
} from '../../src/testing/index.ts';
import {exchanges} from '../support/fixture.ts';
import {versions} from '../support/handshake-table.ts';
import {iterations, sample} from '../support/iterations.ts';
import {hasOpenssl, startOpensslServer} from '../support/openssl-server.ts';

let pki: TestPki;
let credential: Credential;
let clients: Record<'good' | 'none' | 'stranger' | 'expired' | 'no client', Credential | undefined>;
beforeAll(async () => {
	const other = await createTestPki();
	pki = await createTestPki();
	credential = await pki.server();
	clients = {
		good: await pki.client(),
		none: undefined,
		stranger: await other.client(),
		expired: await pki.client({expired: true}),
		'no client': await pki.client({purposes: ['serverAuth']}),
	};
});

function clientAs(name: keyof typeof clients, options = {}): MtlsClient {
	const own = clients[name];
	return createClient({
		...options,
		mtls: {
			ca: pki.ca,
			...(own && {cert: own.cert, key: own.key}),
			allowExpired: true,
			allowAnyPurpose: true,
		},
		logger: false,
	});
}

const requests = {
	'a small GET': {method: 'get'},
	'a POST of 2 MB': {method: 'post', data: Buffer.alloc(2_000_000, 'x')},
} as const;
type RequestName = keyof typeof requests;

async function failureOf(client: MtlsClient, url: string, name: RequestName): Promise<MtlsError> {
	const error: unknown = await client.request({url, ...requests[name]}).catch((e) => e);
	if (!isMtlsError(error)) throw error;
	return error;
}

const cells = exchanges.flatMap(([exchange, options]) =>
	versions.flatMap((version) =>
		(Object.keys(requests) as RequestName[]).map((request) => ({
			exchange,
			options,
			version,
			request,
		})),
	),
);

describe('a Node server, which hangs up', () => {
	const runs = iterations({usual: 20, short: 5, long: 120});
	const rows = cells.flatMap((cell) => [
		{...cell, identity: 'none', kind: 'client-certificate-required'} as const,
		{...cell, identity: 'stranger', kind: 'client-certificate-refused'} as const,
	]);

	test.each(sample(rows))(
		`a Node server refuses identity $identity with $kind in each of ${runs} runs: $exchange, $version, $request`,
		async ({options, version, request, identity, kind}) => {
			const limits = {minVersion: version, maxVersion: version};
			await using server = await startMtlsServer({pki, credential, ...limits});
			const client = clientAs(identity, options);
			const url = server.url('/echo');

			const errors = await Promise.all(
				Array.from({length: runs}, () => failureOf(client, url, request)),
			);
			await client.mtls.close();

			for (const {failure, code} of errors) {
				expect(failure).toMatchObject({
					kind,
					side: 'client',
					phase: version === 'TLSv1.2' ? 'handshake' : 'response',
					protocol: version,
					clientCertificateRequested: true,
					peer: {subject: 'CN=localhost'},
				});
				// A reset that wins over the alert leaves a doubt.
				expect(failure.certain).toBe(failure.alert !== undefined);
				if (!failure.certain) expect(code).toMatch(/^(ECONNRESET|EPIPE)$/);
			}
			expect(server.connections).toHaveLength(runs);
			await Promise.all(server.connections.map(({closed}) => closed));
			expect(server.connections.filter(({authorized}) => authorized)).toEqual([]);
			expect(server.requests).toEqual([]);
		},
	);
});

describe.skipIf(!hasOpenssl)('openssl s_server, which sends alerts', () => {
	const required = {'TLSv1.2': 'handshake_failure', 'TLSv1.3': 'certificate_required'};
	const rows = cells.flatMap((cell) => [
		{...cell, identity: 'none', alert: required[cell.version], says: /peer did not return/},
		{...cell, identity: 'stranger', alert: 'unknown_ca', says: /unable to get local/},
		{...cell, identity: 'expired', alert: 'certificate_expired', says: /has expired/},
		{
			...cell,
			identity: 'no client',
			alert: 'unsupported_certificate',
			says: /(unsupported|unsuitable) certificate purpose/,
		},
	]);

	test.each(sample(rows))(
		'openssl s_server refuses identity $identity with $alert: $exchange, $version, $request',
		async ({options, version, request, identity, alert, says}) => {
			const runs = iterations({usual: 2, short: 1, long: 10});
			await using server = await startOpensslServer(pki, credential, version);
			const client = clientAs(identity as keyof typeof clients, options);

			for (let run = 0; run < runs; run++) {
				const {failure, code} = await failureOf(
					client,
					`https://localhost:${server.port}/`,
					request,
				);
				const kind = identity === 'none' ? 'required' : 'refused';
				expect(failure).toMatchObject({
					kind: `client-certificate-${kind}`,
					side: 'client',
					phase: version === 'TLSv1.2' ? 'handshake' : 'response',
					protocol: version,
					clientCertificateRequested: true,
				});
				// A large upload may be cut off by a reset that overtakes the alert.
				if (!failure.certain) expect([code, request]).toEqual(['ECONNRESET', 'a POST of 2 MB']);
				else expect(failure).toMatchObject({alert, certain: true});
			}
			await client.mtls.close();
			await server.said(says, runs);
		},
	);

	test('openssl s_server accepts a good certificate', async () => {
		for (const version of versions) {
			await using server = await startOpensslServer(pki, credential, version);
			const client = clientAs('good');
			const response = await client.get(`https://localhost:${server.port}/`);
			await client.mtls.close();
			expect(response.tls).toMatchObject({protocol: version, clientCertificateRequested: true});
			expect(response.data).toContain('s_server');
		}
	});
});

describe('a server that hangs up on the request', () => {
	const hangUp: RequestHandler = (request) => {
		request.socket.destroy();
		return true;
	};
	test.each(sample(cells))(
		'a server that hangs up after it requested the certificate has most likely refused it: $exchange, $version, $request',
		async ({options, version, request}) => {
			await using server = await startMtlsServer({
				pki,
				credential,
				clientAuth: 'request',
				minVersion: version,
				maxVersion: version,
				handler: hangUp,
			});
			const client = clientAs('good', options);
			const {failure, code} = await failureOf(client, server.url('/echo'), request);
			await client.mtls.close();

			expect(code).toMatch(/^(ECONNRESET|EPIPE)$/);
			expect(failure).toMatchObject({
				kind: 'client-certificate-refused',
				side: 'client',
				phase: 'response',
				certain: false,
				identity: {subject: 'CN=client'},
			});
			expect(failure.reasons.at(-1)).toBe('the server failed for a reason of its own');
			expect(server.connections).toMatchObject([{secure: true, authorized: true}]);
		},
	);

	test.each(sample(cells))(
		'a server that hangs up without having requested a certificate is a plain AxiosError: $exchange, $version, $request',
		async ({options, version, request}) => {
			await using server = await startMtlsServer({
				pki,
				credential,
				clientAuth: 'none',
				minVersion: version,
				maxVersion: version,
				handler: hangUp,
			});
			const client = clientAs('good', options);
			const error = await client
				.request({url: server.url('/echo'), ...requests[request]})
				.catch((e) => e);
			await client.mtls.close();

			expect(isMtlsError(error)).toBe(false);
			expect(error).toMatchObject({
				isAxiosError: true,
				code: expect.stringMatching(/ECONNRESET|EPIPE/),
			});
			expect(server.connections).toMatchObject([{secure: true}]);
		},
	);

	test.each(exchanges)(
		'a server that hangs up on a connection that has served before is a plain AxiosError, by %s',
		async (_, options) => {
			let served = 0;
			await using server = await startMtlsServer({
				pki,
				credential,
				handler(request, response) {
					served++;
					if (served === 1) response.end('welcome');
					else request.socket.destroy();
					return true;
				},
			});
			const client = clientAs('good', options);
			await client.get(server.url());
			const error = await client.post(server.url(), 'x').catch((e) => e);
			await client.mtls.close();

			expect(isMtlsError(error)).toBe(false);
			expect(error).toMatchObject({isAxiosError: true, code: 'ECONNRESET'});
			expect(server.connections).toHaveLength(1);
			expect(server.requests).toHaveLength(2);
		},
	);
});

// OpenSSL 3.5 offers ML-DSA, which Node names `id-ml-dsa-65+UNDEF`.
test('the signature algorithms that a server asked for have the names of schemes', async () => {
	await using server = await startMtlsServer({pki, credential});
	const {failure} = await failureOf(clientAs('none'), server.url('/'), 'a small GET');
	const names = failure.requested?.signatureAlgorithms ?? [];
	expect(names).toContain('ECDSA+SHA256');
	expect(
		names.filter((name) => !/^(RSA|RSA-PSS|ECDSA|DSA)\+SHA\d+$|^Ed\d+$|^mldsa\d+$/.test(name)),
	).toEqual([]);
});
