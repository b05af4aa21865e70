import {generateKeyPairSync} from 'node:crypto';
import {expect, test} from 'vitest';
import {ownCertificateStep, readOwnCertificate} from '../../../src/cli/check/own-certificate.ts';
import type {MtlsOptions} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {extension, tlv, toPem, writeCertificate} from '../../support/certificate-writer.ts';

function stepOf(mtls: MtlsOptions) {
	const now = new Date();
	const [step] = ownCertificateStep(readOwnCertificate(mtls, now), now);
	return step;
}

test('a check without a client certificate has no step about it', () => {
	expect(stepOf({})).toBe(undefined);
});

test('a certificate without a fault is a good step, with its issuer and its end', async () => {
	const {cert, key} = await (await createTestPki()).client();

	expect(stepOf({cert, key})).toMatchObject({
		id: 'own-certificate',
		state: 'good',
		text: expect.stringMatching(/^'client', issued by 'Test Root CA', valid until /),
	});
});

test('an expired certificate that is allowed is a bad step, and one that ends soon a doubtful one', async () => {
	const pki = await createTestPki();
	const expired = await pki.client({expired: true});
	const dayMs = 86_400_000;
	const validFrom = new Date(Date.now() - 80 * dayMs);
	const validTo = new Date(Date.now() + 5 * dayMs);
	const ending = await pki.client({validFrom, validTo});

	const step = stepOf({cert: expired.cert, key: expired.key, allowExpired: true});
	expect(step).toMatchObject({state: 'bad', text: expect.stringMatching(/^'client' .*expired/)});
	expect(stepOf({cert: ending.cert, key: ending.key})?.state).toBe('doubtful');
});

test('a certificate without clientAuth is no good step, and one without the extension is', async () => {
	const pki = await createTestPki();
	const forServers = await pki.client({purposes: ['serverAuth']});
	const forAll = await pki.client({purposes: []});

	const step = stepOf({cert: forServers.cert, key: forServers.key, allowAnyPurpose: true});
	expect(step).toMatchObject({state: 'bad', text: expect.stringMatching(/clientAuth|for clients/)});
	expect(stepOf({cert: forAll.cert, key: forAll.key})?.state).toBe('good');
});

// RFC 5280 §4.2.1.3: the first bit is digitalSignature, the third keyEncipherment.
const usages = [
	{title: 'digitalSignature alone', bits: [7, 0x80], state: 'good'},
	{title: 'both', bits: [5, 0xa0], state: 'good'},
	{title: 'keyEncipherment alone', bits: [5, 0x20], state: 'doubtful'},
] as const;

for (const critical of [true, false]) {
	test.each(usages)(
		`a keyUsage that ${critical ? 'is' : 'is not'} critical and has $title is judged by whether the key may sign`,
		({bits, state}) => {
			const {privateKey, publicKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
			const issuer = generateKeyPairSync('ec', {namedCurve: 'P-256'});
			const der = writeCertificate({
				subject: 'client',
				publicKey,
				issuer: {subject: 'Some CA', key: issuer.privateKey},
				// The certificate must not end soon.
				validity: tlv(
					0x30,
					tlv(0x17, Buffer.from('200101000000Z')),
					tlv(0x17, Buffer.from('490101000000Z')),
				),
				extensions: [extension('551d0f', tlv(0x03, Buffer.from(bits)), critical)],
			});
			const key = privateKey.export({type: 'pkcs8', format: 'pem'}).toString();

			const step = stepOf({cert: toPem(der), key});

			expect(step?.state).toBe(state);
			expect(/keyUsage|digitalSignature/.test(step?.text ?? '')).toBe(state === 'doubtful');
		},
	);
}
