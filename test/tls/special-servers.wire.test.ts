/*
 * Servers that need an option of node:tls which most clients never set.
 */
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {TLSSocket, TlsOptions} from 'node:tls';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, type MtlsOptions} from '../../src/index.ts';
import type {Credential} from '../../src/testing/index.ts';
import {configRefusal} from '../support/config-refusal.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startLegacy} from '../support/weak-servers.ts';

let fixture: Fixture;
let rsa: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	// The curves that a client names are also those of the certificates that it takes (RFC 8422 §5.1.1).
	rsa = await fixture.pki.server({keyType: 'rsa'});
});

interface Special {
	readonly url: string;
	/** What each connection offered that the server knows, and whether its session was resumed. */
	readonly handshakes: {readonly sigalgs: string[]; readonly resumed: boolean}[];
}

/** A server of RSA with these options. */
async function start(options: TlsOptions): Promise<Special> {
	const handshakes: Special['handshakes'] = [];
	const server = createServer({cert: rsa.cert, key: rsa.key, ...options}, (_, response) => {
		response.setHeader('connection', 'close').end('special');
	});
	server.on('secureConnection', (socket: TLSSocket) => {
		handshakes.push({sigalgs: socket.getSharedSigalgs(), resumed: socket.isSessionReused()});
	});
	server.on('tlsClientError', () => {});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
	return {url: `https://localhost:${(server.address() as AddressInfo).port}/`, handshakes};
}

// Without ECDHE a server would do with the key of its certificate.
const startCurve = (ecdhCurve: string) =>
	start({ecdhCurve, maxVersion: 'TLSv1.2', ciphers: 'ECDHE+AESGCM'});

function client(mtls: MtlsOptions = {}) {
	const made = createClient({mtls: {ca: fixture.pki.ca, ...mtls}, logger: false, proxy: false});
	onTestFinished(() => made.mtls.close());
	return made;
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a server with a Brainpool curve alone answers a client whose ecdhCurve has it', async () => {
		const {url, handshakes} = await startCurve('brainpoolP256r1');
		const {failure} = await mtlsFailureOf(client().get(url, options));
		expect(failure).toMatchObject({phase: 'handshake', side: 'both'});
		expect(handshakes).toEqual([]);

		const {data} = await client({ecdhCurve: 'prime256v1:brainpoolP256r1'}).get(url, options);
		expect(data).toBe('special');
		expect(handshakes).toHaveLength(1);
	});

	test('a server is offered the signature algorithms of sigalgs, and no other', async () => {
		const {url, handshakes} = await start({});
		await client({sigalgs: 'RSA-PSS+SHA384:ECDSA+SHA256'}).get(url, options);
		await client().get(url, options);
		expect(handshakes[0]?.sigalgs.sort()).toEqual(['ECDSA+SHA256', 'RSA-PSS+SHA384']);
		expect(handshakes[1]?.sigalgs.length).toBeGreaterThan(2);
	});

	test('a server that signs with another algorithm is not reached', async () => {
		const {url, handshakes} = await start({sigalgs: 'RSA-PSS+SHA512'});
		const {failure} = await mtlsFailureOf(client({sigalgs: 'RSA-PSS+SHA256'}).get(url, options));
		expect(failure).toMatchObject({phase: 'handshake', side: 'both'});
		expect(handshakes).toEqual([]);
		const {data} = await client({sigalgs: 'RSA-PSS+SHA256:RSA-PSS+SHA512'}).get(url, options);
		expect(data).toBe('special');
	});

	test('a server of TLS 1.0 alone needs both the version and the security level', async () => {
		const {url, handshakes} = await start({
			minVersion: 'TLSv1',
			maxVersion: 'TLSv1',
			ciphers: 'DEFAULT@SECLEVEL=0',
		});
		const [minVersion, ciphers] = ['TLSv1', 'DEFAULT@SECLEVEL=0'] as const;
		for (const half of [{}, {minVersion, ciphers: 'DEFAULT@SECLEVEL=1'}, {ciphers}]) {
			const {failure} = await mtlsFailureOf(client(half).get(url, options));
			expect(failure).toMatchObject({kind: 'protocol-mismatch', side: 'both'});
		}
		expect(handshakes).toEqual([]);
		expect((await client({minVersion, ciphers}).get(url, options)).data).toBe('special');
	});

	test('a server before RFC 5746 gets past its hello with secureOptions', async () => {
		const {port} = await startLegacy();
		const url = `https://localhost:${port}/`;
		const kindOf = async (mtls: MtlsOptions) =>
			(await mtlsFailureOf(client(mtls).get(url, options))).failure.kind;
		expect(await kindOf({})).toBe('legacy-renegotiation');
		expect(await kindOf({secureOptions: 0})).toBe('legacy-renegotiation');
		// It goes on to wait for the certificate, which this server does not send.
		expect(await kindOf({secureOptions: 4})).toBe('reset');
	});
});

