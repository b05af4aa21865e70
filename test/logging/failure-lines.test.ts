import {Console} from 'node:console';
import {PassThrough} from 'node:stream';
import {inspect, stripVTControlCharacters} from 'node:util';
import axios, {AxiosError, AxiosHeaders} from 'axios';
import {describe, expect, test} from 'vitest';
import type {CertificateFacts, FailureKind, MtlsFailure} from '../../src/facts.ts';
import {type Decision, decide} from '../../src/failures/decide.ts';
import {type Logger, logFailures, MtlsError} from '../../src/index.ts';
import {hideSecrets} from '../../src/logging/redact.ts';
import {evidenceOf, samples} from '../support/evidence.ts';

/** All kinds: the compiler misses none. */
const kinds = Object.keys({
	expired: 1,
	'not-yet-valid': 1,
	'wrong-name': 1,
	'self-signed': 1,
	'untrusted-issuer': 1,
	'missing-intermediate': 1,
	revoked: 1,
	'revocation-unknown': 1,
	'wrong-purpose': 1,
	'too-weak': 1,
	'invalid-certificate': 1,
	'pin-mismatch': 1,
	'spiffe-mismatch': 1,
	'client-auth-not-requested': 1,
	'insecure-redirect': 1,
	'client-certificate-required': 1,
	'client-certificate-refused': 1,
	'protocol-mismatch': 1,
	'cipher-mismatch': 1,
	'legacy-renegotiation': 1,
	'not-tls': 1,
	reset: 1,
	'proxy-unreachable': 1,
	'proxy-auth-required': 1,
	'proxy-refused': 1,
	'proxy-timeout': 1,
	'proxy-bad-reply': 1,
} satisfies Record<FailureKind, 1>) as FailureKind[];

const certificate: CertificateFacts = {
	subject: 'CN=api.bank.example',
	issuer: 'CN=Bank Issuing CA',
	altNames: ['DNS:api.bank.example'],
	validFrom: '2024-01-01T00:00:00.000Z',
	validTo: '2099-01-01T00:00:00.000Z',
	fingerprint256: 'AA:BB',
	pin: 'sha256//x',
	caIssuers: [],
};
/** Of a server that fills what it can. */
const hostile: CertificateFacts = {
	...certificate,
	subject: `CN=${'a\n'.repeat(2_000)}`,
	issuer: `CN=\u001b[2J${'b'.repeat(2_000)}`,
	altNames: Array.from({length: 500}, (_, index) => `DNS:${index}.\n.test`),
};

const variants: readonly (readonly [string, Partial<MtlsFailure>])[] = [
	['all facts', {}],
	['a doubt', {certain: false}],
	['few facts', {chain: [], identity: null}],
	['hostile names', {peer: hostile, chain: [hostile, hostile], identity: hostile}],
];

function failed(kind: FailureKind, more: Partial<MtlsFailure>): MtlsError {
	const facts = {
		kind,
		phase: 'handshake',
		side: 'server',
		certain: true,
		host: 'api.bank.example',
		port: 443,
		servername: 'api.bank.example',
		url: 'https://api.bank.example/',
		protocol: 'TLSv1.3',
		alert: 'unknown_ca',
		clientCertificateRequested: true,
		peer: certificate,
		chain: [certificate],
		identity: {...certificate, subject: 'CN=client', issuer: 'CN=Partner CA'},
		proxy: {host: 'proxy.test', port: 3128, status: 403},
		...more,
	} as const;
	const {chain, identity} = facts;
	const evidence = {chain, identity, hasIdentity: identity !== null, ...samples[kind]};
	const {summary, reasons, causes, hint} = decide(evidenceOf(evidence)) as Decision;
	const cause = Object.assign(new Error('certificate has expired\n'), {code: 'CERT_HAS_EXPIRED'});
	const config = {method: 'get', url: facts.url, headers: new AxiosHeaders({Accept: '*/*'})};
	const failure = {...facts, reasons, causes, hint};
	return hideSecrets(new MtlsError(summary, {failure, code: 'CERT_HAS_EXPIRED', config, cause}));
}

/** What a console prints of a failed request. */
async function printed(error: Error): Promise<string> {
	const out = new PassThrough();
	const instance = axios.create({
		adapter: async () => {
			throw error;
		},
	});
	logFailures(instance, new Console(out) as unknown as Logger);
	await instance.get('https://api.bank.example/').catch(() => {});
	return String(out.read()).trimEnd();
}

const linesOf = (text: string) => text.split('\n').length;

