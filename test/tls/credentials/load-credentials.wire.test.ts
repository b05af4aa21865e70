import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {Agent, get} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, type MtlsClient, type MtlsOptions} from '../../../src/index.ts';
import {createTestPki, type MtlsServer, startMtlsServer} from '../../../src/testing/index.ts';
import {startCertificateRelay} from '../../support/certificate-relay.ts';
import {makeCorpus, mtlsOf} from '../../support/credential-forms.ts';
import {mtlsFailureOf} from '../../support/fixture.ts';
import {sample} from '../../support/iterations.ts';
import {pfxOf} from '../../support/pfx-writer.ts';

const {forms, pki, intermediate} = await makeCorpus();

let server: MtlsServer;
let lenient: MtlsServer;
beforeAll(async () => {
	[server, lenient] = await Promise.all([
		startMtlsServer({pki}),
		// Also believes who shows no intermediate.
		startMtlsServer({pki, clientCa: [pki.ca, intermediate.cert]}),
	]);
});
afterAll(() => Promise.all([server.close(), lenient.close()]));

function clientOf(mtls: MtlsOptions): MtlsClient {
	const client = createClient({mtls, proxy: false, logger: false});
	onTestFinished(() => client.mtls.close());
	return client;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', (maxVersion) => {
	test.each(sample(forms).map((form) => [form.name, form] as const))(
		'the server sees the certificate of %s',
		async (_, form) => {
			const {passphrase, hasChain, fingerprint256} = form;
			const {data} = await clientOf({
				...mtlsOf(form),
				...(passphrase !== undefined && {passphrase}),
				ca: pki.ca,
				maxVersion,
			}).get((hasChain ? server : lenient).url('/whoami'));
			expect(data).toMatchObject({
				fingerprint256,
				issuer: 'Test Intermediate CA',
				protocol: maxVersion,
			});
		},
	);
});

test('the chain is sent leaf first, each certificate followed by its issuer, without unrelated ones', async () => {
	const inner = await intermediate.intermediate({commonName: 'Inner CA'});
	const alice = await inner.client({commonName: 'alice'});
	const stranger = await (await createTestPki()).client();
	const [leaf = '', innerCa = '', outerCa = ''] = alice.cert.match(/-----BEGIN.*?END.*?\n/gs) ?? [];
	const expected = [leaf, innerCa, outerCa].map((pem) => new X509Certificate(pem).raw);

	for (const order of [
		[leaf, innerCa, outerCa],
		[outerCa, stranger.leaf, innerCa, leaf],
		[innerCa, leaf, leaf, outerCa, stranger.leaf],
	]) {
		const cert = order.join('');
		for (const mtls of [{cert, key: alice.key}, {pfx: pfxOf(cert, alice.key)}]) {
			const relay = await startCertificateRelay(server.port);
			const client = clientOf({...mtls, ca: pki.ca, maxVersion: 'TLSv1.2'});
			await client.get(`${relay.origin}/whoami`);
			expect(relay.certificates()).toEqual(expected);
		}
	}
});

// Seen: `https.request({pfx})` believes a server that the CA in the PFX has signed.
// Why: OpenSSL's PKCS12_parse gives Node the CA certificates, and Node adds them to those it trusts.
// Now: the PFX is taken apart here, and what is in it is who we are, not whom we believe.
describe('the CA in a PFX', () => {
	const alice = pki.client({commonName: 'alice'});
	const withCa = async () => pfxOf((await alice).cert + pki.ca, (await alice).key);

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'the CA in a PFX is not trusted for a server, with %s',
		async (max) => {
			const pfx = await withCa();
			const requests = server.requests.length;
			const {failure} = await mtlsFailureOf(
				clientOf({pfx, maxVersion: max}).get(server.url('/whoami')),
			);
			expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server', phase: 'verify'});
			expect(server.requests).toHaveLength(requests);
		},
	);

	test('the CA in a PFX is not trusted beside another `ca` either', async () => {
		const {ca} = await createTestPki();
		const client = clientOf({pfx: await withCa(), ca});
		const {failure} = await mtlsFailureOf(client.get(server.url('/whoami')));
		expect(failure).toMatchObject({side: 'server', phase: 'verify'});
	});

	test('the CA in a PFX is trusted where Node itself is given the file, so that the test shows something', async () => {
		const agent = new Agent({pfx: await withCa(), passphrase: ''});
		onTestFinished(() => agent.destroy());
		const [response] = await once(get(server.url('/whoami'), {agent}), 'response');
		response.resume();
		expect(response.statusCode).toBe(200);
	});

	test('the CA in a PFX is trusted where `ca` names it', async () => {
		const client = clientOf({pfx: await withCa(), ca: pki.ca});
		const {data} = await client.get(server.url('/whoami'));
		expect(data).toMatchObject({client: 'alice'});
	});
});

test('a directory of certificates is trusted as `ca`', async () => {
	const directory = mkdtempSync(join(tmpdir(), 'axios-mtls-store-'));
	onTestFinished(() => rmSync(directory, {recursive: true}));
	const {cert, key} = await pki.client({commonName: 'alice'});
	writeFileSync(join(directory, 'other.pem'), (await createTestPki()).ca);
	writeFileSync(join(directory, 'ours.der'), new X509Certificate(pki.ca).raw);
	const client = clientOf({cert, key, ca: directory});
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
});
