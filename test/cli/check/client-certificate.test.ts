import {expect, test} from 'vitest';
import {checkClientCertificate} from '../../../src/cli/check/client-certificate.ts';
import type {CheckFailure, StepState} from '../../../src/cli/check/report.ts';
import type {Attempt, Observations} from '../../../src/cli/check/requests.ts';

const ours = {
	subject: 'CN=client',
	issuer: 'CN=Some CA',
	altNames: [],
	validFrom: '2026-01-01T00:00:00.000Z',
	validTo: '2026-12-31T00:00:00.000Z',
	fingerprint256: '00:11',
	pin: '',
	caIssuers: [],
};

/** A response: its status, and its body as one letter. `?`: the body did not come in time. */
type Answer = readonly [status: number, body: string];

interface Scene {
	/** Whether there is a certificate to send. */
	readonly given?: boolean;
	readonly requested?: boolean;
	readonly answer?: Answer;
	readonly failure?: Partial<CheckFailure>;
	readonly alert?: string;
	readonly use?: 'sent' | 'no-fitting-key';
	/** The answer without the certificate; `refused` in the handshake or by a page that says so. */
	readonly without?: Answer | 'refused';
}

interface Case extends Scene {
	readonly state: StepState;
	readonly accepted: boolean | null;
	readonly required: boolean | null;
	readonly says: RegExp;
}

function attemptOf({given = true, requested = true, answer, failure, alert, use}: Scene): Attempt {
	const facts = {protocol: 'TLSv1.3', clientCertificateRequested: requested, chain: []};
	return {
		result: {
			tunnelled: false,
			clientCertificate: given ? ours : null,
			...(answer && {response: responseOf(answer)}),
			facts: facts as never,
		},
		error:
			failure === undefined
				? undefined
				: {failure: failure as CheckFailure, exitCode: 2, alert, use},
	};
}

function responseOf([status, letter]: Answer) {
	const body = letter === '?' ? undefined : {sha256: letter, bytes: 1};
	return {status, statusText: '', location: undefined, setCookie: [], body};
}

function observe(given: Scene): Observations {
	const {without} = given;
	const attemptWithout: Attempt | undefined =
		without === undefined
			? undefined
			: without === 'refused'
				? attemptOf({...given, given: false, answer: undefined as never, failure: {side: 'client'}})
				: attemptOf({...given, given: false, answer: without});
	return {attempt: attemptOf(given), attemptWithout} as unknown as Observations;
}

