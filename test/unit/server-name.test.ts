import {X509Certificate} from 'node:crypto';
import {checkServerIdentity, type PeerCertificate} from 'node:tls';
import {beforeAll, expect, test} from 'vitest';
import {createTestPki, type TestPki} from '../../src/testing/index.ts';
import {checkServerName} from '../../src/tls/server-name.ts';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

async function certificateFor(names: string[], commonName = 'x'): Promise<PeerCertificate> {
	const {leaf} = await pki.server({names, commonName});
	return new X509Certificate(leaf).toLegacyObject();
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
])('%s is in the certificate', async (name) => {
	expect(checkServerName(name, await certificateFor(names))).toBeUndefined();
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
	const certificate = await certificateFor(names);
	const error = checkServerName(name, certificate);
	expect(error).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
	expect(error?.message).toBe(checkServerIdentity(name, certificate)?.message);
});

test.each(['::1', '127.0.0.1'])('the address %s as a name is not the address', async (address) => {
	// A common name, and a subjectAltName for names.
	expect(checkServerName(address, await certificateFor([], address))).toBeInstanceOf(Error);
	expect(checkServerName(address, await certificateFor(['a.test'], address))).toBeInstanceOf(Error);
});

// Seen: with Node 22.23 every server under an IPv6 address was 'wrong-name'.
// Why: tls.checkServerIdentity() takes the host through domainToASCII(), which is '' for an IPv6
// address (https://github.com/nodejs/node/issues/64144).
// Now: OpenSSL is asked first, so it holds whichever Node runs this.
test('an IPv6 address is found on each Node, with or without names beside it', async () => {
	for (const list of [['::1'], ['::1', 'a.test'], ['127.0.0.1', '::1']]) {
		expect(checkServerName('::1', await certificateFor(list))).toBeUndefined();
	}
});
