/*
 * Every key and every container, with the right passphrase, a wrong one and none.
 */
import {describe, expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {
	type CredentialForm,
	makeCorpus,
	mtlsOf,
	passphrase,
} from '../../support/credential-forms.ts';

const wrong = 'MARK-wrong-horse';
const {forms} = await makeCorpus();

function given(form: CredentialForm, word: string | undefined): MtlsOptions {
	return {...mtlsOf(form), ...(word !== undefined && {passphrase: word})};
}

function expectLoaded(form: CredentialForm, word: string | undefined): void {
	const identity = loadCredentials(given(form, word), new Date());
	expect(identity?.facts.fingerprint256).toBe(form.fingerprint256);
	expect(identity?.warnings).toEqual([]);
	const sent = identity?.cert.match(/-----BEGIN/g) ?? [];
	expect(sent.length > 1).toBe(form.hasChain);
}

function expectRefused(form: CredentialForm, word: string | undefined): void {
	expect(configRefusal(given(form, word), [passphrase, wrong])).toMatchObject({
		code: 'ERR_MTLS_BAD_PASSPHRASE',
		option: 'mtls.passphrase',
	});
}

describe.each(forms.map((form) => [form.name, form] as const))('%s', (_, form) => {
	test('a credential loads with the right passphrase', () => {
		expectLoaded(form, form.passphrase);
	});

	test('a credential calls the passphrase function once, and only where something is encrypted', () => {
		let asked = 0;
		const answer = () => {
			asked++;
			return form.passphrase ?? '';
		};
		const identity = loadCredentials({...mtlsOf(form), passphrase: answer}, new Date());
		expect(identity?.facts.fingerprint256).toBe(form.fingerprint256);
		expect(asked).toBe(form.passphrase === undefined ? 0 : 1);
	});

	if (form.passphrase === undefined) {
		test('a credential loads with a passphrase that it does not need', () => {
			expectLoaded(form, wrong);
		});
		return;
	}

	test('an encrypted credential is refused with a wrong passphrase', () => {
		expectRefused(form, wrong);
	});

	if (form.passphrase === '') {
		test('a credential without encryption loads without a passphrase', () => {
			expectLoaded(form, undefined);
		});
		return;
	}

	test('an encrypted credential is refused without a passphrase, and with an empty one', () => {
		expectRefused(form, undefined);
		expectRefused(form, '');
	});
});