describe.each(kinds)('%s', (kind) => {
	test.each(variants)('a console prints a failure with %s in 12 lines at most', async (_, more) => {
		const error = failed(kind, more);
		const text = await printed(error);
		expect(linesOf(text)).toBeLessThanOrEqual(12);
		expect(text.length).toBeLessThan(9_000);
		expect(text).toContain(`kind: ${kind}`);
		expect(text).toContain(`what to do: ${error.failure.hint.slice(0, 100).trim()}`);
		expect(text).not.toContain('\u001b');
	});

	test.each(variants)('an error with %s is printed in 25 lines at most', (_, more) => {
		const error = failed(kind, more);
		for (const text of [inspect(error), inspect({error}), inspect(new AggregateError([error]))]) {
			expect(text).toContain(`kind: ${kind}`);
		}
		expect(linesOf(inspect(error))).toBeLessThanOrEqual(25);
		expect(linesOf(inspect({error}))).toBeLessThanOrEqual(27);
		expect(inspect(error)).not.toContain('\u001b');
	});

	test('the message ends with the hint, and the summary is what comes before it', () => {
		const {message, summary, failure} = failed(kind, {});
		expect(message.endsWith(failure.hint)).toBe(true);
		expect(message.startsWith(summary)).toBe(true);
		expect(summary).not.toContain(failure.hint);
	});
});

describe('the causes', () => {
	const withReasons = (count: number) => {
		const {failure} = failed('reset', {});
		const reasons = Array.from({length: count}, (_, index) => `reason ${index + 1}`);
		return new MtlsError('it failed', {code: 'X', failure: {...failure, reasons}});
	};
	const causes = async (count: number) =>
		(await printed(withReasons(count)))
			.split('\n')
			.filter((line) => /^ {2}(cause|or): /.test(line));

	test.each([
		[0, []],
		[1, ['  cause: reason 1']],
		[4, ['  cause: reason 1', '  or: reason 2', '  or: reason 3', '  or: reason 4']],
		[
			5,
			[
				'  cause: reason 1',
				'  or: reason 2',
				'  or: reason 3',
				'  or: 2 more, in `error.failure.reasons`',
			],
		],
	])('a failure with %i causes has four lines of them at most', async (count, lines) => {
		expect(await causes(count)).toEqual(lines);
	});
});

describe('the line of the client certificate', () => {
	const line = async (more: Partial<MtlsFailure>) =>
		(await printed(failed('client-certificate-refused', more)))
			.split('\n')
			.find((text) => text.startsWith('  our certificate: '));
	const ours =
		"  our certificate: 'CN=client', issued by 'CN=Partner CA', valid 2024-01-01 to 2099-01-01";

	test.each<[string, Partial<MtlsFailure>, string]>([
		['was sent', {clientCertificate: 'sent'}, `${ours}, sent`],
		['was not asked for', {clientCertificate: 'not-asked'}, `${ours}, not asked for`],
		['was withheld', {clientCertificate: 'withheld'}, `${ours}, withheld from this origin`],
		[
			'does not fit',
			{clientCertificate: 'no-fitting-key'},
			`${ours}, asked for, not sent: its key can make none of the signatures that were asked for`,
		],
		[
			'was kept back from a server that was not trusted',
			{side: 'server', phase: 'verify', protocol: 'TLSv1.3'},
			`${ours}, asked for, not sent`,
		],
		[
			'was sent before the server was verified',
			{side: 'server', phase: 'verify', protocol: 'TLSv1.2'},
			`${ours}, sent`,
		],
		['is not known to be sent', {side: 'both'}, `${ours}, asked for, perhaps sent`],
		[
			'was not asked for by a server that was not trusted',
			{side: 'server', phase: 'verify', clientCertificateRequested: false},
			`${ours}, not asked for`,
		],
		[
			'is missing',
			{identity: null, clientCertificate: 'none'},
			'  our certificate: none (the server asked for one)',
		],
		[
			'is missing, and was not asked for',
			{identity: null, clientCertificateRequested: false},
			'  our certificate: none, not asked for',
		],
	])('a console says of a client certificate that it %s', async (_, more, expected) => {
		expect(await line(more)).toBe(expected);
	});
});

test('a console says nothing of a client certificate that a proxy was not shown', async () => {
	for (const [side, has] of [
		['proxy', false],
		['client', true],
	] as const) {
		const text = await printed(failed('proxy-auth-required', {side}));
		expect(text.includes('our certificate')).toBe(has);
	}
});