test('clients with different options of TLS share no session', async () => {
	const {url, handshakes} = await start({maxVersion: 'TLSv1.2'});
	const first = client();
	await first.get(url);
	await first.get(url);
	for (const mtls of [
		{ecdhCurve: 'prime256v1'},
		{sigalgs: 'RSA-PSS+SHA256'},
		{secureOptions: 4},
	] satisfies MtlsOptions[]) {
		await client(mtls).get(url);
	}
	expect(handshakes.map(({resumed}) => resumed)).toEqual([false, true, false, false, false]);
});

test('each identity of a list has its own options of TLS', async () => {
	const [brainpool, nist] = [await startCurve('brainpoolP256r1'), await startCurve('prime256v1')];
	const {ca} = fixture.pki;
	const [first, second] = [new URL(brainpool.url).origin, new URL(nist.url).origin];
	const made = createClient({
		mtls: [
			{ca, origins: [first], ecdhCurve: 'brainpoolP256r1', maxVersion: 'TLSv1.2'},
			{ca, origins: [second], ecdhCurve: 'prime256v1'},
		],
		logger: false,
		proxy: false,
	});
	onTestFinished(() => made.mtls.close());
	expect((await made.get(brainpool.url)).data).toBe('special');
	expect((await made.get(nist.url)).data).toBe('special');
	const crossed = createClient({
		mtls: [
			{ca, origins: [first], ecdhCurve: 'prime256v1'},
			{ca, origins: [second], ecdhCurve: 'brainpoolP256r1', maxVersion: 'TLSv1.2'},
		],
		logger: false,
		proxy: false,
	});
	onTestFinished(() => crossed.mtls.close());
	await mtlsFailureOf(crossed.get(brainpool.url));
	await mtlsFailureOf(crossed.get(nist.url));
});

describe('a value that cannot be used', () => {
	test.each<[string, unknown, RegExp]>([
		['ecdhCurve', 'MARK-curve', /expected OpenSSL's names of curves with colons between/],
		['ecdhCurve', 'prime256v1:MARK', /expected OpenSSL's names of curves/],
		['ecdhCurve', 7, /expected a string that is not empty, found number/],
		['ecdhCurve', '', /expected a string that is not empty, found an empty string/],
		['sigalgs', 'MARK-algorithm', /expected OpenSSL's names of signature algorithms/],
		['sigalgs', ['RSA+SHA256'], /expected a string that is not empty, found an array/],
		['ciphers', 'MARK-cipher', /expected OpenSSL's names of ciphers/],
		['secureOptions', 'SSL_OP_ALL', /expected a number: bits of crypto\.constants\.SSL_OP_\*/],
		['secureOptions', -1, /expected a number/],
		['secureOptions', 1.5, /expected a number/],
		['secureOptions', Number.NaN, /expected a number/],
	])('a wrong %s (%s) is refused for that option, and not repeated', (name, value, message) => {
		for (const [mtls, option] of [
			[{[name]: value}, `mtls.${name}`],
			[{cert: fixture.alice.cert, key: fixture.alice.key, [name]: value}, `mtls.${name}`],
			[{proxy: {[name]: value}}, `mtls.proxy.${name}`],
		] as const) {
			const error = configRefusal(mtls, ['MARK', fixture.alice.key]);
			expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option});
			expect(error.message).toMatch(message);
		}
	});
});
