import {constants, X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {run} from '../../../src/cli/run.ts';
import {readClientOptions} from '../../../src/cli/shared/client-options.ts';
import type {ClientFlags} from '../../../src/cli/shared/flags.ts';
import {flagOf, flagRows} from '../../../src/cli/shared/flags.ts';
import {createClient} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {fakeIo, tempDir} from '../../support/fake-io.ts';
import {flagTable} from '../../support/flag-table.ts';

test.each(['get', 'check'])('the help of %s has each flag of the table', async (command) => {
	const io = fakeIo();
	await run([command, '--help'], io);
	for (const [name, {argument = '', group}] of flagRows) {
		expect(io.out()).toMatch(
			new RegExp(
				`^ {2}(-\\w, )?${`${flagOf(name)} ${argument}`.trim()}\\b|^ {2}(-\\w, )?${`${flagOf(name)} ${argument}`.trim()}`,
				'm',
			),
		);
		expect(io.out()).toContain(`\n${group}\n`);
	}
});

test('each flag sets its option of the library, and the library takes it', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const [own, proxys] = [await pki.client({passphrase: 'a'}), await pki.client({passphrase: 'b'})];
	const [ownAlias, proxysAlias] = [own, proxys].map(
		({leaf}) => new X509Certificate(leaf).fingerprint256,
	) as [string, string];
	const pin = 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
	const crl = dir.write('crl', await pki.crl());
	const ca = dir.write('ca', pki.ca);
	const flags: ClientFlags = {
		cert: dir.write('cert', own.cert),
		key: dir.write('key', own.key),
		passphraseFile: dir.write('pass', 'a\nb\n'),
		alias: ownAlias,
		allowExpired: true,
		allowAnyPurpose: true,
		origin: ['https://a.example'],
		ca: ['default', ca],
		crl: [crl],
		pin: [pin, pin],
		spiffeId: 'spiffe://a.example',
		servername: 'a.example',
		requireClientAuth: true,
		tlsMin: 'TLSv1.1',
		tlsMax: '1.3',
		ciphers: 'DEFAULT',
		ecdhCurve: 'prime256v1:brainpoolP256r1',
		sigalgs: 'ECDSA+SHA256',
		secureOptions: 'SSL_OP_LEGACY_SERVER_CONNECT,SSL_OP_NO_TICKET',
		http2: true,
		insecureRedirects: true,
		proxy: 'https://p.example:443',
		proxyCert: dir.write('proxy-cert', proxys.cert),
		proxyKey: dir.write('proxy-key', proxys.key),
		proxyPassphraseFile: dir.write('proxy-pass', 'b'),
		proxyAlias: proxysAlias,
		proxyAllowExpired: true,
		proxyAllowAnyPurpose: true,
		proxyCa: [ca],
		proxyCrl: [crl],
		proxyPin: [pin],
		proxyServername: 'q.example',
		proxyTlsMin: '1.2',
		proxyTlsMax: 'TLSv1.2',
		proxyCiphers: 'HIGH',
		proxyEcdhCurve: 'X25519',
		proxySigalgs: 'RSA-PSS+SHA256',
		proxySecureOptions: '4',
	};
	const options = readClientOptions(flags, fakeIo());

	expect(options).toEqual({
		mtls: {
			cert: flags.cert,
			key: flags.key,
			passphrase: 'a',
			alias: ownAlias,
			allowExpired: true,
			allowAnyPurpose: true,
			origins: ['https://a.example'],
			ca: ['default', ca],
			crl,
			pins: [pin, pin],
			spiffeId: 'spiffe://a.example',
			servername: 'a.example',
			requireClientAuth: true,
			minVersion: 'TLSv1.1',
			maxVersion: 'TLSv1.3',
			ciphers: 'DEFAULT',
			ecdhCurve: 'prime256v1:brainpoolP256r1',
			sigalgs: 'ECDSA+SHA256',
			secureOptions: 4 + constants.SSL_OP_NO_TICKET,
			proxy: {
				cert: flags.proxyCert,
				key: flags.proxyKey,
				passphrase: 'b',
				alias: proxysAlias,
				allowExpired: true,
				allowAnyPurpose: true,
				ca,
				crl,
				pins: pin,
				servername: 'q.example',
				minVersion: 'TLSv1.2',
				maxVersion: 'TLSv1.2',
				ciphers: 'HIGH',
				ecdhCurve: 'X25519',
				sigalgs: 'RSA-PSS+SHA256',
				secureOptions: 4,
			},
		},
		httpVersion: 2,
		allowInsecureRedirects: true,
		proxy: 'https://p.example:443',
	});
	await createClient({...options, logger: false}).mtls.close();

	// Every row of the table is in this test, or read by the command itself.
	const tried = new Set([...Object.keys(flags), 'pfx', 'proxyPfx']);
	expect(flagRows.filter(([name, {ownUse}]) => !ownUse && !tried.has(name))).toEqual([]);
});

