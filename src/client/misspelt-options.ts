import {MtlsConfigError} from '../config-error.ts';
import {editDistance} from '../util/closest.ts';

const meant = (option: string) => `no such option: did you mean \`${option}\`?`;

/** Names that other libraries have for options of this package. */
const otherNames = [
	['cookieJar', 'jar'],
	['ssl', 'mtls'],
	['tls', 'mtls'],
] as const;

/** The messages for options by the names of other libraries. */
export const otherNameRemedies = otherNames.map(([name, option]) => [name, meant(option)] as const);

const byOtherName = new Map<string, string>(
	otherNames.map(([name, option]) => [name.toLowerCase(), option]),
);

/** Options of axios that are one letter away from one of this package: `timeouts`. */
const axiosNames: readonly string[] = ['timeout'];

/** From this length on two letters may be wrong. In a shorter name that would refuse `version` as `session`. */
const longName = 10;

/** Up to this length another letter makes another word: `bar` is not a misspelt `jar`. */
const shortName = 4;

/**
 * Refuses a misspelt option of this package in the config of a client. It may have options of plug-ins and
 * of the app, so an unknown name is refused only where it is nearly one of `known`.
 *
 * @throws {MtlsConfigError} for the first one, with the name that was likely meant.
 */
export function assertNoneMisspelt(config: object, known: readonly string[]): void {
	for (const [name, value] of Object.entries(config)) {
		if (value === undefined || known.includes(name) || axiosNames.includes(name)) continue;
		// `max_sockets` and `max-sockets` too.
		const letters = name.toLowerCase().replaceAll(/[-_]/g, '');
		const option = byOtherName.get(letters) ?? known.find((each) => isNear(letters, each));
		if (option === undefined) continue;
		throw new MtlsConfigError('ERR_MTLS_UNKNOWN_OPTION', name, meant(option));
	}
}

function isNear(letters: string, option: string): boolean {
	const wanted = option.toLowerCase();
	const mistakes = wanted.length < longName ? 1 : 2;
	// Most names differ by more than that in length.
	if (Math.abs(letters.length - wanted.length) > mistakes) return false;
	const distance = editDistance(letters, wanted);
	if (distance === 0 || distance > mistakes) return distance === 0;
	const isShort = wanted.length <= shortName && letters.length === wanted.length;
	return !isShort || sorted(letters) === sorted(wanted);
}

const sorted = (letters: string) => [...letters].sort().join('');
