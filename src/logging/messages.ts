import {MtlsConfigError} from '../config-error.ts';
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
import type {CookieRefusal, Logger} from '../options.ts';
import type {CertificateWarning} from '../tls/credentials/checks.ts';
import {inWords, isExpiry} from '../tls/credentials/checks.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {memberOf} from '../util/check-options.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {publish} from './diagnostics-channel.ts';
import {word} from './redact.ts';

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

/** Tells that a server could not be verified, and that the request goes on: `verify: 'report'`. */
export function logUnverified(
	logger: Logger | false,
	{summary, code, failure}: {summary: string; code: string; failure: MtlsFailure},
): void {
	publish('axios-mtls:failure', () => ({...failure, code, message: summary, enforced: false}));
	warn(
		logger,
		{event: 'verification_failed', enforced: false, code, ...failureFacts(failure)},
		`not verified, and let go on: ${summary}`,
	);
}

/** A certificate of ours, as far as it is told of. */
export interface OwnCertificate {
	readonly facts: CertificateFacts;
	/** Whom it is shown to. */
	readonly shownTo: 'server' | 'proxy';
	/** The option that gives the next one, where there is one: `mtls.reload`. */
	readonly renewedBy: string | undefined;
}

/** Publishes that our certificate was loaded; there is nothing to log of that. */
export function logLoaded(
	identity: CertificateFacts,
	event: 'identity_loaded' | 'identity_rotated',
): void {
	publish('axios-mtls:identity', () => ({event, identity}));
}

/** Tells what is to be said of a certificate of ours. */
export function logCertificateWarning(
	logger: Logger | false,
	notice: CertificateWarning,
	{facts, shownTo, renewedBy}: OwnCertificate,
	now: number,
): void {
	publish('axios-mtls:identity', () => ({...notice, shownTo, identity: facts}));
	const fields = {...notice, shownTo, identity: certificateInShort(facts)};
	const whose = shownTo === 'proxy' ? 'our certificate for the proxy' : 'our certificate';
	const message = `${whose} '${fields.identity.subject}' ${noticeInWords(notice, now)}`;
	const renewal =
		renewedBy && isExpiry(notice) ? `; \`${renewedBy}\` has brought no newer one` : '';
	warn(logger, fields, message + renewal);
}

/** Tells that the new files, or the loader, gave nothing to go over to. */
export function logRotationFailure(logger: Logger | false, error: unknown, epoch: number): void {
	const mistake = error instanceof MtlsConfigError ? error : undefined;
	// Security: what a loader throws may hold a token. Its message is not told, its name and code are.
	const {name, code} = (error ?? {}) as {name?: unknown; code?: unknown};
	const fields = {
		event: 'rotation_failed',
		code: word(code),
		...(mistake && {option: mistake.option}),
		epoch,
	};
	publish('axios-mtls:identity', () => ({...fields, identity: null}));
	const why = mistake
		? mistake.message
		: `\`identity\` failed with ${word(code) ?? word(name) ?? 'an error'}`;
	warn(logger, fields, `the new identity cannot be used, and the old one stays: ${why}`);
}

/**
 * As a teller of cookies that were not kept: each once, as a server sends it with each response. One
 * that sets ever new ones would fill a log: of each host and reason the first ten are told, and from
 * then on each tenfold of them, with their `count`.
 */
