import {beforeAll, expect, test} from 'vitest';
import {type Credential, createTestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {passphraseProvider} from '../../../src/tls/credentials/passphrase.ts';

let locked: Credential;
beforeAll(async () => {
	locked = await (await createTestPki()).client({passphrase: 'MARK-open'});
});

test('a passphrase is given as it is', () => {
	expect(passphraseProvider({passphrase: 'x'})()).toBe('x');
	expect(passphraseProvider({})()).toBeUndefined();
});

test('a function is called when it is needed, and once', () => {
	let calls = 0;
	const ask = passphraseProvider({
		passphrase: () => {
			calls++;
			return '';
		},
	});
	expect(calls).toBe(0);
	expect([ask(), ask(), calls]).toEqual(['', '', 1]);
});

test('two encrypted keys in one file ask once', () => {
	let calls = 0;
	const passphrase = () => {
		calls++;
		return 'MARK-open';
	};
	const identity = loadCredentials(
		{...locked, key: locked.key + locked.key, passphrase},
		new Date(),
	);
	expect(identity).toBeDefined();
	expect(calls).toBe(1);
});

test.each<[string, () => unknown, string]>([
	['a promise', async () => 'MARK-open', 'found that it returned a promise'],
	['nothing', () => undefined, 'found that it returned undefined'],
	['null', () => null, 'found that it returned null'],
	['bytes', () => Buffer.from('MARK-open'), 'found that it returned object'],
	[
		'an exception',
		() => {
			throw new Error('no terminal');
		},
		'the function failed instead of returning the passphrase',
	],
])('a function that returns %s is refused for mtls.passphrase', (_, passphrase, message) => {
	const options = {...locked, passphrase: passphrase as () => string};
	expect(() => loadCredentials(options, new Date())).toThrow(
		expect.objectContaining({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'mtls.passphrase',
			message: expect.stringContaining(message),
		}),
	);
});
