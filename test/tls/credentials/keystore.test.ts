/*
 * A file with several identities: which one is used, and what is told when none or two could be.
 */
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {type CertificateOptions, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {type Content, writePfx} from '../../support/pfx-writer.ts';

const passphrase = 'MARK-changeit';

interface Entry {
	readonly alias: string | undefined;
	readonly certs: readonly string[];
	readonly key: string;
}

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

async function entry(alias: string | undefined, options: CertificateOptions = {}): Promise<Entry> {
	const {cert, key} = await pki.client({commonName: alias ?? 'unnamed', ...options});
	return {alias, certs: cert.match(/-----BEGIN.*?-----END.*?-----/gs) ?? [], key};
}

const named = (der: Buffer, alias: string | undefined): Content =>
	alias === undefined ? der : {der, name: alias};

/** As keytool writes it: the alias is the friendlyName of the key and of its certificate. */
function keystore(entries: readonly Entry[], certificates: readonly Buffer[] = []): Buffer {
	return writePfx({
		keys: entries.map(({key, alias}) =>
			named(createPrivateKey(key).export({type: 'pkcs8', format: 'der'}), alias),
		),
		certificates: [
			...entries.flatMap(({certs, alias}) =>
				certs.map((cert, at) => {
					const {raw} = new X509Certificate(cert);
					return at === 0 ? named(raw, alias) : raw;
				}),
			),
			...certificates,
		],
		passphrase,
		key: 'aes-256',
		cert: 'aes-256',
		mac: 'sha256',
	});
}

function load(pfx: Buffer, options: MtlsOptions = {}) {
	return loadCredentials({pfx, passphrase, ...options}, new Date());
}

const fingerprintOf = ({certs: [leaf = '']}: Entry) => new X509Certificate(leaf).fingerprint256;
const refusal = (pfx: Buffer, options: MtlsOptions = {}) =>
	configRefusal({pfx, passphrase, ...options}, [passphrase]);

describe('the one identity that can be used', () => {
	test.each<[string, CertificateOptions]>([
		['expired', {expired: true}],
		['not valid yet', {notYetValid: true}],
		['for servers', {purposes: ['serverAuth']}],
	])('the valid identity is taken beside one that is %s, in either order', async (_, flaw) => {
		const [old, renewed] = [await entry('old', flaw), await entry('renewed')];
		for (const entries of [
			[old, renewed],
			[renewed, old],
		]) {
			const identity = load(keystore(entries));
			expect(identity?.facts.fingerprint256).toBe(fingerprintOf(renewed));
			expect(identity?.key).toBe(renewed.key);
			expect(identity?.warnings).toEqual([]);
		}
	});

	test('a key without a certificate of its own is passed over', async () => {
		const [lost, whole] = [await entry('lost'), await entry('whole')];
		const pfx = keystore([{...lost, certs: []}, whole]);
		expect(load(pfx)?.facts.fingerprint256).toBe(fingerprintOf(whole));
	});

	test('a key that is stored twice is one identity', async () => {
		const one = await entry('one');
		const pfx = keystore([one, {...one, alias: 'copy'}]);
		expect(load(pfx)?.facts.fingerprint256).toBe(fingerprintOf(one));
	});

	test('a renewed identity is taken also where the expired one of its name is allowed', async () => {
		const [old, renewed] = [
			await entry('old', {expired: true, commonName: 'alice'}),
			await entry('renewed', {commonName: 'alice'}),
		];
		const identity = load(keystore([old, renewed]), {allowExpired: true});
		expect(identity?.facts.fingerprint256).toBe(fingerprintOf(renewed));
	});

	test('the chain sent has nothing of the other identities', async () => {
		const [old, renewed] = [await entry('old', {expired: true}), await entry('renewed')];
		const sent = load(keystore([old, renewed]))?.cert ?? '';
		expect(new X509Certificate(sent).fingerprint256).toBe(fingerprintOf(renewed));
		expect(sent).not.toContain(old.certs[0]?.split('\n')[1]);
	});
});

describe('two identities that can be used', () => {
	test('two usable identities are refused with a list of what distinguishes them', async () => {
		const [one, two] = [await entry('one'), await entry('two')];
		const error = refusal(keystore([one, two]));
		expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.alias'});
		const until = new X509Certificate(one.certs[0] ?? '').validToDate.toISOString().slice(0, 10);
		expect(error.message).toBe(
			`mtls.alias: the PKCS#12 in the given bytes holds 2 identities that can be used; name one by its alias or its SHA-256 fingerprint: 'one' (CN=one), until ${until}, ${fingerprintOf(one)}; 'two' (CN=two), until ${until}, ${fingerprintOf(two)}`,
		);
	});

	test('an expired identity that is allowed is one of two, and the valid one is not sent in its place', async () => {
		const [alice, bob] = [await entry('alice', {expired: true}), await entry('bob')];
		for (const entries of [
			[alice, bob],
			[bob, alice],
		]) {
			const pfx = keystore(entries);
			const error = refusal(pfx, {allowExpired: true});
			expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.alias'});
			expect(error.message).toContain('holds 2 identities that can be used');
			for (const each of entries) expect(error.message).toContain(fingerprintOf(each));
			expect(load(pfx)?.facts.fingerprint256).toBe(fingerprintOf(bob));
			const named = load(pfx, {allowExpired: true, alias: 'alice'});
			expect(named?.facts.fingerprint256).toBe(fingerprintOf(alice));
		}
	});

	test('the list of identities ends after ten', async () => {
		const entries = await Promise.all(Array.from({length: 12}, (_, n) => entry(`entry-${n}`)));
		const {message} = refusal(keystore(entries));
		expect(message).toContain("'entry-9' (CN=entry-9)");
		expect(message).not.toContain('entry-10');
		expect(message).toMatch(/; and 2 more$/);
	});

	test('alias chooses by name, in any capitals, and by fingerprint, with or without colons', async () => {
		const [one, two] = [await entry('one'), await entry('Two')];
		const pfx = keystore([one, two]);
		const print = fingerprintOf(two);
		for (const alias of [
			'Two',
			'two',
			'TWO',
			print,
			print.toLowerCase(),
			print.replaceAll(':', ''),
			print.replaceAll(':', '').toLowerCase(),
		]) {
			expect(load(pfx, {alias})?.facts.fingerprint256).toBe(print);
		}
		expect(load(pfx, {alias: 'one'})?.facts.fingerprint256).toBe(fingerprintOf(one));
	});

	test('alias with exactly its capitals wins over the same name in others', async () => {
		const [small, capital] = [await entry('bank'), await entry('BANK')];
		const pfx = keystore([small, capital]);
		expect(load(pfx, {alias: 'bank'})?.facts.fingerprint256).toBe(fingerprintOf(small));
		expect(load(pfx, {alias: 'BANK'})?.facts.fingerprint256).toBe(fingerprintOf(capital));
		expect(refusal(pfx, {alias: 'Bank'}).option).toBe('mtls.alias');
	});

	test('an alias that is not there is refused with those that are, and not repeated', async () => {
		const [one, two] = [await entry('one'), await entry('two', {expired: true})];
		const pfx = keystore([one, two]);
		for (const alias of ['MARK-three', `${fingerprintOf(one)}:00`, 'on']) {
			const error = refusal(pfx, {alias});
			expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.alias'});
			expect(error.message).toContain("'one' (CN=one)");
			expect(error.message).toContain("'two' (CN=two)");
			expect(error.message).not.toContain('MARK');
		}
	});

	test('identities without names are chosen by fingerprint', async () => {
		const [one, two] = [await entry(undefined), await entry(undefined)];
		const pfx = keystore([one, two]);
		expect(refusal(pfx).message).toContain(`'CN=unnamed', until`);
		const alias = fingerprintOf(two);
		expect(load(pfx, {alias})?.facts.fingerprint256).toBe(alias);
	});

	test('alias chooses between keys in PEM by fingerprint', async () => {
		const [one, two] = [await entry('one'), await entry('two')];
		const cert = [...one.certs, ...two.certs].join('\n');
		const key = one.key + two.key;
		expect(configRefusal({cert, key}, [one.key, two.key])).toMatchObject({option: 'mtls.alias'});
		for (const each of [one, two]) {
			const alias = fingerprintOf(each);
			expect(loadCredentials({cert, key, alias}, new Date())?.facts.fingerprint256).toBe(alias);
		}
	});

	test('a control character in a name of the file is escaped', async () => {
		const error = refusal(keystore([await entry('a\u001b[2J\nb'), await entry('two')]));
		expect(error.message).toContain("'a\\x1b[2J\\x0ab'");
		expect(error.message).not.toMatch(/\p{Cc}/u);
	});
});

describe('no identity that can be used', () => {
	test('each of several identities is refused with its own reason', async () => {
		const entries = [
			await entry('old', {expired: true}),
			await entry('web', {purposes: ['serverAuth']}),
		];
		const error = refusal(keystore(entries));
		expect(error).toMatchObject({code: 'ERR_MTLS_IDENTITY_EXPIRED', option: 'mtls.pfx'});
		expect(error.message).toMatch(
			/^mtls\.pfx: none of the 2 identities in the PKCS#12 in the given bytes can be used: 'old' \(CN=old\) expired on \S+( \S+ UTC)?; 'web' \(CN=web\) is not for clients: its extendedKeyUsage \(serverAuth\) lacks clientAuth; `mtls\.allowExpired: true` or `mtls\.allowAnyPurpose: true` with `mtls\.alias` sends one all the same$/,
		);
	});

	test('each switch allows what it names, of several identities too', async () => {
		const [old, web] = [
			await entry('old', {expired: true}),
			await entry('web', {purposes: ['serverAuth']}),
		];
		const pfx = keystore([old, web]);
		const chosen = (options: MtlsOptions) => load(pfx, options)?.facts.fingerprint256;
		expect(chosen({allowExpired: true})).toBe(fingerprintOf(old));
		expect(chosen({allowAnyPurpose: true})).toBe(fingerprintOf(web));
		const both = {allowExpired: true, allowAnyPurpose: true};
		expect(refusal(pfx, both).option).toBe('mtls.alias');
		expect(chosen({...both, alias: 'web'})).toBe(fingerprintOf(web));
		expect(refusal(pfx, {alias: 'web', allowExpired: true}).code).toBe('ERR_MTLS_WRONG_PURPOSE');
	});

	test('an alias of an expired identity is refused although another one is valid', async () => {
		const pfx = keystore([await entry('old', {expired: true}), await entry('renewed')]);
		expect(refusal(pfx, {alias: 'old'})).toMatchObject({
			code: 'ERR_MTLS_IDENTITY_EXPIRED',
			option: 'mtls.pfx',
		});
	});
});

test('an alias without a file to choose from is refused', () => {
	expect(configRefusal({ca: pki.ca, alias: 'MARK-one'}, ['MARK-one'])).toMatchObject({
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'mtls.alias',
		message: 'mtls.alias: it chooses an identity of `mtls.pfx`, and there is none',
	});
});

test('an identity loader may bring an alias, or get that of the options', async () => {
	const [one, two] = [await entry('one'), await entry('two')];
	const pfx = keystore([one, two]);
	const {createClient} = await import('../../../src/index.ts');
	const identity = () => ({pfx, passphrase});
	const byOptions = createClient({mtls: {identity, alias: 'two'}, logger: false});
	expect(byOptions.mtls.identity?.subject).toBe('CN=two');
	const byLoader = createClient({
		mtls: {identity: () => ({pfx, passphrase, alias: 'one'})},
		logger: false,
	});
	expect(byLoader.mtls.identity?.subject).toBe('CN=one');
	await Promise.all([byOptions.mtls.close(), byLoader.mtls.close()]);
});

test.each([5, null, {}])(
	'an alias that is no string is refused, also from a loader: %j',
	async (alias) => {
		const pfx = keystore([await entry('one')]);
		const {createClient} = await import('../../../src/index.ts');
		for (const mtls of [{pfx, passphrase, alias}, {identity: () => ({pfx, passphrase, alias})}]) {
			expect(() => createClient({mtls: mtls as unknown as MtlsOptions, logger: false})).toThrow(
				expect.objectContaining({
					name: 'MtlsConfigError',
					code: 'ERR_MTLS_BAD_OPTION',
					option: 'mtls.alias',
					message: expect.stringContaining('expected a string that is not empty, found'),
				}),
			);
		}
	},
);
