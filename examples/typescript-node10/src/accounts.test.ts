import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {isAxiosError} from 'axios';
import {createTestPki, type MtlsServer, startMtlsServer, type TestPki} from 'axios-mtls/testing';
import {createBank, explain, logIn, readAccounts} from './accounts';

let pki: TestPki;
let server: MtlsServer;
let impostor: MtlsServer;
before(async () => {
	pki = await createTestPki();
	server = await startMtlsServer({pki});
	impostor = await startMtlsServer();
});
after(() => Promise.all([server.close(), impostor.close()]));

test('the accounts are read with certificate and cookie', async () => {
	const {cert, key} = await pki.client({commonName: 'alice'});
	const bank = createBank({baseURL: server.origin, mtls: {cert, key, ca: pki.ca}});

	await logIn(bank, 'alice', 'wonderland');
	const accounts = await readAccounts(bank);

	assert.deepEqual(accounts[0], {id: 'checking', balance: 1200});
	assert.equal(server.connections.at(-1)?.clientCertificate?.subject, 'alice');
});

test('a server of another CA gets no request', async () => {
	const {cert, key} = await pki.client();
	const bank = createBank({
		baseURL: impostor.origin,
		mtls: {cert, key, ca: pki.ca},
		logger: false,
	});

	await assert.rejects(readAccounts(bank), (error) => {
		assert.ok(isAxiosError(error));
		assert.match(explain(error), /^untrusted-issuer: .*leads to no CA that is trusted/s);
		return true;
	});
	assert.equal(impostor.requests.length, 0);
});

test('a client without a certificate is refused', async () => {
	const bank = createBank({baseURL: server.origin, mtls: {ca: pki.ca}, logger: false});

	await assert.rejects(readAccounts(bank), (error) => {
		assert.match(explain(error), /^client-certificate-required: .*wants a client certificate/s);
		return true;
	});
});
