import {X509Certificate} from 'node:crypto';
import {chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import type {CertificateWarning} from '../../../src/tls/credentials/checks.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {issueFor, publicKeyOf} from '../../support/issue-for.ts';
import {pfxOf} from '../../support/pfx-writer.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let directory: string;
let pki: TestPki;
let client: Credential;
beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), 'axios-mtls-notices-'));
	pki = await createTestPki();
	client = await pki.client();
});
afterAll(() => rmSync(directory, {recursive: true}));

function notices(options: MtlsOptions, now = new Date()): readonly CertificateWarning[] {
	return loadCredentials(options, now)?.warnings ?? [];
}

describe('an end that is near', () => {
	const at = (beforeEndMs: number) => {
		const {validToDate} = new X509Certificate(client.leaf);
		return notices(client, new Date(validToDate.getTime() - beforeEndMs));
	};

	test.each([
		['31 days', 31 * DAY_MS, undefined],
		['30 days and a millisecond', 30 * DAY_MS + 1, undefined],
		['30 days', 30 * DAY_MS, 30],
		['a millisecond less than 30 days', 30 * DAY_MS - 1, 29],
		['29 days', 29 * DAY_MS, 29],
		['a day', DAY_MS, 1],
		['a millisecond less than a day', DAY_MS - 1, 0],
		['no time at all', 0, 0],
	])('a certificate with %s left is warned about, or not yet', (_, left, daysLeft) => {
		const validTo = new X509Certificate(client.leaf).validToDate.toISOString();
		expect(at(left)).toEqual(
			daysLeft === undefined ? [] : [{event: 'identity_expiring', validTo, daysLeft}],
		);
	});
});

describe('an identity that servers refuse', () => {
	test('a client certificate that servers refuse is loaded with a warning', async () => {
		const [late, early, wrong] = await Promise.all([
			pki.client({expired: true}),
			pki.client({notYetValid: true}),
			pki.client({purposes: ['serverAuth']}),
		]);
		const allowExpired = true;
		const allowAnyPurpose = true;
		const {validTo} = loadCredentials({...late, allowExpired}, new Date())?.facts ?? {};
		const {validFrom} = loadCredentials({...early, allowExpired}, new Date())?.facts ?? {};
		expect(notices({...late, allowExpired})).toEqual([{event: 'identity_expired', validTo}]);
		expect(notices({...early, allowExpired})).toEqual([
			{event: 'identity_not_yet_valid', validFrom},
		]);
		expect(notices({...wrong, allowAnyPurpose})).toEqual([{event: 'identity_wrong_purpose'}]);
	});

	test('a client certificate with two faults is refused for the first and warned about for both', async () => {
		const both = await pki.client({expired: true, purposes: ['serverAuth']});
		expect(configRefusal({cert: both.cert, key: both.key})).toMatchObject({
			code: 'ERR_MTLS_IDENTITY_EXPIRED',
		});
		const {cert, key} = both;
		expect(configRefusal({cert, key, allowExpired: true}).code).toBe('ERR_MTLS_WRONG_PURPOSE');
		expect(configRefusal({cert, key, allowAnyPurpose: true}).code).toBe(
			'ERR_MTLS_IDENTITY_EXPIRED',
		);
		expect(
			notices({...both, allowExpired: true, allowAnyPurpose: true}).map(({event}) => event),
		).toEqual(['identity_expired', 'identity_wrong_purpose']);
	});

	test.each([
		[
			'of a certificate, for mtls.cert',
			'mtls.cert',
			'the given text',
			(c: Credential) => ({cert: c.cert, key: c.key}),
		],
		[
			'of a PFX, for mtls.pfx',
			'mtls.pfx',
			'the PKCS#12 in the given bytes',
			(c: Credential) => ({pfx: pfxOf(c.cert, c.key)}),
		],
	])(
		'a client certificate that servers refuse, %s, is warned about with its fault',
		async (_, option, where, mtls) => {
			const [late, wrong] = await Promise.all([
				pki.client({expired: true}),
				pki.client({purposes: ['serverAuth']}),
			]);
			expect(configRefusal(mtls(late))).toMatchObject({code: 'ERR_MTLS_IDENTITY_EXPIRED', option});
			expect(configRefusal(mtls(wrong))).toMatchObject({
				code: 'ERR_MTLS_WRONG_PURPOSE',
				option,
				message: `${option}: our certificate 'CN=client' in ${where} is not for clients: its extendedKeyUsage (serverAuth) lacks clientAuth; have one issued with clientAuth; \`mtls.allowAnyPurpose: true\` sends it to a server that takes it`,
			});
		},
	);

	test.each([
		['none', []],
		['clientAuth beside another', ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']],
		['anyExtendedKeyUsage', ['2.5.29.37.0']],
	])(
		'a client certificate whose extended key usage is %s is not warned about',
		async (_, purposes) => {
			const cert = await issueFor(pki, publicKeyOf(client.key), {purposes});
			expect(notices({cert, key: client.key})).toEqual([]);
		},
	);
});

// The mode of a file says nothing on Windows.
describe.skipIf(process.platform === 'win32')('a file with a private key', () => {
	function file(name: string, content: string | Buffer, mode: number): string {
		const path = join(directory, name);
		writeFileSync(path, content);
		chmodSync(path, mode);
		return path;
	}

	test.each([0o600, 0o400, 0o700])('a key file of mode %o is private', (mode) => {
		expect(notices({cert: client.cert, key: file(`${mode}.key`, client.key, mode)})).toEqual([]);
	});

	test.each([0o640, 0o604, 0o644, 0o620, 0o610, 0o601])(
		'a key file of mode %o is warned about',
		(mode) => {
			const path = file(`${mode}.key`, client.key, mode);
			expect(notices({cert: client.cert, key: path})).toEqual([
				{event: 'file_exposed', option: 'mtls.key', path, mode},
			]);
		},
	);

	test('a readable key file is warned about whichever option names it, and once when two do', () => {
		const [both, pfx] = [
			file('both.pem', client.cert + client.key, 0o644),
			file('client.p12', pfxOf(client.cert, client.key), 0o640),
		];
		const exposed = (option: string, path: string, mode: number) => [
			{event: 'file_exposed', option, path, mode},
		];
		expect(notices({cert: both})).toEqual(exposed('mtls.cert', both, 0o644));
		expect(notices({cert: both, key: both})).toEqual(exposed('mtls.key', both, 0o644));
		expect(notices({cert: both, key: client.key})).toEqual(exposed('mtls.cert', both, 0o644));
		expect(notices({pfx})).toEqual(exposed('mtls.pfx', pfx, 0o640));
	});

	test('a readable file that holds only a certificate is not warned about', () => {
		const cert = file('client.crt', client.cert, 0o644);
		expect(notices({cert, key: client.key})).toEqual([]);
	});

	test.skipIf(process.getuid?.() !== 0)(
		'a readable key file of another user is not warned about',
		() => {
			const path = file('theirs.key', client.key, 0o644);
			chownSync(path, 1, 1);
			expect(notices({cert: client.cert, key: path})).toEqual([]);
		},
	);
});
