import type {X509Certificate} from 'node:crypto';
import {statSync} from 'node:fs';
import {MtlsConfigError} from '../../config-error.ts';

/** What is to be told of an identity that was loaded all the same. */
export type CertificateWarning =
	| ExpiryNotice
	| {readonly event: 'identity_not_yet_valid'; readonly validFrom: string}
	| {readonly event: 'identity_wrong_purpose'}
	| {
			readonly event: 'file_exposed';
			readonly option: string;
			readonly path: string;
			/** The permission bits: `0o644`. */
			readonly mode: number;
	  };

/** What our certificate is judged by. */
interface Judging {
	readonly now: Date;
	/** It is used whatever is wrong with it. */
	readonly allowed: boolean;
	/** That it was read from, for messages. */
	readonly option: string;
	/** Whether a newer one is looked for. */
	readonly isRenewed: boolean;
}

/**
 * Judges our certificate's validity and purpose.
 *
 * @returns what is to be told of one that is used.
 * @throws {MtlsConfigError} for `option`, unless `allowed`, when a server would refuse it.
 */
export function checkClientCertificate(
	leaf: X509Certificate,
	{now, allowed, option, isRenewed}: Judging,
): CertificateWarning[] {
	const refusals = [judgeValidity(leaf, now), checkPurpose(leaf)].filter(
		(each) => each !== undefined,
	);
	const [first] = refusals;
	if (first !== undefined && !allowed) {
		const hint = '`allowExpired: true` loads it all the same';
		throw new MtlsConfigError(first.code, option, `our certificate ${first.message}; ${hint}`);
	}
	return [...refusals.map(({notice}) => notice), ...expiring(leaf, now, isRenewed)];
}

interface Refusal {
	readonly code:
		| 'ERR_MTLS_IDENTITY_EXPIRED'
		| 'ERR_MTLS_IDENTITY_NOT_YET_VALID'
		| 'ERR_MTLS_WRONG_PURPOSE';
	readonly message: string;
	readonly notice: CertificateWarning;
}

function judgeValidity(leaf: X509Certificate, now: Date): Refusal | undefined {
	const {validFromDate: from, validToDate: until} = leaf;
	if (until < now) {
		const validTo = until.toISOString();
		return {
			code: 'ERR_MTLS_IDENTITY_EXPIRED',
			message: `expired on ${validTo}`,
			notice: {event: 'identity_expired', validTo},
		};
	}
	if (from > now) {
		const validFrom = from.toISOString();
		return {
			code: 'ERR_MTLS_IDENTITY_NOT_YET_VALID',
			message: `is not valid before ${validFrom}`,
			notice: {event: 'identity_not_yet_valid', validFrom},
		};
	}
	return undefined;
}

// RFC 5280 §4.2.1.12: anyExtendedKeyUsage, id-kp-clientAuth.
const clientPurposes = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.2'];

/** What is wrong with the purpose of a client certificate. */
export function checkPurpose(leaf: X509Certificate): Refusal | undefined {
	// Node's name for extendedKeyUsage; without the extension a certificate is for any purpose.
	const purposes: readonly string[] | undefined = leaf.keyUsage;
	if (purposes === undefined || clientPurposes.some((oid) => purposes.includes(oid))) {
		return undefined;
	}
	return {
		code: 'ERR_MTLS_WRONG_PURPOSE',
		message: `is not for clients: its extendedKeyUsage (${purposes.join(', ')}) lacks clientAuth`,
		notice: {event: 'identity_wrong_purpose'},
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

/** Tells a file with a private key that others than its owner may open. */
export function checkKeyPermissions(
	option: string,
	path: string | undefined,
): CertificateWarning[] {
	const mode = path === undefined ? undefined : exposedMode(path);
	return path === undefined || mode === undefined
		? []
		: [{event: 'file_exposed', option, path, mode}];
}

/**
 * The permission bits of a file that others than its owner may open. As with ssh: on Windows the mode
 * says nothing, and of a file that belongs to another user it is not ours to complain.
 */
export function exposedMode(path: string): number | undefined {
	if (process.platform === 'win32') return undefined;
	const stat = statSync(path, {throwIfNoEntry: false});
	if (stat === undefined || !stat.isFile() || stat.uid !== process.getuid?.()) return undefined;
	const mode = stat.mode & 0o777;
	return (mode & 0o077) === 0 ? undefined : mode;
}

/*
 * When the end of a certificate of ours is told, and in which words.
 */

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long before its end a certificate is worth a warning. */
export const EXPIRY_WARNING_MS = 30 * DAY_MS;

/** Before the end. */
const steps = [EXPIRY_WARNING_MS, 7 * DAY_MS, DAY_MS];

/**
 * A certificate that lives no longer is renewed by a program, or nobody would have it: what the Baseline
 * Requirements of the CA/Browser Forum (§1.6.1) call short-lived.
 */
const shortLivedMs = 7 * DAY_MS;

/**
 * How long before its end, in ms, there is something to tell of a certificate; the last is 0, its end.
 *
 * Of one that is renewed nothing is told while that goes on: programs renew when half (SPIRE) or a third
 * (cert-manager) of the life is left, so a quarter says that they did not.
 *
 * @param isRenewed - Whether a newer one is looked for.
 */
export function expirySteps(
	{validFrom, validTo}: {readonly validFrom: number; readonly validTo: number},
	isRenewed: boolean,
): number[] {
	const life = validTo - validFrom;
	const [longest = 0] = steps;
	// Where it begins may be no date.
	const quarter = life > 0 ? life / 4 : longest;
	const first = isRenewed || life <= shortLivedMs ? Math.min(longest, quarter) : longest;
	return [first, ...steps.filter((step) => step < first), 0];
}

/** What is to be told of the end of a certificate of ours. */
export type ExpiryNotice =
	| {
			readonly event: 'identity_expiring';
			readonly validTo: string;
			/** Whole days that are left. */
			readonly daysLeft: number;
	  }
	| {readonly event: 'identity_expired'; readonly validTo: string};

export function isExpiry(notice: {readonly event: string}): notice is ExpiryNotice {
	return notice.event === 'identity_expiring' || notice.event === 'identity_expired';
}

/** A timer is late by some ms, and its day is not over. */
const lateMs = MINUTE_MS;

/** What is to be told at `now`, for which a timer has waited. */
export function expiryNotice(validTo: Date, now: number): ExpiryNotice {
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
export function inWords(leftMs: number): string {
	const days = Math.floor((leftMs + lateMs) / DAY_MS);
	if (days > 0) return count(days, 'day');
	const hours = Math.floor((leftMs + lateMs) / HOUR_MS);
	return hours > 0 ? count(hours, 'hour') : 'less than an hour';
}

function count(number: number, unit: string): string {
	return number === 1 ? `1 ${unit}` : `${number} ${unit}s`;
}
