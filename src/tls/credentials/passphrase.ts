import {describeType, MtlsConfigError} from '../../config-error.ts';
import type {MtlsOptions} from '../../options.ts';

/** Asks for the passphrase, once however often it is called. */
export type PassphraseProvider = () => string | undefined;

/**
 * The passphrase, as the one who finds something encrypted asks for it.
 *
 * @throws {MtlsConfigError} when asked, if a function throws or gives something else than a string.
 */
export function passphraseProvider({passphrase}: MtlsOptions): PassphraseProvider {
	if (typeof passphrase !== 'function') return () => passphrase;
	let answer: string | undefined;
	return () => {
		answer ??= call(passphrase);
		return answer;
	};
}

function call(passphrase: () => unknown): string {
	let value: unknown;
	try {
		value = passphrase();
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.passphrase',
			'the function failed instead of returning the passphrase',
			cause,
		);
	}
	if (typeof value === 'string') return value;
	const found = value instanceof Promise ? 'a promise' : describeType(value);
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'mtls.passphrase',
		`expected a function that returns a string, found that it returned ${found}`,
	);
}
