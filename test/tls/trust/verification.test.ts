import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {connect as connectTls, createServer} from 'node:tls';
import {beforeAll, describe, expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {type PeerChain, readPeerChain} from '../../../src/tls/peer/peer-chain.ts';
import {trustedIssuers} from '../../../src/tls/trust/ca.ts';
import {loadVerification, peerName} from '../../../src/tls/trust/verification.ts';
import {pinOf} from '../../support/forged-certificate.ts';

const id = 'spiffe://example.org/billing';
const noPin = `sha256//${'A'.repeat(43)}=`;

let chain: PeerChain;
let pins: readonly string[];
beforeAll(async () => {
	const pki = await createTestPki();
	const issuer = await pki.intermediate();
	const leaf = await issuer.server({names: ['a.test'], uris: [id]});
	pins = [leaf.leaf, issuer.cert, pki.ca].map(pinOf);
	chain = await presented(leaf, pki.ca);
});

/** A chain as a server presents it. */
async function presented({cert, key}: {cert: string; key: string}, ca: string): Promise<PeerChain> {
	await using server = createServer({cert, key}, (socket) => socket.on('error', () => {}));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	const socket = connectTls({port, host: '127.0.0.1', ca, servername: 'a.test'});
	await once(socket, 'secureConnect');
	const found = readPeerChain(socket, trustedIssuers([ca]));
	socket.destroy();
	return found;
}

describe('the verdict', () => {
	type Row = [string, MtlsOptions, string, string[]];
	test.each<Row>([
		['the right name', {}, 'a.test', []],
		['another name', {}, 'b.test', ['ERR_TLS_CERT_ALTNAME_INVALID']],
		['an ID, whatever the name', {spiffeId: id}, 'b.test', []],
		['another ID', {spiffeId: `${id}2`}, 'a.test', ['ERR_MTLS_SPIFFE_MISMATCH']],
		['another pin', {pins: noPin}, 'a.test', ['ERR_MTLS_PIN_MISMATCH']],
		[
			'another name and pin',
			{pins: noPin},
			'b.test',
			['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_MTLS_PIN_MISMATCH'],
		],
		[
			'another ID and pin',
			{pins: noPin, spiffeId: `${id}2`},
			'a.test',
			['ERR_MTLS_SPIFFE_MISMATCH', 'ERR_MTLS_PIN_MISMATCH'],
		],
	])('the verification reports every error of a server with %s', (_, options, host, codes) => {
		for (const verify of ['strict', 'report'] as const) {
			const errors = loadVerification({...options, verify}).check(peerName(host, undefined), chain);
			expect(errors.map((error) => 'code' in error && error.code)).toEqual(codes);
		}
	});

	test('the verification accepts each pin of the chain', () => {
		for (const pin of pins) {
			const {check} = loadVerification({pins: [noPin, pin]});
			expect(check(peerName('a.test', undefined), chain)).toEqual([]);
		}
	});

	test("the verification is enforced unless verify is 'report'", () => {
		expect(loadVerification({})).toMatchObject({enforced: true, requireClientAuth: false});
		expect(loadVerification({verify: 'strict'}).enforced).toBe(true);
		expect(loadVerification({verify: 'report', requireClientAuth: true})).toMatchObject({
			enforced: false,
			requireClientAuth: true,
		});
		expect(Object.isFrozen(loadVerification({}))).toBe(true);
	});
});

test.each([
	['a.test', undefined, {verify: 'a.test', sni: 'a.test'}],
	['a.test.', undefined, {verify: 'a.test', sni: 'a.test'}],
	['127.0.0.1', undefined, {verify: '127.0.0.1', sni: ''}],
	['::1', undefined, {verify: '::1', sni: ''}],
	['[::1]', undefined, {verify: '::1', sni: ''}],
	['127.0.0.1', 'a.test', {verify: 'a.test', sni: 'a.test'}],
	['a.test', '127.0.0.1', {verify: '127.0.0.1', sni: ''}],
])('the name at %s with servername %s is %j', (host, servername, expected) => {
	expect(peerName(host, servername)).toEqual(expected);
});

test('a server without certificate has no verified name', () => {
	for (const [options, code] of [
		[{}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
		[{spiffeId: id}, 'ERR_MTLS_SPIFFE_MISMATCH'],
	] as const) {
		const [error] = loadVerification(options).check(peerName('a.test', undefined), []);
		expect(error).toMatchObject({code});
	}
});

// It is asked from within OpenSSL's callback: an exception there is uncaught.
test('a certificate that cannot be read is refused, and nothing is thrown', () => {
	const [leaf] = chain;
	if (leaf === undefined) throw new Error('no leaf');
	const broken = new Error('not to be read');
	const odd = Object.create(leaf, {
		subjectAltName: {
			get() {
				throw broken;
			},
		},
	});
	expect(loadVerification({}).check(peerName('a.test', undefined), [odd])).toEqual([broken]);
});
