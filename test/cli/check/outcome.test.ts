import {expect, test} from 'vitest';
import {outcomeOf} from '../../../src/cli/check/outcome.ts';
import type {Acceptance} from '../../../src/cli/check/own-certificate.ts';

const ours = {
	subject: 'CN=client',
	issuer: 'CN=Issuing CA',
	altNames: [],
	validFrom: '2026-01-01T00:00:00.000Z',
	validTo: '2026-12-31T00:00:00.000Z',
	fingerprint256: '00:11',
	pin: '',
	caIssuers: [],
};

/** The server names a CA that has issued a certificate of our chain. */
const named: Acceptance = {
	issuers: [{key: 'root', text: 'CN=Root CA'}],
	isIssuerNamed: true,
	namedIssuer: 'CN=Root CA',
	isLastIssuerNamed: true,
	missingIssuer: undefined,
	isIntermediateMissing: false,
	unusableKey: undefined,
	signatureAlgorithms: [],
};

const unnamed: Acceptance = {
	...named,
	isIssuerNamed: false,
	namedIssuer: undefined,
	isLastIssuerNamed: false,
};

interface Refusal {
	readonly alert?: string;
	/** The library's ids; each reason is its id in words. */
	readonly causes: readonly string[];
	readonly acceptance: Acceptance;
	readonly certain?: boolean;
}

function explain({alert, causes, acceptance, certain = true}: Refusal) {
	const failure = {
		kind: 'client-certificate-refused',
		side: 'client',
		certain,
		message: 'refused',
		reasons: causes.map((id) => `reason ${id}`),
		hint: `repair ${causes[0]}`,
	} as const;
	const error = {failure, causes, alert, exitCode: 2} as const;
	const seen = {attempt: {error}} as unknown as Parameters<typeof outcomeOf>[0];
	const client = {requested: true, required: null, accepted: false, ours};
	const {reasons, hint} = outcomeOf(seen, client, acceptance)?.failure ?? {};
	return {reasons, hint};
}

const distrust = ['issuer-not-trusted', 'own-chain-incomplete', 'not-registered'];

const namesake =
	"the server may have another certificate of the name 'Root CA', with another key, as after a CA was made anew: its list of the CAs that it accepts has only names";
const compare =
	"compare the fingerprint of the certificate of 'Root CA' here with the one that the server has";

test('an issuer whose name the server has named stays a cause, as its key may be another one', () => {
	expect(explain({causes: distrust, acceptance: named})).toEqual({
		reasons: [namesake, 'reason not-registered'],
		hint: compare,
	});
	const faulty = ['own-expired', ...distrust];
	expect(explain({causes: faulty, acceptance: named})).toEqual({
		reasons: ['reason own-expired', namesake, 'reason not-registered'],
		hint: 'repair own-expired',
	});
});

test('where the server did not say that it refused the certificate, a missing right comes before the key', () => {
	expect(explain({causes: distrust, acceptance: named, certain: false})).toEqual({
		reasons: ['reason not-registered', namesake],
		hint: `ask the server's operator whether it accepts the certificate with fingerprint 00:11, and ${compare}`,
	});
});

test('an intermediate that the server names is not missing, and one that it does not name may be', () => {
	const acceptance = {...named, isLastIssuerNamed: false, missingIssuer: 'CN=Between'};
	const causes = ['own-chain-incomplete', 'not-registered'];

	expect(explain({causes: distrust, acceptance})).toEqual({
		reasons: [namesake, 'reason own-chain-incomplete', 'reason not-registered'],
		hint: compare,
	});
	expect(explain({causes: ['breaks-a-rule', ...causes], acceptance}).reasons).toHaveLength(3);
	expect(explain({causes: ['breaks-a-rule', ...causes], acceptance: named})).toEqual({
		reasons: ['reason breaks-a-rule', 'reason not-registered'],
		hint: 'repair breaks-a-rule',
	});
});

test('an unknown CA whose name the server has named is a CA of that name with another certificate', () => {
	const {reasons, hint} = explain({
		alert: 'unknown_ca',
		causes: ['issuer-not-trusted'],
		acceptance: named,
	});

	expect(reasons).toHaveLength(1);
	expect(reasons?.[0]).toMatch(
		/^the server names 'Root CA' .* it has another certificate of that name, with another key/,
	);
	expect(hint).toContain('compare the fingerprint');
});

test('an issuer that the server does not name is the only cause', () => {
	for (const alert of [undefined, 'unknown_ca', 'bad_certificate', 'certificate_unknown']) {
		const {reasons} = explain({...(alert && {alert}), causes: distrust, acceptance: unnamed});
		expect(reasons).toEqual([
			expect.stringContaining("the server accepts only certificates of 'Root CA'"),
		]);
	}
});

test('an alert that says what is wrong keeps its causes, whoever the server names', () => {
	const alerts = [
		'access_denied',
		'certificate_expired',
		'certificate_revoked',
		'decrypt_error',
		'unsupported_certificate',
	];
	for (const alert of alerts) {
		for (const acceptance of [named, unnamed]) {
			expect(explain({alert, causes: ['own-revoked'], acceptance})).toEqual({
				reasons: ['reason own-revoked'],
				hint: 'repair own-revoked',
			});
		}
	}
});

test('a certificate that was not sent is not refused for its issuer', () => {
	const refusal = {alert: 'certificate_required', causes: ['no-fitting-key'], acceptance: unnamed};

	expect(explain(refusal).reasons).toEqual(['reason no-fitting-key']);
	const known = {...unnamed, unusableKey: 'EC', signatureAlgorithms: ['rsa_pss_rsae_sha256']};
	expect(explain({...refusal, acceptance: known}).reasons).toEqual([
		expect.stringContaining('verifies only rsa_pss_rsae_sha256'),
	]);
});
