import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {parseCookie} from '../../../../src/cli/check/build-report.ts';
import {renderPage} from '../../../../src/cli/check/html/page.ts';
import {drawTimeline, stretch} from '../../../../src/cli/check/html/timeline.ts';
import {nextCommands} from '../../../../src/cli/check/next-steps.ts';
import type {CheckReport, Link} from '../../../../src/cli/check/report.ts';
import {drawChain, renderText, sentence} from '../../../../src/cli/check/text.ts';
import {run} from '../../../../src/cli/run.ts';
import type {ClientFlags} from '../../../../src/cli/shared/flags.ts';
import {
	commonName,
	daysUntil,
	fromNow,
	listNames,
	shortName,
} from '../../../../src/cli/shared/format-certificate.ts';
import {createTestPki, startMtlsServer} from '../../../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../../../support/fake-io.ts';

const now = new Date('2026-06-01T00:00:00.000Z');

function link(changes: Partial<Link> = {}): Link {
	return {
		role: 'server',
		subject: 'CN=a.example, O=A',
		issuer: 'CN=Some CA',
		altNames: ['DNS:a.example'],
		validFrom: '2026-01-01T00:00:00.000Z',
		validTo: '2026-12-31T00:00:00.000Z',
		validity: 'valid',
		daysLeft: 213,
		pinned: false,
		pin: 'sha256//AAAA',
		fingerprint256: '00:11',
		caIssuers: [],
		...changes,
	};
}

function report(changes: Partial<CheckReport> = {}): CheckReport {
	return {
		format: 1,
		url: 'https://a.example/',
		checkedAt: now.toISOString(),
		exitCode: 0,
		summary: 'the server is who it says it is',
		steps: [{id: 'chain', title: 'chain', state: 'good', text: 'leads to a CA'}],
		tls: {protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384'},
		chain: [link(), link({role: 'root', subject: 'CN=Some CA', altNames: []})],
		missingIssuer: null,
		clientCertificate: {
			requested: true,
			required: true,
			accepted: true,
			acceptedIssuers: null,
			ours: null,
		},
		http: {status: 200, statusText: 'OK', location: null},
		cookies: [],
		failure: null,
		next: ['axios-mtls get https://a.example/'],
		...changes,
	};
}

test('the page needs nothing else: no script, no link, no address to fetch', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const io = fakeIo();
	const argv = ['check', server.url('/'), ...(await identityOptions(dir, server.pki))];

	expect(await run([...argv, '--html', dir.at('page.html')], io)).toBe(0);

	const page = readFileSync(dir.at('page.html'), 'utf8');
	expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
	expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|use|image|form|a)\b/i);
	expect(page).not.toMatch(/\b(src|href|srcset|action|xlink:href|on\w+)\s*=/i);
	expect(page).not.toMatch(/url\(|@import|@font-face/i);
	expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
	expect(page.match(/<li class="link /g)).toHaveLength(2);
	expect(page.match(/<div class="bar"/g)).toHaveLength(2);
	expect(page).toContain('prefers-color-scheme: dark');
	expect(io.out()).toContain(`The page is in ${dir.at('page.html')}`);
});

test('the page is written beside --json too, and stdout is the object alone', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({expired: true});
	await using server = await startMtlsServer({pki, credential});
	const io = fakeIo();

	const argv = ['check', server.url('/'), ...(await identityOptions(dir, pki)), '--json'];
	expect(await run([...argv, '--html', dir.at('page.html')], io)).toBe(1);

	const {failure} = JSON.parse(io.out());
	const page = readFileSync(dir.at('page.html'), 'utf8');
	expect(page).toContain('Likely causes');
	expect(page).toContain(failure.reasons[0].replaceAll("'", '&#39;'));
});

test('text of a server is escaped in the page and in the drawings', () => {
	const evil = '</title><script>alert(1)</script>"\'&\u001b[2K';
	const page = renderPage(
		report({
			chain: [link({subject: `CN=${evil}`, issuer: `CN=${evil}`, altNames: [`DNS:${evil}`]})],
			missingIssuer: `CN=${evil}`,
			cookies: [{name: evil, attributes: [`Path=${evil}`]}],
			steps: [{id: 'answer', title: 'answer', state: 'good', text: evil}],
			failure: {
				kind: 'expired',
				side: 'server',
				certain: false,
				message: evil,
				reasons: [evil],
				hint: evil,
			},
			next: [evil],
		}),
	);

	expect(page).not.toContain('<script');
	expect(page).not.toContain('\u001b');
	expect(page).toContain('&#60;script&#62;');
	// Nothing of it has closed an element early.
	expect(page.match(/<title>/g)?.length).toBe(page.match(/<\/title>/g)?.length);
});

