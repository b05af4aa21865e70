import {MtlsConfigError} from '../../config-error.ts';

/** What leaving each of them out means. */
const withoutIt: Readonly<Record<string, string>> = {
	ca: 'for what Node trusts',
	crl: 'to check no revocation list',
	pins: 'to require no pinned key',
	spiffeId: 'to verify the host name instead',
	servername: "to verify the URL's host",
};

/**
 * Refuses options that say whom to trust where they are given as `undefined`. Security: an app means to
 * narrow whom it trusts by them, and a variable of the environment that is not set would drop that silently.
 *
 * @param known - The options that `given` may have.
 * @param prefix - Of their paths: `mtls.`.
 * @throws {MtlsConfigError} for the first one.
 */
export function assertTrustDefined(given: object, known: readonly string[], prefix: string): void {
	for (const [name, meaning] of Object.entries(withoutIt)) {
		if (!known.includes(name) || !Object.hasOwn(given, name)) continue;
		if (Reflect.get(given, name) !== undefined) continue;
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			prefix + name,
			`it is given as undefined, as by an environment variable that is not set; leave it out ${meaning}`,
		);
	}
}
