import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, isMtlsError, type MtlsOptions} from '../../../src/index.ts';
import {createTestPki, startMtlsServer, type TestPki} from '../../../src/testing/index.ts';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

async function ask(mtls: MtlsOptions, credential?: Awaited<ReturnType<TestPki['server']>>) {
	const server = await startMtlsServer({pki, ...(credential && {credential})});
	const {cert, key} = await pki.client();
	const client = createClient({mtls: {cert, key, ca: pki.ca, ...mtls}, logger: false});
	onTestFinished(async () => {
		await client.mtls.close();
		await server.close();
	});
	const answer = await client.get(server.url('/whoami')).catch((error: unknown) => error);
	return {server, answer};
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', (maxVersion) => {
	test('a server that its CA has not revoked is accepted', async () => {
		const {answer, server} = await ask({crl: await pki.crl(), maxVersion});
		expect(answer).toMatchObject({status: 200, tls: {authorized: true}});
		expect(server.requests).toHaveLength(1);
	});

	test('a server that its CA has revoked is refused, and no byte is sent', async () => {
		const credential = await pki.server();
		const crl = await pki.crl({revoked: [credential.leaf]});
		const {answer, server} = await ask({crl, maxVersion}, credential);
		if (!isMtlsError(answer)) throw answer;
		expect(answer.code).toBe('CERT_REVOKED');
		expect(answer.failure).toMatchObject({kind: 'revoked', side: 'server', phase: 'verify'});
		await server.connections[0]?.closed;
		expect(server.connections[0]).toMatchObject({plaintextBytes: 0});
	});

	test.each([
		['of another CA', async () => (await createTestPki({commonName: 'Another CA'})).crl()],
		['that should have been replaced', () => pki.crl({expired: true})],
	])('a revocation list %s leaves it unknown whether the server is revoked', async (_, makeCrl) => {
		const {answer, server} = await ask({crl: await makeCrl(), maxVersion});
		if (!isMtlsError(answer)) throw answer;
		expect(answer.code).toMatch(/^(UNABLE_TO_GET_CRL|CRL_HAS_EXPIRED)$/);
		expect(answer.failure).toMatchObject({
			kind: 'revocation-unknown',
			side: 'server',
			phase: 'verify',
		});
		await server.connections[0]?.closed;
		expect(server.connections[0]).toMatchObject({plaintextBytes: 0});
	});

	test('every CA of the chain has to have a list', async () => {
		const intermediate = await pki.intermediate();
		const credential = await intermediate.server();
		const lists = [await pki.crl(), await intermediate.crl()];
		const [one, both] = [
			await ask({crl: await pki.crl(), maxVersion}, credential),
			await ask({crl: lists, maxVersion}, credential),
		];
		expect(one.answer).toMatchObject({failure: {kind: 'revocation-unknown'}});
		expect(both.answer).toMatchObject({status: 200});
	});
});
