import 'reflect-metadata';
import type {INestApplication} from '@nestjs/common';
import {Test} from '@nestjs/testing';
import type {MtlsOptions} from 'axios-mtls';
import {createTestPki, type MtlsServer, startMtlsServer, type TestPki} from 'axios-mtls/testing';
import {BankModule} from '../src/bank.module';

let pki: TestPki;
let server: MtlsServer;
let impostor: MtlsServer;
beforeAll(async () => {
	pki = await createTestPki();
	server = await startMtlsServer({pki});
	impostor = await startMtlsServer();
});
afterAll(() => Promise.all([server.close(), impostor.close()]));

const logger = {log: jest.fn(), warn: jest.fn(), error: jest.fn()};
let app: INestApplication | undefined;
afterEach(async () => {
	await app?.close();
	jest.clearAllMocks();
});

/** The app, with a bank at `baseURL`; gives its address. */
async function start(baseURL: string, mtls: MtlsOptions): Promise<string> {
	const imports = [BankModule.register({baseURL, mtls})];
	const module = await Test.createTestingModule({imports}).compile();
	app = module.createNestApplication({logger});
	await app.listen(0, '127.0.0.1');
	return app.getUrl();
}

test('the app answers with what the bank says', async () => {
	const {cert, key} = await pki.client({commonName: 'our-app'});
	const url = await start(server.origin, {cert, key, ca: pki.ca});

	const response = await fetch(`${url}/whoami`);

	expect(response.status).toBe(200);
	expect(await response.json()).toEqual({client: 'our-app'});
});

test('the filter catches a bank of another CA, which gets no request', async () => {
	const {cert, key} = await pki.client();
	const url = await start(impostor.origin, {cert, key, ca: pki.ca});

	const response = await fetch(`${url}/whoami`);

	expect(response.status).toBe(502);
	expect(await response.json()).toEqual({reason: 'untrusted-issuer'});
	expect(impostor.requests).toEqual([]);
	const [message] = logger.error.mock.lastCall ?? [];
	expect(message).toMatch(/leads to no CA that is trusted/);
});

test('the filter catches the refusal of an app without a certificate', async () => {
	const url = await start(server.origin, {ca: pki.ca});

	const response = await fetch(`${url}/whoami`);

	expect(response.status).toBe(502);
	expect(await response.json()).toEqual({reason: 'client-certificate-required'});
});
