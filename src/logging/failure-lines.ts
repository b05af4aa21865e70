/*
 * A failure for a person who reads a terminal: causes, what to do, and the few facts that matter, in
 * ten lines at most. Machines get all facts as fields.
 */
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
import {optionNamesOf} from '../failures/decide.ts';
import {day} from '../util/day.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {authorityOf} from '../util/url.ts';

const maxCauses = 4;

/** Of one line. Security: an unverified server chooses the names in its certificate. */
const maxLineLength = 800;

const maxSubjectLength = 160;

/** The causes, most likely first, what to do, and the facts, a line each. */
export function failureLines(failure: MtlsFailure, code: string | undefined): string[] {
	const {reasons, hint} = failure;
	return [
		...causeLines(reasons),
		...(hint ? [`what to do: ${hint}`] : []),
		...factLines(failure, code),
		...checkLine(failure),
	].map(oneLine);
}

/** By option of `mtls`, its flag in cli/shared/flags.ts, in the order in which they are named. */
const flags: Readonly<Record<string, string>> = {
	cert: 'cert',
	key: 'key',
	pfx: 'pfx',
	passphrase: 'passphrase-file',
	alias: 'alias',
	allowExpired: 'allow-expired',
	allowAnyPurpose: 'allow-any-purpose',
	ca: 'ca',
	crl: 'crl',
	pins: 'pin',
	spiffeId: 'spiffe-id',
	servername: 'servername',
	requireClientAuth: 'require-client-auth',
	minVersion: 'tls-min',
	maxVersion: 'tls-max',
	ciphers: 'ciphers',
	ecdhCurve: 'ecdh-curve',
	sigalgs: 'sigalgs',
	secureOptions: 'secure-options',
};

/** ` (with --cert, --key and --ca as in `mtls`)`: values are not told. */
function asInOptions(failure: MtlsFailure): string {
	const names = optionNamesOf(failure) ?? ['cert', 'key', 'ca'];
	// What `identity` fetches, or a context of the app has, is given to the command as files.
	const isFetched = names.includes('identity') || names.includes('secureContext');
	const given = new Set([...names, ...(isFetched ? ['cert', 'key'] : [])]);
	const all = Object.entries(flags);
	const found = [
		...all.filter(([name]) => given.has(name)).map(([, flag]) => `--${flag}`),
		...all.filter(([name]) => given.has(`proxy.${name}`)).map(([, flag]) => `--proxy-${flag}`),
	];
	const last = found.pop();
	if (last === undefined) return '';
	return ` (with ${found.length === 0 ? last : `${found.join(', ')} and ${last}`} as in \`mtls\`)`;
}

/** The command that shows where a failure of TLS comes from, where that is in doubt. */
function checkLine(failure: MtlsFailure): string[] {
	const {reasons, url, host, port, proxy} = failure;
	const target = URL.parse(url);
	if (reasons.length < 2 || target?.protocol !== 'https:') return [];
	const path = plainPath.test(target.pathname) ? target.pathname : '/';
	const login = proxy?.hasCredentials ? 'USER:PASSWORD@' : '';
	const words = [
		`https://${authorityOf(host, port)}${path}`,
		...(proxy?.protocol === undefined
			? []
			: ['--proxy', `${proxy.protocol}://${login}${authorityOf(proxy.host, proxy.port)}`]),
	];
	return [
		`to see each step: npx axios-mtls check ${words.map(quote).join(' ')}${asInOptions(failure)}`,
	];
}

/** One that no shell changes, and that is no likely token. */
const plainPath = /^[\w./-]{1,60}$/;

/** For a POSIX shell. An IPv6 address has brackets, and a host has no quotes. */
function quote(word: string): string {
	return /^[\w@:./-]+$/.test(word) ? word : `'${word}'`;
}

/** A text as one line of limited length, without control characters. */
export function oneLine(text: string): string {
	const short = text.length <= maxLineLength ? text : `${text.slice(0, maxLineLength)}…`;
	return escapeControls(short.replace(/\s+/g, ' ').trim());
}

function causeLines(reasons: readonly string[]): string[] {
	const shown = reasons.length <= maxCauses ? reasons : reasons.slice(0, maxCauses - 1);
	const left = reasons.length - shown.length;
	return [
		...shown.map((reason, index) => `${index === 0 ? 'cause' : 'or'}: ${reason}`),
		...(left > 0 ? [`or: ${left} more, in \`error.failure.reasons\``] : []),
	];
}

function factLines(failure: MtlsFailure, code: string | undefined): string[] {
	const {kind, side, certain, host, port, protocol, peer, identity, proxy} = failure;
	const {clientCertificateRequested: requested} = failure;
	const lines = [`${code ? `code: ${code}, ` : ''}kind: ${kind}${certain ? '' : ', most likely'}`];
	if (peer !== undefined) {
		const version = protocol ? ` (${protocol})` : '';
		lines.push(`certificate of ${authorityOf(host, port)}${version}: ${inShort(peer)}`);
		// Of one that is not trusted it is compared with what the operator says.
		if (side === 'server') lines.push(`its SHA-256 fingerprint: ${peer.fingerprint256}`);
	}
	// A proxy that gives no way has not to do with it.
	if (side !== 'proxy' && (identity !== null || requested !== undefined)) {
		lines.push(`our certificate: ${identity ? inShort(identity) : 'none'}${useOfOurs(failure)}`);
	}
	if (proxy !== undefined) {
		const answer = proxy.status ?? proxy.reply;
		const answered = answer === undefined ? '' : `, which answered ${answer}`;
		lines.push(`proxy: ${authorityOf(proxy.host, proxy.port)}${answered}`);
	}
	return lines;
}

/** What became of our certificate, or of none. */
function useOfOurs(failure: MtlsFailure): string {
	const {identity, clientCertificate, clientCertificateRequested: requested} = failure;
	if (identity === null) {
		if (requested === undefined) return '';
		return requested ? ' (the server asked for one)' : ', not asked for';
	}
	if (clientCertificate !== undefined) return outcomes[clientCertificate];
	if (!requested) return requested === undefined ? '' : ', not asked for';
	if (failure.phase !== 'verify') return ', asked for, perhaps sent';
	// In TLS 1.3 the client has seen the server's certificate before it sends its own.
	return failure.protocol === 'TLSv1.3' ? ', asked for, not sent' : ', sent';
}

/** What became of a client certificate. */
const outcomes: Readonly<Record<NonNullable<MtlsFailure['clientCertificate']>, string>> = {
	sent: ', sent',
	none: '',
	'not-asked': ', not asked for',
	withheld: ', withheld from this origin',
	'no-fitting-key':
		', asked for, not sent: its key can make none of the signatures that were asked for',
};

function inShort({subject, issuer, validFrom, validTo}: CertificateFacts): string {
	const by = issuer === subject ? 'by itself' : `by ${quoted(issuer)}`;
	return `${quoted(subject)}, issued ${by}, valid ${day(validFrom)} to ${day(validTo)}`;
}

function quoted(name: string): string {
	return `'${name.length <= maxSubjectLength ? name : `${name.slice(0, maxSubjectLength)}…`}'`;
}