describe('the command that shows each step', () => {
	const check = async (more: Partial<MtlsFailure>) =>
		(await printed(failed('reset', more)))
			.split('\n')
			.filter((text) => text.startsWith('  to see each step: '));
	const files = '(with --cert, --key and --ca as in `mtls`)';
	const line = (words: string) => [`  to see each step: npx axios-mtls check ${words} ${files}`];
	const proxy = {host: 'proxy.test', port: 3128, protocol: 'http'};

	test('the command is printed for a failure with more than one cause, as the last line', async () => {
		const reset = await printed(failed('reset', {}));
		expect(failed('reset', {}).failure.reasons.length).toBeGreaterThan(1);
		expect(reset.split('\n').at(-1)).toMatch(/^ {2}to see each step: npx axios-mtls check https:/);
		const one = failed('revoked', {});
		expect(one.failure.reasons).toHaveLength(1);
		expect(await printed(one)).not.toContain('axios-mtls check');
		expect(await check({url: 'http://api.bank.example/'})).toEqual([]);
	});

	test.each<[string, Partial<MtlsFailure>, string]>([
		[
			'the proxy of the request',
			{proxy},
			'https://api.bank.example:443/ --proxy http://proxy.test:3128',
		],
		[
			'no login of the proxy',
			{proxy: {...proxy, protocol: 'socks5h', hasCredentials: true}},
			'https://api.bank.example:443/ --proxy socks5h://USER:PASSWORD@proxy.test:3128',
		],
		['no proxy where there was none', {}, 'https://api.bank.example:443/'],
		[
			'the path, and not the query',
			{url: 'https://api.bank.example/a/b?token=[redacted]', proxy},
			'https://api.bank.example:443/a/b --proxy http://proxy.test:3128',
		],
		[
			'no path that is long',
			{url: `https://api.bank.example/${'a'.repeat(60)}`, proxy},
			'https://api.bank.example:443/ --proxy http://proxy.test:3128',
		],
		[
			'a path that is short enough',
			{url: `https://api.bank.example/${'a'.repeat(59)}`, proxy},
			`https://api.bank.example:443/${'a'.repeat(59)} --proxy http://proxy.test:3128`,
		],
		[
			'nothing that a shell would run',
			{url: 'https://api.bank.example/$(id);a', proxy},
			'https://api.bank.example:443/ --proxy http://proxy.test:3128',
		],
		[
			'an IPv6 address in quotes',
			{host: '::1', port: 8443, proxy},
			"'https://[::1]:8443/' --proxy http://proxy.test:3128",
		],
	])('the command has %s', async (_, more, words) => {
		expect(await check({proxy: undefined, ...more} as Partial<MtlsFailure>)).toEqual(line(words));
	});
});

describe('a printed error', () => {
	test('a printed error begins with the frame of the app, and has none of this package', () => {
		const error = failed('expired', {});
		error.stack = [
			'AxiosError: it expired',
			'    at mtlsError (/app/node_modules/axios-mtls/dist/index.js:1:1)',
			'    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
			'    at async Axios.request (/app/node_modules/axios/lib/core/Axios.js:46:41)',
			'    at async loadAccounts (file:///app/accounts.js:12:3)',
			'    at async main (/app/main.js:1:1)',
			'Caused by: Error: certificate has expired',
			'    at TLSSocket.onConnectSecure (node:_tls_wrap:1:1)',
		].join('\n');
		const frames = inspect(error)
			.split('\n')
			.filter((line) => line.trim().startsWith('at '));
		expect(frames).toEqual([
			'    at async loadAccounts (file:///app/accounts.js:12:3)',
			'    at async main (/app/main.js:1:1)',
		]);
	});

	test('a printed error without a frame of the app has the first frames', () => {
		const error = failed('expired', {});
		error.stack = 'Error\n    at emit (node:events:1:1)\n    at run (node:vm:1:1)';
		expect(inspect(error)).toContain('    at emit (node:events:1:1)\n    at run (node:vm:1:1)');
	});

	test('an error without a stack is printed', () => {
		const error = failed('expired', {});
		Object.assign(error, {stack: undefined});
		expect(inspect(error)).toContain('kind: expired');
	});

	test('a printed error names its cause in one line', () => {
		expect(inspect(failed('expired', {}))).toContain(
			'\n  caused by: Error: certificate has expired (CERT_HAS_EXPIRED)\n',
		);
	});

	test('an error below the depth of a print is one line', () => {
		const error = failed('expired', {});
		const printedError = inspect({error}, {depth: 0, breakLength: 500});
		expect(printedError).toBe(`{ error: [MtlsError: ${error.summary}] }`);
	});

	test('a colored print differs from a plain one in its colors alone', () => {
		const error = hideSecrets(new AxiosError('it failed', 'ERR_BAD_REQUEST'));
		const colored = inspect(error, {colors: true});
		expect(colored).not.toBe(inspect(error));
		expect(stripVTControlCharacters(colored)).toBe(inspect(error));
	});

	test('an AxiosError that is not of this package is printed in 25 lines at most', () => {
		const headers = new AxiosHeaders({Accept: '*/*', Authorization: 'Bearer hunter2', Host: 'a'});
		const config = {method: 'get', url: 'https://bank.example/', headers, timeout: 5};
		const text = inspect(hideSecrets(new AxiosError('it failed', 'ERR_NETWORK', config)));
		expect(linesOf(text)).toBeLessThanOrEqual(25);
		expect(text).toContain('failure-lines.test.ts');
		expect(text).not.toContain('hunter2');
	});
});

test.each([
	['it failed', 'it failed (ERR_X)'],
	['it failed (ERR_X)', 'it failed (ERR_X)'],
	['it failed (EACCES)', 'it failed (EACCES, ERR_X)'],
	['it failed (EACCES, status 403)', 'it failed (EACCES, status 403, ERR_X)'],
	['it failed (for a reason)', 'it failed (for a reason) (ERR_X)'],
])('a console prints the codes of an error once, and together: %s', async (message, line) => {
	expect(await printed(new AxiosError(message, 'ERR_X'))).toBe(
		`axios-mtls: request failed: ${line}`,
	);
});
