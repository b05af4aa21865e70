import {X509Certificate} from 'node:crypto';
import {checkServerIdentity} from 'node:tls';
import {beforeAll, expect, test} from 'vitest';
import {createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {checkServerName} from '../../../src/tls/trust/verification.ts';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

async function chainFor(names: string[], commonName = 'x'): Promise<[X509Certificate]> {
	const {leaf} = await pki.server({names, commonName});
	return [new X509Certificate(leaf)];
}

const names = ['bank.test', '*.bank.test', '127.0.0.1', '2001:db8::1'];

test.each([
	'bank.test',
	'BANK.test',
	'api.bank.test',
	'127.0.0.1',
	'2001:db8::1',
	'2001:DB8::1',
	'2001:0db8:0:0:0:0:0:1',
])('the name %s is in the certificate', async (name) => {
	expect(checkServerName(name, await chainFor(names))).toBeUndefined();
});

test.each([
	'other.test',
	'a.api.bank.test',
	'bank.test.evil.test',
	'127.0.0.2',
	'2001:db8::2',
	'::1',
	'::ffff:127.0.0.1',
	'',
])("'%s' is not, in the words of Node", async (name) => {
	const [leaf] = await chainFor(names);
	const error = checkServerName(name, [leaf]);
	const cert = leaf.toLegacyObject();
	expect(error).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID', cert});
	expect(error?.message).toBe(checkServerIdentity(name, cert)?.message);
});

test.each(['::1', '127.0.0.1'])('the address %s as a name is not the address', async (address) => {
	// A common name, and a subjectAltName for names.
	expect(checkServerName(address, await chainFor([], address))).toBeInstanceOf(Error);
	expect(checkServerName(address, await chainFor(['a.test'], address))).toBeInstanceOf(Error);
});

// Seen: with Node 22.23 every server under an IPv6 address was 'wrong-name'.
// Why: tls.checkServerIdentity() takes the host through domainToASCII(), which is '' for an IPv6
// address (https://github.com/nodejs/node/issues/64144).
// Now: OpenSSL is asked first, so it holds whichever Node runs this.
test('an IPv6 address is found on each Node, with or without names beside it', async () => {
	for (const list of [['::1'], ['::1', 'a.test'], ['127.0.0.1', '::1']]) {
		expect(checkServerName('::1', await chainFor(list))).toBeUndefined();
	}
});

test.each(['b.a.test', '*.a.test'])(
	'a common name counts where there is no DNS name: %s',
	async (name) => {
		expect(checkServerName('b.a.test', await chainFor([], name))).toBeUndefined();
		expect(checkServerName('b.a.test', await chainFor(['127.0.0.1'], name))).toBeUndefined();
		expect(checkServerName('b.a.test', await chainFor(['x.test'], name))).toBeInstanceOf(Error);
		expect(checkServerName('b.b.test', await chainFor([], name))).toBeInstanceOf(Error);
	},
);

test('no certificate has no name', () => {
	expect(checkServerName('a.test', [])).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
});