test('the timeline marks today, and shows a week beside ten years', () => {
	const timeline = drawTimeline(
		[
			link({validFrom: '2026-05-25T00:00:00.000Z', validTo: '2026-06-08T00:00:00.000Z'}),
			link({validFrom: '2016-06-01T00:00:00.000Z', validTo: '2036-06-01T00:00:00.000Z'}),
		],
		now,
	);

	expect(timeline).toContain('today, 2026-06-01');
	const bars = Array.from(
		timeline.matchAll(/margin-left: ([\d.]+)%; width: ([\d.]+)%/g),
		([, left, width]) => ({left: Number(left), width: Number(width)}),
	);
	// The CA is drawn on top. In percent of the page.
	expect(bars[0]?.width).toBeGreaterThan(70);
	expect(bars[1]?.width).toBeGreaterThan(7);
	for (const {left, width} of bars) expect(left + width).toBeLessThanOrEqual(100);
	expect(timeline).toContain('in 10 years');
	expect(stretch(-30)).toBe(-stretch(30));
	expect(stretch(0)).toBe(0);
});

test('a certificate without a date has no bar, and does not spoil the others', () => {
	const odd = link({validFrom: 'Bad time value', validTo: 'Bad time value', daysLeft: null});

	expect(drawTimeline([odd], now)).toBe('');
	expect(drawTimeline([odd, link()], now)).not.toContain('NaN');
	expect(renderPage(report({chain: [odd, link()]}))).not.toContain('NaN');
});

test('a report without a chain has no drawing', () => {
	const page = renderPage(report({chain: [], tls: null, http: null}));

	expect(page).not.toMatch(/<(ol class="chain"|div class="timeline")/);
	expect(page).not.toContain('The chain');
	expect(renderText(report({chain: []}), false).join('\n')).not.toContain('The chain');
});

test('the tree says what has expired, what is pinned and what is missing', () => {
	const chain = [link({validity: 'expired', validTo: '2026-05-01T00:00:00.000Z', pinned: true})];

	const lines = drawChain({
		chain,
		missingIssuer: 'CN=Lost CA',
		trusted: false,
		toCompare: true,
		now,
	});

	expect(lines.map(({branch, text}) => branch + text)).toEqual([
		'Lost CA (not sent, and not known here)',
		'└─ a.example',
		'      issued by Some CA',
		'      expired 31 days ago: valid 2026-01-01 to 2026-05-01',
		'      names a.example',
		'      pin sha256//AAAA',
		'      SHA-256 00:11',
		'      pinned with --pin',
	]);
	expect(lines.filter(({tone}) => tone === 'bad').map(({text}) => text)).toHaveLength(2);
});

test('a cookie is shown without its value, whatever its line looks like', () => {
	expect(parseCookie('a=v; Path=/; Secure')).toEqual({name: 'a', attributes: ['Path=/', 'Secure']});
	expect(parseCookie('a=v=w')).toEqual({name: 'a', attributes: []});
	expect(parseCookie('value')).toEqual({name: '', attributes: []});
	expect(parseCookie('=value; secure')).toEqual({name: '', attributes: ['secure']});
	expect(parseCookie('a=v; value; pathology=v')).toEqual({name: 'a', attributes: []});
	expect(parseCookie('')).toEqual({name: '', attributes: []});
});

test('times are written as a person would say them', () => {
	const at = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();
	expect([0.5, 1, 2, 729, 730, 731, -0.5, -1, -3000].map((days) => fromNow(at(days), now))).toEqual(
		[
			'in less than a day',
			'in 1 day',
			'in 2 days',
			'in 729 days',
			'in 1 years',
			'in 2 years',
			'less than a day ago',
			'1 day ago',
			'8 years ago',
		],
	);
	expect(fromNow('nonsense', now)).toBe('no date');
	expect(daysUntil(at(-0.5), now)).toBe(-1);
});

test('names are shortened, and not listed by the hundred', () => {
	expect(commonName('O=A, CN=a.example')).toBe('a.example');
	expect(commonName('O=A')).toBe('O=A');
	expect(commonName('')).toBe('(no name)');
	expect(shortName('IP Address:0:0:0:0:0:0:0:1')).toBe('::1');
	expect(shortName('URI:spiffe://a.example/b')).toBe('spiffe://a.example/b');
	expect(listNames(['DNS:a', 'DNS:b', 'DNS:c'], 2)).toBe('a, b and 1 more');
	expect(listNames([])).toBe('none');
	expect(sentence('localhost:1 hung up')).toBe('localhost:1 hung up.');
	expect(sentence("the server's key")).toBe("The server's key.");
});

test('a command to try holds no text of a server that a shell or curl would obey', () => {
	const failure = {side: 'server', certain: true, message: '', reasons: [], hint: ''} as const;
	const next = (changes: Partial<CheckReport>, flags: ClientFlags = {}) =>
		nextCommands({
			report: report(changes),
			url: 'https://a.example/',
			flags,
			server: {host: 'a.example', port: 443},
			proxy: undefined,
			spoken: undefined,
			program: 'axios-mtls',
		});
	const missing = next({
		failure: {...failure, kind: 'missing-intermediate'},
		chain: [link({caIssuers: ['--config=/tmp/x']})],
	});
	expect(missing.join('\n')).not.toContain('--config');
	const chain = [link({altNames: ['DNS:*.b.example', 'DNS:$(reboot)', 'DNS:b.example']})];
	const named = {failure: {...failure, kind: 'wrong-name'}, chain} as const;
	expect(next(named, {ca: ["my ca's.pem"]})).toEqual([
		'# go on only if its operator tells you this name, too',
		"axios-mtls check https://a.example/ --ca 'my ca'\\''s.pem' --servername b.example",
		'getent hosts a.example',
	]);
});
