import {createPrivateKey, type KeyExportOptions} from 'node:crypto';
import {expect} from 'vitest';
import {createClient, MtlsAgent, MtlsConfigError, type MtlsOptions} from '../../src/index.ts';
import {pemMarks, printedForms} from './printed-forms.ts';

/** The error by which `make` refuses what it is given. */
export function refusalBy(make: () => unknown): MtlsConfigError {
	try {
		make();
	} catch (error) {
		expect(error).toBeInstanceOf(MtlsConfigError);
		return error as MtlsConfigError;
	}
	throw new Error('it was accepted');
}

/**
 * The error that refuses `mtls`: the same from a client and from an agent, and without a word of
 * `secrets`, which are PEM keys or plain words.
 */
export function configRefusal(mtls: unknown, secrets: readonly string[] = []): MtlsConfigError {
	// The types forbid some mistakes; JavaScript does not.
	const options = mtls as MtlsOptions;
	const error = refusalBy(() => createClient({mtls: options}));
	const twin = refusalBy(() => new MtlsAgent(options));
	expect(twin).toMatchObject({message: error.message});

	const printed = printedForms(error);
	for (const secret of secrets) {
		const marks = secret.includes('\n') ? pemMarks(secret) : [secret];
		for (const mark of marks) expect(printed).not.toContain(mark);
	}
	return error;
}

/** Writes a PKCS#8 key in another format. */
export function exportKeyAs(pem: string, format: Omit<KeyExportOptions<'pem'>, 'format'>): string {
	return createPrivateKey(pem)
		.export({...format, format: 'pem'})
		.toString();
}
