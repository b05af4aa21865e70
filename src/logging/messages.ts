import {MtlsConfigError} from '../config-error.ts';
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
import type {CookieRefusal, Logger} from '../options.ts';
import type {CertificateWarning} from '../tls/credentials/checks.ts';
import {describeExpiry, isExpiry} from '../tls/credentials/expiry.ts';
import type {SharedHost} from '../tls/rotation/shared-hosts.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {day} from '../util/day.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {publish} from './diagnostics-channel.ts';
import {failureLines, oneLine} from './failure-lines.ts';
import {warn} from './logger.ts';
import {word} from './redact.ts';

/** A failure as flat fields for a log: the certificates shortened, nothing secret. */
export function failureFacts({
	peer,
	chain,
	identity,
	...failure
}: MtlsFailure): Record<string, unknown> {
	return {
		...failure,
		...(peer && {peer: shortCertificate(peer)}),
		identity: identity && shortCertificate(identity),
	};
}

/** Logs a server that was not verified, where `verify: 'report'` sends the request all the same. */
export function logUnverified(
	logger: Logger | false,
	{summary, code, failure}: {summary: string; code: string; failure: MtlsFailure},
): void {
	publish('axios-mtls:failure', () => ({...failure, code, message: summary, enforced: false}));
	const message = `certificate not verified; request sent because verify is 'report': ${summary}`;
	warn(
		logger,
		{event: 'verification_failed', enforced: false, code, ...failureFacts(failure)},
		message,
		() => [oneLine(message), ...failureLines(failure, code)],
	);
}

/** A client certificate, for a log. */
export interface ClientCertificate {
	readonly facts: CertificateFacts;
	/** The peer that it is sent to. */
	readonly shownTo: 'server' | 'proxy';
	/** The option that renews it, where there is one: `mtls.reload`. */
	readonly renewedBy: string | undefined;
}

/** Publishes that the client certificate was loaded; nothing is logged. */
export function logLoaded(
	identity: CertificateFacts,
	event: 'identity_loaded' | 'identity_rotated',
): void {
	publish('axios-mtls:identity', () => ({event, identity}));
}

/** Logs a warning about a client certificate. */
export function logCertificateWarning(
	logger: Logger | false,
	warning: CertificateWarning,
	{facts, shownTo, renewedBy}: ClientCertificate,
	now: number,
): void {
	publish('axios-mtls:identity', () => ({...warning, shownTo, identity: facts}));
	const fields = {...warning, shownTo, identity: shortCertificate(facts)};
	const whose = shownTo === 'proxy' ? 'our certificate for the proxy' : 'our certificate';
	const message = `${whose} '${fields.identity.subject}' ${describeWarning(warning, now)}`;
	const renewal =
		renewedBy && isExpiry(warning) ? `; \`${renewedBy}\` has brought no newer one` : '';
	warn(logger, fields, message + renewal);
}

/** Logs that there is no client certificate, because the options that give one are `undefined`. */
export function logUnsetCredentials(logger: Logger | false, unset: readonly string[]): void {
	const are = unset.includes('pfx') ? '`mtls.pfx` is' : '`mtls.cert` and `mtls.key` are';
	warn(
		logger,
		{event: 'identity_unset', options: unset.map((name) => `mtls.${name}`)},
		`there is no client certificate: ${are} given as undefined, as by environment variables that are not set`,
	);
}

/** Logs that one jar has the cookies of two identities that are used on one host. */
export function logSharedJar(
	logger: Logger | false,
	{origins, indexes: [first, second]}: SharedHost,
): void {
	warn(
		logger,
		{event: 'jar_shared_by_identities', origins},
		`\`mtls[${first}]\` (${origins[0]}) and \`mtls[${second}]\` (${origins[1]}) are used on one host with one jar, and cookies know no ports: those of one identity are sent to the server of the other; give each a jar of its own, by \`jar\` of a request, or a client each`,
	);
}

