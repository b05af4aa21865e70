/*
 * A failure for a person who reads a terminal: causes, what to do, and the few facts that matter, in
 * ten lines at most. Machines get all facts as fields.
 */
import type {CertificateFacts, MtlsFailure} from '../facts.ts';
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
	].map(oneLine);
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
	if (identity !== null || requested !== undefined) {
		const asked = requested === undefined ? '' : `, ${requested ? 'asked for' : 'not asked for'}`;
		const got = failure.clientCertificate && identity && outcomes[failure.clientCertificate];
		lines.push(`our certificate: ${identity ? inShort(identity) : 'none'}${got || asked}`);
	}
	if (proxy !== undefined) {
		const answer = proxy.status ?? proxy.reply;
		const answered = answer === undefined ? '' : `, which answered ${answer}`;
		lines.push(`proxy: ${authorityOf(proxy.host, proxy.port)}${answered}`);
	}
	return lines;
}

/** What became of a client certificate. */
const outcomes: Readonly<Record<NonNullable<MtlsFailure['clientCertificate']>, string>> = {
	sent: ', sent',
	none: '',
	'not-asked': ', not asked for',
	withheld: ', withheld from this origin',
	'no-fitting-key': ', not sent: its key can make none of the signatures that were asked for',
};

function inShort({subject, issuer, validFrom, validTo}: CertificateFacts): string {
	const by = issuer === subject ? 'by itself' : `by ${quoted(issuer)}`;
	return `${quoted(subject)}, issued ${by}, valid ${day(validFrom)} to ${day(validTo)}`;
}

function quoted(name: string): string {
	return `'${name.length <= maxSubjectLength ? name : `${name.slice(0, maxSubjectLength)}…`}'`;
}
