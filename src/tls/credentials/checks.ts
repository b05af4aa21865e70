import type {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import {exposedMode} from '../../util/file-permissions.ts';

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

/** What a client certificate is checked against. */
interface CheckContext {
	readonly now: Date;
	/** `allowExpired`: warn instead of throwing. */
	readonly allowed: boolean;
	/** The option that it was read from, for messages. */
	readonly option: string;
	/** Whether `mtls.reload` or `mtls.identity` brings a newer one. */
	readonly isRenewed: boolean;
}

/**
 * Checks the validity and purpose of the client certificate.
 *
 * @returns the warnings about one that is used.
 * @throws {MtlsConfigError} for `option`, unless `allowed`, when a server would refuse it.
 */
export function checkClientCertificate(
	leaf: X509Certificate,
	{now, allowed, option, isRenewed}: CheckContext,
): CertificateWarning[] {
	const faults = [checkValidity(leaf, now), checkPurpose(leaf)].filter(
		(each) => each !== undefined,
	);
	const [first] = faults;
	if (first !== undefined && !allowed) {
		const hint = '`allowExpired: true` loads it all the same';
		throw new MtlsConfigError(first.code, option, `our certificate ${first.message}; ${hint}`);
	}
	return [...faults.map(({warning}) => warning), ...expiring(leaf, now, isRenewed)];
}

interface Fault {
	readonly code:
		| 'ERR_MTLS_IDENTITY_EXPIRED'
		| 'ERR_MTLS_IDENTITY_NOT_YET_VALID'
		| 'ERR_MTLS_WRONG_PURPOSE';
	readonly message: string;
	readonly warning: CertificateWarning;
}

function checkValidity(leaf: X509Certificate, now: Date): Fault | undefined {
	const {validFromDate: from, validToDate: until} = leaf;
	if (until < now) {
		const validTo = until.toISOString();
		return {
			code: 'ERR_MTLS_IDENTITY_EXPIRED',
			message: `expired on ${validTo}`,
			warning: {event: 'identity_expired', validTo},
		};
	}
	if (from > now) {
		const validFrom = from.toISOString();
		return {
			code: 'ERR_MTLS_IDENTITY_NOT_YET_VALID',
			message: `is not valid before ${validFrom}`,
			warning: {event: 'identity_not_yet_valid', validFrom},
		};
	}
	return undefined;
}

// RFC 5280 §4.2.1.12: anyExtendedKeyUsage, id-kp-clientAuth.
const clientPurposes = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.2'];

/** What is wrong with the purpose of a client certificate. */
export function checkPurpose(leaf: X509Certificate): Fault | undefined {
	// Node's name for extendedKeyUsage; without the extension a certificate is for any purpose.
	const purposes: readonly string[] | undefined = leaf.keyUsage;
	if (purposes === undefined || clientPurposes.some((oid) => purposes.includes(oid))) {
		return undefined;
	}
	return {
		code: 'ERR_MTLS_WRONG_PURPOSE',
		message: `is not for clients: its extendedKeyUsage (${purposes.join(', ')}) lacks clientAuth`,
		warning: {event: 'identity_wrong_purpose'},
	};
}

function expiring(leaf: X509Certificate, now: Date, isRenewed: boolean): CertificateWarning[] {
	const [validFrom, validTo] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
	const [first = 0] = expirySteps({validFrom, validTo}, isRenewed);
	const left = validTo - now.getTime();
	if (!(left >= 0 && left <= first)) return [];
	const daysLeft = Math.floor(left / DAY_MS);
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

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long before its end a certificate is worth a warning. */
export const EXPIRY_WARNING_MS = 30 * DAY_MS;

/** When a long-lived certificate gets its warnings, in ms before its end. */
const warningSteps = [EXPIRY_WARNING_MS, 7 * DAY_MS, DAY_MS];

/**
 * A certificate that is valid no longer than this is renewed by a program: it is short-lived in the sense
 * of the Baseline Requirements of the CA/Browser Forum (§1.6.1).
 */
const shortLivedMs = 7 * DAY_MS;

/**
 * How long before its end, in ms, a certificate gets each of its warnings; the last is 0, its end.
 *
 * For one that is renewed the first comes later: programs renew when half (SPIRE) or a third
 * (cert-manager) of the validity is left, so at a quarter they have failed to.
 *
 * @param isRenewed - Whether `mtls.reload` or `mtls.identity` brings a newer one.
 */
export function expirySteps(
	{validFrom, validTo}: {readonly validFrom: number; readonly validTo: number},
	isRenewed: boolean,
): number[] {
	const life = validTo - validFrom;
	const [longest = 0] = warningSteps;
	// `life` is NaN where validFrom is not a date.
	const quarter = life > 0 ? life / 4 : longest;
	const first = isRenewed || life <= shortLivedMs ? Math.min(longest, quarter) : longest;
	return [first, ...warningSteps.filter((step) => step < first), 0];
}

export type ExpiryWarning =
	| {
			readonly event: 'identity_expiring';
			readonly validTo: string;
			/** Whole days that are left. */
			readonly daysLeft: number;
	  }
	| {readonly event: 'identity_expired'; readonly validTo: string};

export function isExpiry(warning: {readonly event: string}): warning is ExpiryWarning {
	return warning.event === 'identity_expiring' || warning.event === 'identity_expired';
}

/** Added to the time that is left, because a timer fires some ms late. */
const lateMs = MINUTE_MS;

/** The warning at `now`, when a timer has fired. */
export function expiryWarning(validTo: Date, now: number): ExpiryWarning {
	const left = validTo.getTime() - now;
	const date = validTo.toISOString();
	return left < 0
		? {event: 'identity_expired', validTo: date}
		: {
				event: 'identity_expiring',
				validTo: date,
				daysLeft: Math.floor((left + lateMs) / DAY_MS),
			};
}

/** `9 days`, `5 hours`. */
export function formatTimeLeft(leftMs: number): string {
	const days = Math.floor((leftMs + lateMs) / DAY_MS);
	if (days > 0) return count(days, 'day');
	const hours = Math.floor((leftMs + lateMs) / HOUR_MS);
	return hours > 0 ? count(hours, 'hour') : 'less than an hour';
}

function count(number: number, unit: string): string {
	return number === 1 ? `1 ${unit}` : `${number} ${unit}s`;
}
