import {MtlsConfigError} from '../../config-error.ts';
import type {MtlsOptions} from '../../options/mtls.ts';
import {describeType} from '../../util/check-options.ts';

/** Returns the passphrase. Calls the app's function at most once. */
export type PassphraseProvider = () => string | undefined;

/**
 * A function to call when something encrypted is found. It throws an {@link MtlsConfigError} when the
 * app's own function throws, or returns no string.
 */
export function passphraseProvider({passphrase}: MtlsOptions): PassphraseProvider {
	if (typeof passphrase !== 'function') return () => passphrase;
	let known: string | undefined;
	return () => {
		known ??= call(passphrase);
		return known;
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

/**
 * Why something encrypted was not opened: `the passphrase does not open the key in file 'client.key'`.
 *
 * Security: of the passphrase it tells at most that there are blanks around it.
 */
export function notOpened(what: string, passphrase: string | undefined): string {
	if (passphrase === undefined) return `${what} is encrypted and no passphrase was given`;
	// An unset variable that was given a default.
	if (passphrase === '') return `an empty passphrase does not open ${what}: is the variable set?`;
	const text = `the passphrase does not open ${what}`;
	if (/[\r\n]$/.test(passphrase)) {
		return `${text}: it ends with a line end, as text from a file or a mounted secret does; \`trimEnd()\` takes it off`;
	}
	return /^\s|\s$/.test(passphrase) ? `${text}: it begins or ends with a blank` : text;
}
