import {constants} from 'node:crypto';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, type MtlsOptions} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {
	startLegacy,
	startSha1,
	startShortCaKey,
	startShortDh,
	startShortKey,
} from '../support/weak-servers.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function client(mtls: MtlsOptions) {
	const made = createClient({mtls, logger: false, proxy: false});
	onTestFinished(() => made.mtls.close());
	return made;
}

/** The option that a hint names. */
function ciphersOf(hint: string): string {
	return /`mtls\.ciphers: '(.+?)'`/.exec(hint)?.[1] ?? '';
}

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['a key of 1024 bits', startShortKey, 'verify', 'key', 1],
		['a CA with a key of 1024 bits', startShortCaKey, 'verify', 'key', 1],
		['a signature with SHA-1', startSha1, 'verify', 'signature', 0],
		['Diffie-Hellman of 1024 bits', startShortDh, 'handshake', 'Diffie-Hellman', 1],
	] as const)(
		'a server with %s is too weak, and the hint names the security level that helps',
		async (_name, start, phase, word, level) => {
			const {url, ca, requests} = await start();
			// Said, because OpenSSL 3.0 of Node 22 has level 1 where nobody says it.
			const {message, code, failure} = await mtlsFailureOf(
				client({ca, ciphers: 'DEFAULT@SECLEVEL=2'}).post(url, 'the body', options),
			);
			expect(failure).toMatchObject({kind: 'too-weak', side: 'server', certain: true, phase});
			expect(failure).not.toHaveProperty('weakness');
			expect(code).toMatch(phase === 'verify' ? /^UNSPECIFIED$/ : /^(EPROTO|ERR_SSL_DH_KEY_.*)$/);
			expect(message).toContain(word);
			expect(requests).toEqual([]);

			const ciphers = ciphersOf(failure.hint);
			expect(ciphers).toBe(`DEFAULT@SECLEVEL=${level}`);
			const answer = await client({ca, ciphers}).get(url, options);
			expect(answer.data).toBe('weak');
			// It is no lower than need be.
			if (level === 0) {
				const higher = client({ca, ciphers: 'DEFAULT@SECLEVEL=1'}).get(url, options);
				expect((await mtlsFailureOf(higher)).failure.kind).toBe('too-weak');
			}
		},
	);

	test('a server before RFC 5746 is legacy-renegotiation', async () => {
		const {port} = await startLegacy();
		const {code, failure} = await mtlsFailureOf(
			fixture.client().post(`https://localhost:${port}/`, 'the body', options),
		);
		expect(code).toMatch(/^(EPROTO|ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED)$/);
		expect(failure).toMatchObject({
			kind: 'legacy-renegotiation',
			side: 'both',
			phase: 'handshake',
			certain: true,
			chain: [],
		});
		const bits = Number(/`mtls\.secureOptions: (\d+)`/.exec(failure.hint)?.[1]);
		expect(bits).toBe(constants.SSL_OP_LEGACY_SERVER_CONNECT);
		// It goes on to wait for the certificate, which this server does not send.
		const {ca} = fixture.pki;
		const next = client({ca, secureOptions: bits}).get(`https://localhost:${port}/`, options);
		expect((await mtlsFailureOf(next)).failure.kind).toBe('reset');
	});

	test('a missing intermediate is named, with the address where it is', async () => {
		const issuer = await fixture.pki.intermediate({commonName: 'Bank Issuing CA'});
		const credential = await issuer.server({omitIntermediates: true});
		const server = await fixture.server({credential});
		const {message, failure} = await mtlsFailureOf(fixture.client().get(server.url(), options));
		expect(failure.kind).toBe('missing-intermediate');
		expect(message).toContain(
			"was issued by 'CN=Bank Issuing CA', which is not among the CAs that are trusted here, and whose certificate the server did not send",
		);
		expect(failure.hint).toContain(
			"have the server send the certificate of 'CN=Bank Issuing CA' (from",
		);
		expect(failure.hint).toMatch(/if it is a root CA, .*: give its certificate as `mtls\.ca`$/);
		expect(failure.reasons).toEqual([
			"the server does not send the certificate of 'CN=Bank Issuing CA', which is likely an intermediate CA",
			"`mtls.ca` does not hold 'CN=Bank Issuing CA', which may be a root CA; it holds 'CN=Test Root CA'",
		]);
		expect(failure.hint).toContain('http://ca.test/bank-issuing-ca.crt');
	});

	test('a wrong name is shown beside the names that there are', async () => {
		const credential = await fixture.pki.server({names: ['a.test', 'b.test', '127.0.0.2']});
		const server = await fixture.server({credential});
		const {message, failure} = await mtlsFailureOf(fixture.client().get(server.url(), options));
		expect(failure.kind).toBe('wrong-name');
		expect(message).toBe(
			`the server's certificate is not for 'localhost' but for DNS:a.test, DNS:b.test, IP Address:127.0.0.2. What to do: ${failure.hint}`,
		);
	});
});
