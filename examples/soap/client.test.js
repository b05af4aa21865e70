import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {isMtlsError} from 'axios-mtls';
import {createTestPki, startMtlsServer} from 'axios-mtls/testing';
import {connect} from './client.js';

const wsdl = readFileSync(new URL('bank.wsdl', import.meta.url), 'utf8');

/** A SOAP server: `GET /bank?wsdl` describes it, `POST /bank` is a call. */
async function startSoapServer(pki) {
	return startMtlsServer({
		pki,
		async handler({method, headers}, response, request) {
			const address = `https://${headers.host}/bank`;
			let body = wsdl.replace('https://localhost/', address);
			if (method === 'POST') {
				await request.ended;
				const [, account] = /<account>(.*)<\/account>/.exec(request.body.toString());
				body = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
					<b:BalanceResponse xmlns:b="urn:bank"><balance>${account}00</balance></b:BalanceResponse>
				</soap:Body></soap:Envelope>`;
			}
			response.writeHead(200, {'content-type': 'text/xml'}).end(body);
			return true;
		},
	});
}

let pki;
let server;
let impostor;
before(async () => {
	pki = await createTestPki();
	server = await startSoapServer(pki);
	impostor = await startSoapServer(await createTestPki());
});
after(() => Promise.all([server.close(), impostor.close()]));

test('the WSDL and the call have the client certificate', async () => {
	const {cert, key} = await pki.client({commonName: 'alice'});
	const bank = await connect(server.url('/bank?wsdl'), {cert, key, ca: pki.ca});

	const [result] = await bank.BalanceAsync({account: '12'});

	assert.equal(result.balance, 1200);
	assert.deepEqual(
		server.requests.map(({method, url}) => `${method} ${url}`),
		['GET /bank?wsdl', 'POST /bank'],
	);
	for (const {connection} of server.requests) {
		assert.equal(connection.clientCertificate.subject, 'alice');
	}
	assert.equal(server.requests[1].headers.soapaction, '"urn:bank#Balance"');
});

test('a server of another CA gets no request', async () => {
	const {cert, key} = await pki.client();

	await assert.rejects(connect(impostor.url('/bank?wsdl'), {cert, key, ca: pki.ca}), (error) => {
		assert.ok(isMtlsError(error));
		assert.equal(error.failure.kind, 'untrusted-issuer');
		assert.match(error.message, /leads to no CA that is trusted/);
		return true;
	});
	assert.equal(impostor.requests.length, 0);
});

test('a client without a certificate is refused', async () => {
	await assert.rejects(connect(server.url('/bank?wsdl'), {ca: pki.ca}), (error) => {
		assert.equal(error.failure.kind, 'client-certificate-required');
		assert.match(error.message, /wants a client certificate/);
		return true;
	});
});
