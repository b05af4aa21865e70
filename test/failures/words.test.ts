import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {type Decision, decide, table} from '../../src/failures/decide.ts';
import type {Evidence, ProxyEvidence, RefusalPageName} from '../../src/failures/facts.ts';
import type {FailureKind} from '../../src/index.ts';
import {
	alertMessage as alert,
	asked,
	certificateOf,
	evidenceOf,
	offered,
	ownCertificateOf,
	samples,
	server,
	trustOf,
} from '../support/evidence.ts';

const proxyKinds = (Object.keys(samples) as FailureKind[]).filter((kind) =>
	kind.startsWith('proxy-'),
);

function decided(evidence: Partial<Evidence>): Decision {
	const decision = decide(evidenceOf(evidence));
	if (decision === undefined) throw new Error('no row of the table fits');
	return decision;
}

// The headings of docs/errors.md are the list of kinds for users.
const kinds = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
	.split('\n')
	.filter((line) => /^### [a-z-]+$/.test(line))
	.map((line) => line.slice('### '.length) as FailureKind);

test('docs/errors.md documents every kind of failure', () => {
	expect(kinds.toSorted()).toEqual(Object.keys(samples).toSorted());
});

test('each row and each cause of the table has an id of its own kind', () => {
	const ids = table.map(({id}) => id);
	expect(ids.toSorted()).toEqual([...new Set(ids)].toSorted());
	for (const id of ids) expect(id).toMatch(/^[a-z0-9_-]+$/);
});

describe.each(kinds)('%s', (kind) => {
	test.each<[string, Partial<Evidence>]>([
		['all facts', {chain: [server], ...offered}],
		['an https proxy at the other end', {chain: [server], ...offered, peer: 'proxy'}],
		['as few facts as can be', {}],
	])('the kind is put in words with %s', (_, more) => {
		const {summary, reasons, causes, hint, ...verdict} = decided({...more, ...samples[kind]});
		expect(verdict.kind).toBe(kind);
		// Lower-case start, no full stop: the error's message goes on after it.
		expect(summary).toMatch(/^[^A-Z\s].*[^.\s]$/s);
		expect(hint).toMatch(/^\S.*[^.\s]$/s);
		expect(reasons.length).toBeGreaterThan(0);
		expect(causes).toHaveLength(reasons.length);
		for (const text of [summary, hint, ...reasons]) {
			expect(text).not.toMatch(/undefined|null|\[object|NaN|\n/);
		}
	});
});

describe('what the summary tells', () => {
	test('the summary names the certificate that is out of date, its day and the day here, or on one day the minutes', () => {
		const late = certificateOf('CN=Old CA', 'CN=Root', {validTo: '2020-01-01T00:00:00.000Z'});
		expect(decided({...samples.expired, chain: [server, late]}).summary).toBe(
			"'CN=Old CA', an intermediate CA of the server's chain, expired on 2020-01-01 (this machine's date: 2026-01-02)",
		);
		const today = certificateOf('CN=Old CA', 'CN=Root', {validTo: '2026-01-02T03:00:59.000Z'});
		expect(decided({...samples.expired, chain: [server, today]}).summary).toBe(
			"'CN=Old CA', an intermediate CA of the server's chain, expired on 2026-01-02 03:00 UTC (this machine's date: 2026-01-02 03:04 UTC)",
		);
		const early = {...server, validFrom: '2098-01-01T00:00:00.000Z'};
		expect(decided({...samples['not-yet-valid'], chain: [early]}).summary).toBe(
			"the server's certificate 'CN=api.bank.example' is not valid before 2098-01-01 (this machine's date: 2026-01-02)",
		);
	});

	test('the summary names the expected name and those of the certificate, but not hundreds', () => {
		const altNames = Array.from({length: 7}, (_, n) => `DNS:${n}.test`);
		const summary = (names: string[]) =>
			decided({...samples['wrong-name'], chain: [{...server, altNames: names}]}).summary;
		expect(summary(altNames.slice(0, 5))).toBe(
			"the server's certificate is not for 'api.bank.example' but for DNS:0.test, DNS:1.test, DNS:2.test, DNS:3.test, DNS:4.test",
		);
		expect(summary(altNames.slice(0, 6))).toMatch(/DNS:4\.test and 1 more$/);
		expect(summary(altNames)).toMatch(/DNS:4\.test and 2 more$/);
		expect(summary([])).toMatch(/but for no name at all$/);
	});

	test('the summary puts an IPv6 address in brackets', () => {
		expect(decided({...samples['not-tls'], host: '::1', port: 8443}).summary).toBe(
			'[::1]:8443 does not speak TLS',
		);
	});

	test('the summary names the alert that refused the client certificate, or that the server hung up', () => {
		expect(decided(samples['client-certificate-refused']).summary).toBe(
			"api.bank.example:443 refused our certificate 'CN=client': unknown_ca",
		);
		expect(decided({...asked, ...offered, code: 'ECONNRESET'}).summary).toBe(
			"api.bank.example:443 hung up after it had asked for our certificate 'CN=client': most likely it refused it",
		);
		expect(decided({...asked, ...offered, message: alert(80)}).summary).toMatch(
			/^api\.bank\.example:443 sent internal_error after it had asked for our certificate/,
		);
	});

	test('the summary names the status of a page that refuses the client certificate, or its absence', () => {
		const page = (status: number, page: RefusalPageName, more: Partial<Evidence>) =>
			decided({...asked, source: 'response', response: {status, page}, ...more}).summary;
		expect(page(400, 'nginx-refused', offered)).toMatch(
			/ \(it answered 400, with a page of nginx\)$/,
		);
		expect(page(496, 'nginx-required', {})).toMatch(/ none \(it answered 496, with a page/);
		expect(page(403, 'apache-post-handshake', {})).toMatch(/ none \(it answered 403, with a page/);
	});

	test('the cause of a broken rule says more than its summary', () => {
		for (const code of ['PATH_LENGTH_EXCEEDED', 'CERT_SIGNATURE_FAILURE', 'OUT_OF_MEM']) {
			const {summary, reasons} = decided({code, phase: 'verify', chain: [server]});
			expect(summary).toContain(`breaks a rule of X.509 (${code})`);
			expect(reasons.join()).toContain("(the chain: 'CN=api.bank.example')");
			expect(summary).not.toContain(reasons[0]?.split(' (the chain')[0]);
		}
	});

	test('what a certificate says cannot begin a line or move the cursor', () => {
		const chain = [{...server, subject: 'CN=x\n\u001b[1A', issuer: 'CN=\u202ey'}];
		for (const code of ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_REVOKED']) {
			const {summary, reasons, hint} = decided({code, phase: 'verify', chain});
			for (const text of [summary, ...reasons, hint]) expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
		}
	});
});

describe('what the reasons tell', () => {
	const rsa = {...asked, ...offered, signatureAlgorithms: ['RSA-PSS+SHA256']};
	const ecdsa = {...rsa, signatureAlgorithms: ['ECDSA+SHA256']};
	const page = (name: 'nginx-required' | 'nginx-refused') => ({
		source: 'response' as const,
		response: {status: 400, page: name},
	});
	const optionsWith = (more: Partial<Evidence['options']>) => ({
		options: {...evidenceOf().options, ...more},
	});

	test('a certificate that was sent, and that the server behind did not get, was not passed on', () => {
		const sent = decided({...rsa, ...page('nginx-required')});
		expect(sent).toMatchObject({
			kind: 'client-certificate-required',
			certain: true,
			causes: ['not-passed-on'],
			clientCertificate: 'sent',
			summary:
				"api.bank.example:443 took our certificate 'CN=client', and the server behind it got none: it does not pass it on",
		});
		expect(sent.hint).not.toMatch(/key|P-256/);
		expect(decided({...rsa, ...page('nginx-required'), resumed: true})).toMatchObject({
			certain: false,
			causes: ['not-passed-on'],
		});
		expect(decided({...ecdsa, ...page('nginx-required')})).toMatchObject({
			kind: 'client-certificate-required',
			causes: ['no-fitting-key'],
			clientCertificate: 'no-fitting-key',
		});
	});

	test('an alert that a certificate is required blames our key only where it cannot sign', () => {
		expect(decided({...ecdsa, message: alert(116)})).toMatchObject({
			certain: true,
			causes: ['no-fitting-key'],
			clientCertificate: 'no-fitting-key',
		});
		const sent = decided({...rsa, message: alert(116)});
		expect(sent).toMatchObject({
			kind: 'client-certificate-refused',
			certain: false,
			clientCertificate: 'sent',
		});
		expect(sent.causes).not.toContain('no-fitting-key');
	});

	test.each([undefined, false])(
		'an alert that a certificate is required, before ours was asked for (%s), does not blame our key',
		(clientCertificateRequested) => {
			for (const phase of ['handshake', 'response'] as const) {
				const early = {...offered, clientCertificateRequested, phase, message: alert(116)};
				expect(decided(early)).toMatchObject({
					kind: 'client-certificate-required',
					certain: false,
					causes: ['refused-unasked', 'server-failed'],
				});
			}
		},
	);

	test('a page of a refused certificate is about ours only where ours was asked for', () => {
		expect(decided({...rsa, ...page('nginx-refused')})).toMatchObject({
			kind: 'client-certificate-refused',
			certain: true,
			clientCertificate: 'sent',
		});
		const unasked = {...rsa, ...page('nginx-refused'), clientCertificateRequested: false};
		const {summary, ...decision} = decided(unasked);
		expect(decision).toMatchObject({
			kind: 'client-certificate-refused',
			certain: false,
			causes: ['not-ours'],
			clientCertificate: 'not-asked',
		});
		expect(summary).toMatch(/did not ask for a client certificate .* one that is not ours$/);
	});

	// What is sent in place of ours may be refused with any alert, or none.
	test('no cause says that our certificate is valid where it has expired, or is not valid yet', () => {
		for (const dates of [
			{validTo: '2025-12-31T00:00:00.000Z'},
			{validFrom: '2026-01-03T00:00:00.000Z'},
		]) {
			const identity = certificateOf('CN=client', 'CN=Partner CA', dates);
			const ours = () => [ownCertificateOf(dates)];
			const all = [40, 42, 43, 44, 45, 46, 48, 49, 51, 80, undefined].flatMap((number) => {
				const message = number === undefined ? '' : alert(number);
				const {reasons, hint} = decided({
					...{...asked, ...offered, identity, ours, message},
					...(number === undefined && {code: 'ECONNRESET'}),
				});
				return [...reasons, hint];
			});
			expect(all.filter((text) => /(is|ours) valid\b(?! before)/.test(text))).toEqual([]);
			expect(all.filter((text) => /needs no change/.test(text))).toEqual([]);
			expect(all.join()).toMatch(/expired on|is not valid before/);
			expect(all.join()).toContain("does not let 'CN=client' in: it is not registered there");
			expect(decided({...rsa, identity, ours, ...page('nginx-required')}).hint).not.toContain(
				'needs no change',
			);
		}
		expect(decided({...rsa, ...page('nginx-required')}).hint).toContain('needs no change');
		const valid = decided({...asked, ...offered, message: alert(45)});
		expect(valid.reasons[0]).toMatch(/^ours is valid by this machine's clock/);
	});

	test('where `mtls.sigalgs` is set, it is named before the server', () => {
		for (const message of [alert(116), alert(40)]) {
			const {causes, reasons, hint, summary} = decided({
				...ecdsa,
				message,
				...optionsWith({sigalgs: 'ECDSA+SHA256'}),
			});
			expect(causes).toEqual(['sigalgs-set', 'no-fitting-key']);
			expect(reasons[0]).toMatch(/^`mtls\.sigalgs` is set to 'ECDSA\+SHA256'.*an RSA key/);
			expect(hint).toMatch(/^leave `mtls\.sigalgs` out/);
			expect(summary).not.toContain('accepts no signature');
			expect(decided({...ecdsa, message}).causes).toEqual(['no-fitting-key']);
		}
	});

	test('the options that narrow what we offer are named first where nothing suits the server', () => {
		const set = {ecdhCurve: 'X448', sigalgs: 'ed448', ciphers: 'AES128-SHA'};
		const wrong = {code: 'ERR_SSL_WRONG_CURVE', message: 'wrong curve'};
		const causes = (more: Partial<Evidence['options']>, evidence: Partial<Evidence>) =>
			decided({...evidence, ...optionsWith(more)}).causes;
		expect(causes(set, {message: alert(40)}).slice(0, 3)).toEqual([
			'ciphers-set',
			'curves-set',
			'sigalgs-set',
		]);
		expect(causes({ecdhCurve: 'X448'}, {message: alert(40)})[0]).toBe('curves-set');
		expect(causes({sigalgs: 'ed448'}, {message: alert(40)})[0]).toBe('sigalgs-set');
		expect(causes({ecdhCurve: 'X448'}, wrong)).toEqual(['curves-set', 'groups']);
		expect(causes({}, wrong)).toEqual(['groups']);
	});

	test('a server that shows no certificate is described without an empty name', () => {
		const none = {code: 'UNABLE_TO_GET_ISSUER_CERT', phase: 'verify', chain: []} as const;
		for (const [ciphers, cause] of [
			['ALL@SECLEVEL=0', 'anonymous-cipher'],
			[undefined, 'no-certificate'],
		] as const) {
			const {kind, causes, summary, reasons, hint} = decided({...none, ...optionsWith({ciphers})});
			expect({kind, causes}).toEqual({kind: 'untrusted-issuer', causes: [cause]});
			expect(summary).toBe('api.bank.example:443 showed no certificate');
			for (const text of [summary, hint, ...reasons]) expect(text).not.toContain("''");
		}
	});

	test('a server that saw no certificate accepts no signature of its key', () => {
		const {causes, certain} = decided({...asked, ...offered, message: alert(116)});
		expect({causes, certain}).toEqual({causes: ['no-fitting-key'], certain: true});
	});

	test('the reasons and the hint for an https proxy name its own options', () => {
		const evidence = {code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'verify', chain: [server]} as const;
		const {summary, reasons, hint} = decided({...evidence, peer: 'proxy'});
		expect(summary).toMatch(/^the proxy's certificate 'CN=api.bank.example' was issued by/);
		expect(reasons.join()).toContain('`mtls.proxy.ca`');
		expect(hint).toContain('`mtls.proxy.ca`');
	});

	test('the repair of a login that the proxy did not accept names the place where it is set', () => {
		const repair = (more: Partial<ProxyEvidence>) => {
			const {proxy} = samples['proxy-auth-required'];
			if (proxy === undefined) throw new Error('the sample has a proxy');
			return decided({
				...samples['proxy-auth-required'],
				proxy: {...proxy, hasCredentials: true, ...more},
			}).hint;
		};
		const wrong = 'the proxy did not accept the user and password in';
		expect(repair({})).toBe(`${wrong} \`proxy.auth\`: have them checked`);
		expect(repair({loginPlace: 'url'})).toBe(`${wrong} the URL of \`proxy\`: have them checked`);
		expect(repair({loginPlace: 'url', variable: 'HTTPS_PROXY'})).toBe(
			`${wrong} the URL of HTTPS_PROXY: have them checked`,
		);
		expect(repair({loginPlace: 'header'})).toBe(
			`${wrong} the header \`Proxy-Authorization\`: have them checked`,
		);
		expect(repair({loginPlace: 'url', hasCredentials: false})).toBe(
			'put user and password into the URL of `proxy`',
		);
	});

	test('the origin of a list with the same host is named as the nearest, else one with a similar host', () => {
		const reason = (origins: string[], port = 8443) =>
			decided({
				...samples['client-certificate-required'],
				...optionsWith({unmatchedOrigins: origins}),
				port,
			}).reasons[0];
		const none = 'no entry of `mtls` has https://api.bank.example:8443 in its `origins`';
		const others = ['https://a.test', 'https://app.bank.example:8443'];
		for (const same of ['https://api.bank.example', 'https://*.bank.example:443']) {
			expect(reason([...others, same])).toBe(
				`${none} (the nearest is ${same}), so no certificate was sent`,
			);
		}
		expect(reason(others)).toContain(`${none} (the nearest is https://app.bank.example:8443),`);
		expect(reason(['https://a.test'])).toBe(`${none}, so no certificate was sent`);
		expect(reason(['https://a.test'], 443)).toContain('has https://api.bank.example in its');
	});

	describe.each(proxyKinds)('%s', (kind) => {
		const answers: readonly Partial<ProxyEvidence>[] = [
			...[undefined, 302, 400, 401, 402, 403, 408, 409, 429, 451, 500, 502, 503, 504].map(
				(status) => ({status}),
			),
			{hasCredentials: true, status: 401},
			{spoke: 'nothing'},
			{spoke: 'tls'},
			{spoke: 'body'},
			{networkCode: 'ECONNREFUSED'},
			...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((reply) => ({protocol: 'socks5h', reply})),
		];
		const sentences = (more: Partial<ProxyEvidence>) =>
			answers.map((answer) => {
				const {proxy} = samples[kind];
				if (proxy === undefined) throw new Error(`${kind} is not of a proxy`);
				const message = 'the proxy said no';
				const {reasons, hint} = decided({
					...samples[kind],
					port: 8443,
					proxy: {...proxy, message, ...answer, ...more},
				});
				return [...reasons, hint].join('\n');
			});

		test('a proxy of the option is not looked for in the environment', () => {
			const all = sentences({variable: undefined});
			expect(all.filter((text) => /_PROXY/.test(text))).toEqual([]);
		});

		test('a proxy of the environment is looked for in its variable, and not in the option', () => {
			const all = sentences({variable: 'ALL_PROXY'});
			expect(all.filter((text) => /`proxy|HTTPS_PROXY/.test(text))).toEqual([]);
			if (kind !== 'proxy-timeout') expect(all.join()).toMatch(/ALL_PROXY|NO_PROXY/);
		});
	});

	test('the hint for a weak key or algorithm names the security level at which it is accepted', () => {
		const hint = (message: string) => decided({...samples['too-weak'], message}).hint;
		expect(hint('ee key too small')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=1'`");
		expect(hint('ca md too weak')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=0'`");
		expect(hint('dh key too small')).toContain("`mtls.ciphers: 'DEFAULT@SECLEVEL=1'`");
	});

	test('the CAs of the system are proposed where no `ca` is set', () => {
		const chain = [server, certificateOf('CN=Bank Root', 'CN=Bank Root')];
		const evidence = {code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'verify', chain} as const;
		const hint = (given: boolean) => decided({...evidence, trust: () => trustOf({given})}).hint;
		expect(hint(false)).toContain("`mtls.ca: 'system'`");
		expect(hint(true)).not.toContain('system');
	});

	test('a CA whose name is that of an interceptor comes first', () => {
		const root = certificateOf('CN=Zscaler Root CA', 'CN=Zscaler Root CA');
		const chain = [certificateOf('CN=api.bank.example', 'CN=Zscaler Root CA'), root];
		const {causes, hint} = decided({code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'verify', chain});
		expect(causes).toEqual(['intercepted', 'ca-missing']);
		expect(hint).toContain('those who run this network');
	});

	test('the reason says that the CAs of Node were used where no `ca` is set', () => {
		const evidence = {code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'verify', chain: [server]} as const;
		const trust = (given: boolean) => () => trustOf({given});
		expect(decided({...evidence, trust: trust(false)}).reasons.join()).toContain(
			'no `mtls.ca` is set',
		);
		expect(decided({...evidence, trust: trust(true)}).reasons.join()).not.toContain('is set');
	});
});