// biome-ignore format: a table, one row per case
const cases: readonly (readonly [title: string, row: Case])[] = [
	['the handshake is refused without it, and the answer is 200', {answer: [200, 'a'], without: 'refused', state: 'good', accepted: true, required: true, says: /accepts .*'client'; without it, the server refuses us$/}],
	['the handshake is refused without it, and the answer is 404', {answer: [404, 'a'], without: 'refused', state: 'good', accepted: true, required: true, says: /accepts/}],
	['the handshake is refused without it, and the answer is 403', {answer: [403, 'a'], without: 'refused', state: 'doubtful', accepted: true, required: true, says: /handshake accepts .* but the answer is 403$/}],
	['403 answers both', {answer: [403, 'a'], without: [403, 'a'], state: 'bad', accepted: false, required: null, says: /'client' does not get us in: 403 with it, 403 without$/}],
	['403 answers both, with different bodies', {answer: [403, 'a'], without: [403, 'b'], state: 'bad', accepted: false, required: null, says: /does not get us in/}],
	['401 answers both', {answer: [401, 'a'], without: [401, 'a'], state: 'bad', accepted: false, required: null, says: /does not get us in: 401 with it, 401 without$/}],
	['403 answers it, and 401 its absence', {answer: [403, 'a'], without: [401, 'b'], state: 'bad', accepted: false, required: null, says: /looks at .* does not let it in: 403 with it, 401 without$/}],
	['403 answers it, and 200 its absence', {answer: [403, 'a'], without: [200, 'b'], state: 'bad', accepted: false, required: null, says: /turns our certificate 'client' away: 403 with it, 200 without$/}],
	['200 answers it, and 401 its absence', {answer: [200, 'a'], without: [401, 'b'], state: 'good', accepted: true, required: true, says: /accepts .*: 200 with it, 401 without$/}],
	['200 answers it, and 403 its absence', {answer: [200, 'a'], without: [403, 'b'], state: 'good', accepted: true, required: true, says: /accepts/}],
	['200 answers it, and a redirect its absence', {answer: [200, 'a'], without: [302, 'b'], state: 'good', accepted: true, required: true, says: /accepts/}],
	['a redirect answers it, and 200 its absence', {answer: [302, 'a'], without: [200, 'b'], state: 'doubtful', accepted: null, required: null, says: /looks at .*: 302 with it, 200 without$/}],
	['200 answers it, and 500 its absence', {answer: [200, 'a'], without: [500, 'b'], state: 'doubtful', accepted: null, required: null, says: /looks at/}],
	['200 answers both, with one body', {answer: [200, 'a'], without: [200, 'a'], state: 'doubtful', accepted: null, required: false, says: /answers the same \(200\) without .*: it may not look at it$/}],
	['200 answers both, with different bodies', {answer: [200, 'a'], without: [200, 'b'], state: 'open', accepted: null, required: null, says: /with different bodies: whether .* cannot be seen$/}],
	['200 answers both, and a body did not come', {answer: [200, 'a'], without: [200, '?'], state: 'open', accepted: null, required: null, says: /^200 with .* and without it: whether .* cannot be seen$/}],
	['500 answers both, with different bodies', {answer: [500, 'a'], without: [500, 'b'], state: 'open', accepted: null, required: null, says: /fails \(500\) with .* and without it: .* cannot be seen$/}],
	['500 answers both, with one body', {answer: [500, 'a'], without: [500, 'a'], state: 'open', accepted: null, required: null, says: /fails \(500\)/}],
	['500 answers it, and 403 its absence', {answer: [500, 'a'], without: [403, 'b'], state: 'open', accepted: null, required: null, says: /500 with it, 403 without: .* cannot be seen$/}],
	['the answer without it was not seen', {answer: [200, 'a'], state: 'open', accepted: null, required: null, says: /was not seen$/}],
	['403 answers it, and the answer without it was not seen', {answer: [403, 'a'], state: 'bad', accepted: null, required: null, says: /asks for one, and answers 403 to our certificate/}],
	['none is given, and the answer is 403', {given: false, answer: [403, 'a'], state: 'bad', accepted: null, required: null, says: /asks for one, got none .* answers 403$/}],
	['none is given, and the answer is 500', {given: false, answer: [500, 'a'], state: 'open', accepted: null, required: null, says: /without it, it answers 500$/}],
	['none is given, and the answer is 200', {given: false, answer: [200, 'a'], state: 'good', accepted: null, required: false, says: /asks for one and answers without$/}],
	['the server does not ask, and the answer is 403', {requested: false, answer: [403, 'a'], state: 'doubtful', accepted: null, required: false, says: /does not ask for one, so .* was not sent$/}],
	['none is given or asked for, and the answer is 403', {given: false, requested: false, answer: [403, 'a'], state: 'doubtful', accepted: null, required: false, says: /does not ask for one$/}],
	['none is given or asked for, and the answer is 200', {given: false, requested: false, answer: [200, 'a'], state: 'good', accepted: null, required: false, says: /does not ask for one$/}],
	['the server says that it got none', {failure: {kind: 'client-certificate-refused', side: 'client', certain: true}, alert: 'certificate_required', state: 'bad', accepted: false, required: true, says: /got none \(certificate_required\): .* was not sent$/}],
	['the server refuses it by an alert', {failure: {kind: 'client-certificate-refused', side: 'client', certain: true}, alert: 'unknown_ca', state: 'bad', accepted: false, required: null, says: /does not accept our certificate 'client' \(unknown_ca\)$/}],
	['the server hangs up', {failure: {kind: 'client-certificate-refused', side: 'client', certain: false}, state: 'bad', accepted: false, required: null, says: /got our certificate 'client', and ended the connection$/}],
	['the page wants one that the handshake did not ask for', {requested: false, answer: [400, 'a'], failure: {kind: 'client-certificate-required', side: 'client'}, state: 'bad', accepted: false, required: true, says: /not asked for in the handshake, so .* was not sent; by its answer, the server wants one$/}],
	['the server cannot be verified', {failure: {kind: 'expired', side: 'server'}, state: 'open', accepted: null, required: null, says: /asks for one; our certificate 'client' was not sent$/}],
	['the server got it and cannot be verified', {failure: {kind: 'expired', side: 'server'}, use: 'sent', state: 'open', accepted: null, required: null, says: /asks for one, and got our certificate 'client', not its key: TLS 1.2 sends it before the server is verified$/}],
	['the server cannot be verified, and the key fits none of its algorithms', {failure: {kind: 'expired', side: 'server'}, use: 'no-fitting-key', state: 'open', accepted: null, required: null, says: /asks for one; our certificate 'client' was not sent$/}],
	['the server cannot be verified, and none is given', {given: false, failure: {kind: 'expired', side: 'server'}, state: 'open', accepted: null, required: null, says: /asks for one; there was none to send$/}],
	['the server cannot be verified, and does not ask', {requested: false, failure: {kind: 'expired', side: 'server'}, state: 'open', accepted: null, required: false, says: /does not ask for one, so our certificate 'client' was not sent$/}],
	['the server cannot be verified, does not ask, and none is given', {given: false, requested: false, failure: {kind: 'expired', side: 'server'}, state: 'open', accepted: null, required: false, says: /does not ask for one$/}],
];

test.for(cases)('the verdict on our certificate is right where %s', ([, row]) => {
	const {facts, step} = checkClientCertificate(observe(row));

	expect({...facts, state: step.state}).toEqual({
		requested: row.requested ?? true,
		required: row.required,
		accepted: row.accepted,
		ours: row.given === false ? null : ours,
		state: row.state,
	});
	expect(step.text).toMatch(row.says);
});

test('no answer that refuses us gets a good step, whatever else was seen', () => {
	const statuses = [401, 403, 495, 496];
	const others = [undefined, 'refused', [200, 'a'], [200, 'b'], [401, 'a'], [403, 'a'], [500, 'a']];
	for (const status of statuses) {
		for (const without of others as Scene['without'][]) {
			for (const given of [true, false]) {
				for (const requested of [true, false]) {
					const seen = observe({
						given,
						requested,
						answer: [status, 'a'],
						...(without && {without}),
					});
					expect(checkClientCertificate(seen).step.state).not.toBe('good');
				}
			}
		}
	}
});
