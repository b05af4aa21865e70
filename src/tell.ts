import type {CertificateFacts} from './certificate.ts';
import type {MtlsFailure} from './errors.ts';
import type {Logger} from './options.ts';

/** A failure as flat fields for a log: the certificates in short, nothing secret. */
export function failureFacts({
	peer,
	chain,
	identity,
	...failure
}: MtlsFailure): Record<string, unknown> {
	return {
		...failure,
		...(peer && {peer: certificateInShort(peer)}),
		identity: identity && certificateInShort(identity),
	};
}

/** Tells `logger`, which may be broken: what is told must not become a failure of its own. */
export function warn(logger: Logger | false, fields: object, message: string): void {
	if (logger === false) return;
	try {
		logger.warn(fields, message);
	} catch {
		// The connection, or the client, is what the app asked for.
	}
}

/** A certificate by which a person knows it. */
export function certificateInShort({
	subject,
	issuer,
	altNames,
	validFrom,
	validTo,
	fingerprint256,
}: CertificateFacts) {
	return {subject, issuer, altNames, validFrom, validTo, fingerprint256};
}