test('a PKCS#12 is given by --pfx and --proxy-pfx', () => {
	const io = fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'c'}});
	expect(readClientOptions({pfx: 'a.p12', proxyPfx: 'b.p12'}, io)).toEqual({
		mtls: {passphrase: 'c', pfx: 'a.p12', proxy: {pfx: 'b.p12'}},
	});
});

test('a command line without flags sets no options', () => {
	expect(readClientOptions({}, fakeIo())).toEqual({mtls: {}});
});

test.each([
	['TLS1.2', 'did you mean TLSv1.2?'],
	['tlsv1.3', 'did you mean TLSv1.3?'],
	['SSLv3', 'known are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'],
	['1.4', 'known are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'],
])('the TLS version %s is refused with a suggestion', async (text, hint) => {
	for (const flag of ['--tls-min', '--tls-max', '--proxy-tls-min', '--proxy-tls-max']) {
		const io = fakeIo();
		expect(await run(['get', 'https://a.example/', flag, text], io)).toBe(64);
		expect(io.err()).toBe(`axios-mtls: ${flag}: '${text}' is not a TLS version\n  ${hint}\n`);
	}
});

test.each([
	['0', 0],
	['4', 4],
	['4294967295', 2 ** 32 - 1],
	['SSL_OP_LEGACY_SERVER_CONNECT', 4],
	['SSL_OP_LEGACY_SERVER_CONNECT|SSL_OP_LEGACY_SERVER_CONNECT', 4],
	['SSL_OP_ALL, SSL_OP_LEGACY_SERVER_CONNECT', constants.SSL_OP_ALL + 4],
])('the bits %s of --secure-options are taken', (secureOptions, bits) => {
	expect(readClientOptions({secureOptions}, fakeIo()).mtls.secureOptions).toBe(bits);
});

test.each([
	['SSL_OP_LEGACY_SERVER_CONECT', 'did you mean SSL_OP_LEGACY_SERVER_CONNECT?'],
	['-4', 'such as SSL_OP_LEGACY_SERVER_CONNECT'],
	['SSLv2', 'such as SSL_OP_LEGACY_SERVER_CONNECT'],
])('the bits %s of --secure-options are refused with a suggestion', async (text, hint) => {
	for (const flag of ['--secure-options', '--proxy-secure-options']) {
		const io = fakeIo();
		expect(await run(['get', 'https://a.example/', `${flag}=${text}`], io)).toBe(64);
		expect(io.errText()).toContain(`axios-mtls: ${flag}: '${text}' is neither a number nor a name`);
		expect(io.errText()).toContain(`${hint}`);
	}
});

test.each(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3', '1.0', '1.1', '1.2', '1.3'])(
	'the TLS version %s is taken',
	(text) => {
		const {mtls} = readClientOptions({tlsMin: text}, fakeIo());
		expect(mtls.minVersion).toBe(`TLSv${text.replace('TLSv', '')}`.replace('v1.0', 'v1'));
	},
);

test('docs/cli.md has the table of flags', () => {
	const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
	const [, table] = /<!-- flags: .* -->\n\n([\s\S]*)\n<!-- end of flags -->/.exec(text) ?? [];
	expect(table).toBe(flagTable());
});
