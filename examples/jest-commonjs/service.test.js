const {once} = require('node:events');
const {AxiosError} = require('axios');
const {MtlsConfigError} = require('axios-mtls');
const {createTestPki, startMtlsServer} = require('axios-mtls/testing');
const {createBank} = require('./bank.js');
const {createService} = require('./service.js');

let pki;
let server;
let impostor;
beforeAll(async () => {
	pki = await createTestPki();
	server = await startMtlsServer({pki, users: {alice: 'wonderland'}});
	impostor = await startMtlsServer();
});
afterAll(() => Promise.all([server.close(), impostor.close()]));

const logger = {error: jest.fn(), warn: jest.fn()};
let bank;
let service;
afterEach(async () => {
	service?.close();
	await bank?.mtls.close();
	jest.clearAllMocks();
});

/** The service, with a bank at `baseURL`; gives the address of the service. */
async function start(baseURL, mtls) {
	bank = createBank({baseURL, mtls, user: 'alice', password: 'wonderland', logger});
	service = createService(bank).listen(0, '127.0.0.1');
	await once(service, 'listening');
	return `http://127.0.0.1:${service.address().port}`;
}

test('the service answers with the accounts of the bank', async () => {
	const {cert, key} = await pki.client({commonName: 'our-service'});
	const url = await start(server.origin, {cert, key, ca: pki.ca});

	const response = await fetch(`${url}/accounts`);

	expect(response.status).toBe(200);
	expect(await response.json()).toContainEqual({id: 'checking', balance: 1200});
	expect(server.connections.at(-1).clientCertificate.subject).toBe('our-service');
});

test('the service sends nothing to a bank of another CA', async () => {
	const {cert, key} = await pki.client();
	const url = await start(impostor.origin, {cert, key, ca: pki.ca});

	const response = await fetch(`${url}/accounts`);

	expect(response.status).toBe(502);
	expect(await response.json()).toEqual({error: 'untrusted-issuer'});
	expect(impostor.requests).toEqual([]);
	// As printed by the logger: (fields, message).
	const [, message] = logger.error.mock.calls[0];
	expect(message).toMatch(/'CN=Test Root CA', which leads to no CA that is trusted/);
});

test('a bank that gets no certificate refuses the service', async () => {
	await start(server.origin, {ca: pki.ca});

	const error = await bank.get('/whoami', {session: false}).catch((thrown) => thrown);

	expect(error).toBeInstanceOf(AxiosError);
	expect(error.failure.kind).toBe('client-certificate-required');
	expect(error.message).toMatch(/wants a client certificate/);
});

test('a missing file is an error when the client is made', () => {
	const mtls = {cert: 'no-such.crt', key: 'no-such.key'};
	expect(() => createBank({baseURL: server.origin, mtls})).toThrow(MtlsConfigError);
});