export function createRejectionLogger(logger: Logger | false): (refusal: CookieRefusal) => void {
	const told = new BoundedMap<string, Told>({maxEntries: 1_000, maxBytes: 2 * 1024 * 1024});
	return ({name, host, reason}) => {
		const key = `${reason} ${host}`;
		const known = told.get(key) ?? {names: new Set(), count: 0, nextCount: toldOneByOne + 1};
		// About what the names take.
		if (known.count === 0) told.set(key, known, key.length + 120 * toldOneByOne);
		const shown = printable(name);
		if (known.names.has(shown)) return;
		known.count += 1;
		const event = reason.endsWith('-full') ? 'cookie_evicted' : 'cookie_refused';
		const fields = {event, name: shown, host, reason};
		const what = event === 'cookie_evicted' ? 'had to go' : 'was refused';
		const message = `the cookie '${shown}' of ${host} ${what}: ${reasons[reason]}`;
		if (known.count <= toldOneByOne) {
			known.names.add(shown);
			warn(logger, fields, message);
		} else if (known.count === known.nextCount) {
			const {count} = known;
			known.nextCount = 10 ** Math.ceil(Math.log10(count + 1));
			const next = `the next of this host and reason to be told is number ${known.nextCount}`;
			warn(logger, {...fields, count}, `${message} (number ${count}; ${next})`);
		}
	};
}

/** What was told of a host for one reason. */
interface Told {
	/** Of those that were told one by one. */
	readonly names: Set<string>;
	count: number;
	/** The one to be told next. */
	nextCount: number;
}

const toldOneByOne = 10;

const reasons: Readonly<Record<CookieRefusal['reason'], string>> = {
	malformed: 'it is no cookie',
	'foreign-domain': 'its domain is not that of the host',
	'public-suffix': 'its domain is a public suffix',
	'domain-blocked': 'its domain is blocked',
	'domain-not-allowed': 'its domain is not allowed',
	'secure-over-http': 'it is Secure and came without TLS',
	'hides-secure': 'it came without TLS and would hide a Secure one',
	prefix: 'it is not what its prefix promises',
	'too-large': 'its name and value have more than 4,096 bytes',
	'refused-by-jar': 'the jar does not take it',
	'domain-full': 'its domain has more than 180',
	'jar-full': 'there are more than 3,000',
};

// A server chooses it: it must not write lines of its own into a log, nor fill it.
function printable(name: string): string {
	return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function noticeInWords(notice: CertificateWarning, now: number): string {
	switch (notice.event) {
		case 'identity_expiring':
			return `expires on ${notice.validTo}, in ${inWords(Date.parse(notice.validTo) - now)}`;
		case 'identity_expired':
			return `expired on ${notice.validTo}`;
		case 'identity_not_yet_valid':
			return `is not valid before ${notice.validFrom}`;
		case 'identity_wrong_purpose':
			return 'was not issued for clients';
		case 'file_exposed':
			return `has its key in '${notice.path}', which others may read (mode ${notice.mode.toString(8)})`;
	}
}

function warn(logger: Logger | false, fields: object, message: string): void {
	callLogger(logger, 'warn', fields, message);
}

/** Whether a value can be told something. */
export function isLogger(value: unknown): value is Logger {
	if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
	return ['error', 'warn'].every((name) => typeof memberOf(value, name) === 'function');
}

/** A logger may be broken: what is told must not become a failure of its own. */
export function callLogger(
	logger: Logger | false,
	level: 'warn' | 'error',
	fields: object,
	message: string,
): void {
	if (logger === false) return;
	try {
		logger[level](fields, message);
	} catch {
		// The connection, or the client, is what the app asked for.
	}
}

const maxLoggedNames = 20;
const maxLoggedNameLength = 256;

// A server that was not verified says how many there are, and each failure is logged.
function inShort(names: readonly string[]): string[] {
	const shown = names.slice(0, maxLoggedNames).map((name) => name.slice(0, maxLoggedNameLength));
	const left = names.length - shown.length;
	return left > 0 ? [...shown, `and ${left} more`] : shown;
}

/** A certificate by which a person knows it. */
function certificateInShort({
	subject,
	issuer,
	altNames,
	validFrom,
	validTo,
	fingerprint256,
}: CertificateFacts) {
	return {
		// Security: of the server's they are its own words.
		subject: escapeControls(subject),
		issuer: escapeControls(issuer),
		altNames: inShort(altNames).map(escapeControls),
		validFrom,
		validTo,
		fingerprint256,
	};
}