/** Logs that the new files, or the loader, gave no identity that can be used. */
export function logRotationFailure(logger: Logger | false, error: unknown, epoch: number): void {
	const mistake = error instanceof MtlsConfigError ? error : undefined;
	// Security: what a loader throws may hold a token. Its name and code are logged, its message is not.
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
 * Makes the listener that logs cookies which were not stored: each once, because a server sends it
 * with every response. New names could fill a log: for each host and reason the first ten are logged, and
 * then the 100th, the 1,000th and so on, with their `count`.
 */
export function createRejectionLogger(logger: Logger | false): (refusal: CookieRefusal) => void {
	const byReason = new BoundedMap<string, LoggedRejections>({
		maxEntries: 1_000,
		maxBytes: 2 * 1024 * 1024,
	});
	return ({name, host, domain, reason}) => {
		const key = `${reason} ${host}`;
		const known = byReason.get(key) ?? {names: new Set(), count: 0, nextCount: loggedEach + 1};
		// About the size of the names.
		if (known.count === 0) byReason.set(key, known, key.length + 120 * loggedEach);
		const printableName = printable(name);
		if (known.names.has(printableName)) return;
		known.count += 1;
		const event = reason.endsWith('-full') ? 'cookie_evicted' : 'cookie_refused';
		const printableDomain = domain === undefined ? undefined : printable(domain);
		const fields = {
			event,
			name: printableName,
			host,
			...(printableDomain !== undefined && {domain: printableDomain}),
			reason,
		};
		const what = event === 'cookie_evicted' ? 'had to go' : 'was refused';
		const scope = printableDomain === undefined ? '' : ` for the domain '${printableDomain}'`;
		const message = `the cookie '${printableName}' of ${host}${scope} ${what}: ${reasons[reason]}`;
		if (known.count <= loggedEach) {
			known.names.add(printableName);
			warn(logger, fields, message);
		} else if (known.count === known.nextCount) {
			const {count} = known;
			known.nextCount = 10 ** Math.ceil(Math.log10(count + 1));
			const next = `of this host and reason, number ${known.nextCount} is logged next`;
			warn(logger, {...fields, count}, `${message} (number ${count}; ${next})`);
		}
	};
}

/** What was logged for a host and a reason. */
interface LoggedRejections {
	/** Of the first ten, each of which is logged. */
	readonly names: Set<string>;
	count: number;
	/** The number of the next one to log. */
	nextCount: number;
}

const loggedEach = 10;

const reasons: Readonly<Record<CookieRefusal['reason'], string>> = {
	malformed: 'malformed Set-Cookie',
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

// Security: the server chooses it, and could write lines of its own into a log, or fill it.
function printable(name: string): string {
	return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function describeWarning(warning: CertificateWarning, now: number): string {
	switch (warning.event) {
		case 'identity_expiring':
		case 'identity_expired':
			return describeExpiry(warning.validTo, now);
		case 'identity_not_yet_valid':
			return `is not valid before ${day(warning.validFrom, now)}`;
		case 'identity_wrong_purpose':
			return 'was not issued for clients';
		case 'file_exposed':
			return `has its key in '${warning.path}', which others may read (mode ${warning.mode.toString(8)})`;
	}
}

const maxLoggedNames = 20;
const maxLoggedNameLength = 256;

// Security: an unverified server chooses how many there are, and each failure is logged.
function shorten(names: readonly string[]): string[] {
	const first = names.slice(0, maxLoggedNames).map((name) => name.slice(0, maxLoggedNameLength));
	const left = names.length - first.length;
	return left > 0 ? [...first, `and ${left} more`] : first;
}

/** The fields by which a person recognises a certificate. */
function shortCertificate({
	subject,
	issuer,
	altNames,
	validFrom,
	validTo,
	fingerprint256,
}: CertificateFacts) {
	return {
		// Security: a server chooses the names in its certificate.
		subject: escapeControls(subject),
		issuer: escapeControls(issuer),
		altNames: shorten(altNames).map(escapeControls),
		validFrom,
		validTo,
		fingerprint256,
	};
}
