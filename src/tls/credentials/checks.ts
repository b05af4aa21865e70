import type {X509Certificate} from 'node:crypto';
import {
	faultsOfOurs,
	type OwnCertificate,
	type OwnFaultId,
} from '../../failures/our-certificate.ts';
import {DAY_MS} from '../../util/day.ts';
import {exposedMode} from '../../util/file-permissions.ts';
import {ownCertificate} from '../peer/certificate-details.ts';
import {type ExpiryWarning, isExpiring} from './expiry.ts';

/** A fault of a client certificate, or of its key file, that does not prevent its use. */
export type CertificateWarning =
	| ExpiryWarning
	| {readonly event: 'identity_not_yet_valid'; readonly validFrom: string}
	| {readonly event: 'identity_wrong_purpose'}
	| {
			readonly event: 'file_exposed';
			readonly option: string;
			readonly path: string;
			/** The permission bits: `0o644`. */
			readonly mode: number;
	  };

/** Why a server would refuse a client certificate. */
export interface CertificateFault {
	readonly code:
		| 'ERR_MTLS_IDENTITY_EXPIRED'
		| 'ERR_MTLS_IDENTITY_NOT_YET_VALID'
		| 'ERR_MTLS_WRONG_PURPOSE';
	/** To follow the name of the certificate: `expired on 2026-11-05`. */
	readonly message: string;
	/** What to do, and which option uses the certificate all the same. */
	readonly remedy: string;
	readonly allowedBy: 'allowExpired' | 'allowAnyPurpose';
	readonly warning: CertificateWarning;
}

/** The faults of validity and purpose of a client certificate. */
export function findFaults(leaf: X509Certificate, now: Date): CertificateFault[] {
	const own = ownCertificate(leaf);
	return faultsOfOurs([own], {now, endsAtRoot: true}).flatMap(
		({id, predicate}) => refusals[id]?.(predicate, own) ?? [],
	);
}

/** The faults for which a certificate is not loaded. */
const refusals: Readonly<
	Partial<Record<OwnFaultId, (message: string, certificate: OwnCertificate) => CertificateFault>>
> = {
	'own-expired': (message, {validTo}) => ({
		code: 'ERR_MTLS_IDENTITY_EXPIRED',
		message,
		remedy: 'renew it; `mtls.allowExpired: true` sends the expired one',
		allowedBy: 'allowExpired',
		warning: {event: 'identity_expired', validTo},
	}),
	'own-not-yet-valid': (message, {validFrom}) => ({
		code: 'ERR_MTLS_IDENTITY_NOT_YET_VALID',
		message,
		remedy:
			"set this machine's clock if it is wrong; `mtls.allowExpired: true` sends it all the same",
		allowedBy: 'allowExpired',
		warning: {event: 'identity_not_yet_valid', validFrom},
	}),
	'own-no-client-auth': (message) => ({
		code: 'ERR_MTLS_WRONG_PURPOSE',
		message,
		remedy:
			'have one issued with clientAuth; `mtls.allowAnyPurpose: true` sends it to a server that takes it',
		allowedBy: 'allowAnyPurpose',
		warning: {event: 'identity_wrong_purpose'},
	}),
};

/** Warns of a client certificate that is about to expire. */
export function checkExpiry(
	leaf: X509Certificate,
	now: Date,
	isRenewed: boolean,
): CertificateWarning[] {
	const [validFrom, validTo] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
	if (!isExpiring({validFrom, validTo}, now.getTime(), isRenewed)) return [];
	const daysLeft = Math.floor((validTo - now.getTime()) / DAY_MS);
	return [{event: 'identity_expiring', validTo: leaf.validToDate.toISOString(), daysLeft}];
}

/** Warns of a file with a private key that others than its owner may read. */
export function checkKeyPermissions(
	option: string,
	path: string | undefined,
): CertificateWarning[] {
	const mode = path === undefined ? undefined : exposedMode(path);
	return path === undefined || mode === undefined
		? []
		: [{event: 'file_exposed', option, path, mode}];
}
