import {beforeAll, describe, expect, test} from 'vitest';
import type {CertificateOptions} from '../../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
} from '../../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const handler = pages({'/': (_, response) => response.end('welcome')});

/** A server whose certificate is for `names`. */
async function serverFor(names: CertificateOptions['names'], host = '127.0.0.1') {
	const credential = await fixture.pki.server({...(names && {names})});
	return fixture.server({credential, host, handler});
}

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['a name', ['localhost'], '127.0.0.1', 'localhost', 'localhost'],
		['an IPv4 address', ['127.0.0.1'], '127.0.0.1', '127.0.0.1', false],
		['an IPv6 address', ['::1'], '::1', '[::1]', false],
		['another spelling of it', ['::1'], '::1', '[0:0:0:0:0:0:0:1]', false],
		['a name in capitals', ['localhost'], '127.0.0.1', 'LOCALHOST', 'localhost'],
	])('the name %s of the certificate is accepted, and SNI names no address', async (...row) => {
		const [, names, host, inUrl, sni] = row;
		const server = await serverFor(names, host);
		const {data} = await fixture.client(options).get(`https://${inUrl}:${server.port}/`);
		expect(data).toBe('welcome');
		expect(server.connections).toMatchObject([{secure: true, authorized: true, servername: sni}]);
	});

	test.each([
		['a name', ['bank.test'], '127.0.0.1', 'localhost', 'localhost'],
		['a name under one of the certificate', ['*.localhost'], '127.0.0.1', 'localhost', 'localhost'],
		['an IPv4 address', ['localhost', '::1'], '127.0.0.1', '127.0.0.1', '127.0.0.1'],
		['an IPv6 address', ['localhost', '127.0.0.1'], '::1', '[::1]', '::1'],
	])('the name %s that is not in the certificate is wrong-name', async (...row) => {
		const [, names, host, inUrl, verified] = row;
		const server = await serverFor(names, host);
		const error = await mtlsFailureOf(
			fixture.client(options).post(`https://${inUrl}:${server.port}/`, 'the body'),
		);
		expect(error).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
		expect(error.failure).toMatchObject({
			kind: 'wrong-name',
			side: 'server',
			phase: 'verify',
			certain: true,
			host: verified,
			servername: verified,
			url: `https://${inUrl}:${server.port}/`,
		});
		expect(error.message).toContain(`is not for '${verified}' but for`);
		await allClosed(server);
		expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
		expect(server.requests).toEqual([]);
	});

	test('a Host header changes neither SNI nor the name that is verified', async () => {
		const [bank, other] = await Promise.all([serverFor(['localhost']), serverFor(['bank.test'])]);
		const client = fixture.client({...options, headers: {Host: 'bank.test'}});

		// The name in the header is in no certificate: the URL's is what counts.
		await client.get(bank.url());
		expect(bank.connections).toMatchObject([{secure: true, servername: 'localhost'}]);
		expect(bank.requests).toMatchObject([{headers: {host: 'bank.test'}}]);

		const {failure} = await mtlsFailureOf(client.get(other.url()));
		expect(failure).toMatchObject({kind: 'wrong-name', servername: 'localhost'});
		expect(other.requests).toEqual([]);
	});

	test('`servername` changes both, and nothing of the request', async () => {
		const [bank, other] = await Promise.all([serverFor(['bank.test']), serverFor(['localhost'])]);
		const client = fixture.client({...options, mtls: {servername: 'bank.test'}});

		await client.get(bank.url());
		expect(bank.connections).toMatchObject([{secure: true, servername: 'bank.test'}]);
		expect(bank.requests).toMatchObject([{headers: {host: `localhost:${bank.port}`}}]);

		const {failure} = await mtlsFailureOf(client.get(other.url()));
		expect(failure).toMatchObject({
			kind: 'wrong-name',
			host: 'localhost',
			servername: 'bank.test',
			peer: {altNames: ['DNS:localhost']},
		});
		expect(other.requests).toEqual([]);
	});

	test('`servername` may be an address, which is verified and not sent as SNI', async () => {
		const server = await serverFor(['10.1.2.3']);
		await fixture.client({...options, mtls: {servername: '10.1.2.3'}}).get(server.url());
		expect(server.connections).toMatchObject([{secure: true, servername: false}]);
	});
});

// Only axios's own exchange takes `lookup`, and no resolver of ours knows a name with a dot.
test('a trailing dot in the URL is left out of SNI and of the name that is verified', async () => {
	const lookup = () => ['127.0.0.1', 4] as [string, 4];
	const [bank, other] = await Promise.all([serverFor(['bank.test']), serverFor(['other.test'])]);
	const client = fixture.client({lookup: async () => lookup()});

	await client.get(`https://bank.test.:${bank.port}/`);
	expect(bank.connections).toMatchObject([{secure: true, servername: 'bank.test'}]);

	const {failure} = await mtlsFailureOf(client.get(`https://bank.test.:${other.port}/`));
	expect(failure).toMatchObject({kind: 'wrong-name', servername: 'bank.test'});
	expect(other.requests).toEqual([]);
});
