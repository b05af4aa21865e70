import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {CertificateFacts} from '../../src/facts.ts';
import {explain, type Facts} from '../../src/failures/explain.ts';
import type {FailureKind} from '../../src/index.ts';

const certificate: CertificateFacts = {
	subject: 'CN=api.bank.example',
	issuer: 'CN=Bank Issuing CA',
	altNames: ['DNS:api.bank.example'],
	validFrom: '2024-01-01T00:00:00.000Z',
	validTo: '2099-01-01T00:00:00.000Z',
	fingerprint256: 'AA:BB',
	pin: 'sha256//x',
	caIssuers: ['http://ca.test/issuing.crt'],
};
const ours: CertificateFacts = {...certificate, subject: 'CN=client', issuer: 'CN=Partner CA'};

function facts(kind: FailureKind, more: Partial<Facts> = {}): Facts {
	return {
		kind,
		phase: 'handshake',
		side: 'both',
		certain: true,
		host: 'api.bank.example',
		port: 443,
		servername: 'api.bank.example',
		url: 'https://api.bank.example/',
		peer: certificate,
		chain: [certificate],
		identity: ours,
		proxy: {host: 'proxy.test', port: 3128, status: 403},
		...more,
	};
}

// The headings of docs/errors.md are the list of kinds for users.
const kinds = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
	.split('\n')
	.filter((line) => /^### [a-z-]+$/.test(line))
	.map((line) => line.slice('### '.length) as FailureKind);

test('docs/errors.md documents every kind of failure', () => {
	expect(kinds).toEqual(
		expect.arrayContaining(['expired', 'wrong-name', 'client-certificate-refused', 'not-tls']),
	);
	expect(kinds.length).toBeGreaterThan(20);
});

describe.each(kinds)('%s', (kind) => {
	test.each([
		['all facts', {}],
		['a doubt', {certain: false}],
		['as few facts as can be', {peer: undefined, chain: [], identity: null, proxy: undefined}],
	] as const)('the kind is put in words with %s', (_, more) => {
		// Only a certificate that was offered can be refused.
		const offered = kind === 'client-certificate-refused' && {identity: ours};
		const {summary, reasons, hint} = explain(facts(kind, {...more, ...offered} as Partial<Facts>));
		// Lower-case start, no full stop: the error's message goes on after it.
		expect(summary).toMatch(/^[^A-Z\s].*[^.\s]$/s);
		expect(hint).toMatch(/^\S.*[^.\s]$/s);
		expect(reasons.length).toBeGreaterThan(0);
		for (const text of [summary, hint, ...reasons]) {
			expect(text).not.toMatch(/undefined|null|\[object|NaN|\n/);
		}
	});
});

describe('what the summary tells', () => {
	test('the summary names the certificate of the chain that is out of date, and its date', () => {
		const late = {...certificate, subject: 'CN=Old CA', validTo: '2020-01-01T00:00:00.000Z'};
		expect(explain(facts('expired', {chain: [certificate, late]})).summary).toBe(
			"the server's certificate 'CN=Old CA' expired on 2020-01-01T00:00:00.000Z",
		);
		const early = {...certificate, validFrom: '2098-01-01T00:00:00.000Z'};
		expect(explain(facts('not-yet-valid', {chain: [early]})).summary).toBe(
			"the server's certificate 'CN=api.bank.example' is not valid before 2098-01-01T00:00:00.000Z",
		);
	});

	test('the summary names the expected name and those of the certificate, but not hundreds', () => {
		const altNames = Array.from({length: 7}, (_, n) => `DNS:${n}.test`);
		const told = (names: string[]) =>
			explain(facts('wrong-name', {peer: {...certificate, altNames: names}})).summary;
		expect(told(altNames.slice(0, 5))).toBe(
			"the server's certificate is not for 'api.bank.example' but for DNS:0.test, DNS:1.test, DNS:2.test, DNS:3.test, DNS:4.test",
		);
		expect(told(altNames.slice(0, 6))).toMatch(/DNS:4\.test and 1 more$/);
		expect(told(altNames)).toMatch(/DNS:4\.test and 2 more$/);
		expect(told([])).toMatch(/but for no name at all$/);
	});

	test('the summary puts an IPv6 address in brackets', () => {
		expect(explain(facts('not-tls', {host: '::1', port: 8443})).summary).toBe(
			'[::1]:8443 does not speak TLS',
		);
	});

	test('the summary names the alert that refused the client certificate, or that the server hung up', () => {
		const kind = 'client-certificate-refused';
		expect(explain(facts(kind, {alert: 'unknown_ca'})).summary).toBe(
			"api.bank.example:443 refused our certificate 'CN=client': unknown_ca",
		);
		expect(explain(facts(kind, {certain: false})).summary).toBe(
			"api.bank.example:443 hung up after it had asked for our certificate 'CN=client': most likely it refused it",
		);
		expect(explain(facts(kind, {certain: false, alert: 'internal_error'})).summary).toMatch(
			/^api\.bank\.example:443 sent internal_error after it had asked for our certificate/,
		);
	});

	test('an alert that leaves the reason open is quoted as it is', () => {
		expect(explain(facts('reset', {alert: 'unrecognized_name'})).summary).toBe(
			'api.bank.example:443 closed the connection during the TLS handshake: unrecognized_name',
		);
		const unclear = facts('protocol-mismatch', {certain: false, alert: 'illegal_parameter'});
		expect(explain(unclear).summary).toBe(
			'no TLS handshake could be made with api.bank.example:443: illegal_parameter',
		);
	});
});

describe('what the reasons tell', () => {
	test('an uncertain failure has one more reason', () => {
		for (const kind of ['client-certificate-refused', 'untrusted-issuer'] as const) {
			const sure = explain(facts(kind)).reasons;
			expect(explain(facts(kind, {certain: false})).reasons).toHaveLength(sure.length + 1);
		}
	});

	test('a server that saw no certificate accepts no signature of its key', () => {
		const {reasons} = explain(facts('client-certificate-refused', {alert: 'certificate_required'}));
		expect(reasons[0]).toContain("accepts none of our key's signature algorithms");
	});

	test('a redirect is a reason only where one has led to the server', () => {
		const reasons = (more: Partial<Facts>) =>
			explain(facts('client-certificate-required', {identity: null, ...more})).reasons.join();
		expect(reasons({certificateWithheld: true})).toContain('`mtls.origins`');
		expect(reasons({})).not.toContain('redirect');
	});

	test('the reasons and the hint for an https proxy name its own options', () => {
		const {summary, reasons, hint} = explain(facts('untrusted-issuer', {certain: false}), 'proxy');
		expect(summary).toMatch(/^the proxy's certificate 'CN=api.bank.example' was issued by/);
		expect(reasons).toContain('`mtls.proxy.ca` does not hold the CA of this server');
		expect(reasons).toContain('the proxy does not send an intermediate certificate');
		expect(hint).toBe(
			"get the CA certificate from the proxy's operator and give it as `mtls.proxy.ca`",
		);
	});

	test('the hints name the fingerprint to ask about and where an intermediate is', () => {
		expect(explain(facts('client-certificate-refused')).hint).toContain('AA:BB');
		expect(explain(facts('missing-intermediate')).hint).toContain('http://ca.test/issuing.crt');
	});

	test('the hint for a weak key or algorithm names the security level at which it is accepted', () => {
		const hint = (weakness: Facts['weakness']) =>
			explain(facts('too-weak', weakness && {weakness})).hint;
		expect(hint('key')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=1'`");
		expect(hint('digest')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=0'`");
		expect(hint('diffie-hellman')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=1'`");
		expect(hint(undefined)).toBe(hint('key'));
	});

	test('a server that asks too late for TLS 1.3 is helped by TLS 1.2', () => {
		const late = {protocol: 'TLSv1.3', clientCertificateRequested: false};
		const told = (more: Partial<Facts>) =>
			explain(facts('client-certificate-required', {...late, ...more}));
		expect(told({}).hint).toContain("`mtls.maxVersion: 'TLSv1.2'`");
		expect(told({}).hint).not.toContain('mtls.key');
		expect(told({}).reasons).toHaveLength(1);
		expect(told({identity: null}).hint).toMatch(
			/maxVersion: 'TLSv1.2'.*`mtls.cert` and `mtls.key`/,
		);
		expect(told({protocol: 'TLSv1.2', identity: null}).hint).not.toContain('maxVersion');
		expect(told({clientCertificateRequested: true}).hint).not.toContain('maxVersion');
		expect(told({clientCertificateRequested: true}).reasons[0]).toContain(
			"our key's signature algorithms",
		);
	});
});
