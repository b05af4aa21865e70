/*
 * The server wants a client certificate and got none.
 */
import {closest} from '../util/check-options.ts';
import type {Cause, Facts, Row} from './facts.ts';

/** Alerts about a client certificate that the server has seen (RFC 8446 §6.2). */
export const certificateAlerts = [
	'bad_certificate',
	'unsupported_certificate',
	'certificate_revoked',
	'certificate_expired',
	'certificate_unknown',
	'unknown_ca',
	'access_denied',
	'decrypt_error',
];

export const noCertificateAlerts = ['certificate_required', 'no_certificate'];

const setOurs = ({words}: Facts) =>
	`set \`${words.mtls}.cert\` and \`${words.mtls}.key\`; if you have none, ask ${words.end}'s operator who issues them`;

const unset: Cause = {
	id: 'unset',
	text: ({words, options}) =>
		`${
			options.unset.includes('pfx')
				? `\`${words.mtls}.pfx\` is`
				: `\`${words.mtls}.cert\` and \`${words.mtls}.key\` are`
		} given as undefined, as by environment variables that are not set`,
	repair: ({words}) =>
		`set what the options are read from, or leave \`${words.mtls}.cert\` and \`${words.mtls}.key\` out`,
	when: ({hasIdentity, isAnonymized, options}) =>
		!hasIdentity && !isAnonymized && options.unset.length > 0,
};

export const noneSet: Cause = {
	id: 'none-set',
	text: ({words}) => `no \`${words.mtls}.cert\` and \`${words.mtls}.key\` are set`,
	repair: setOurs,
	when: ({hasIdentity, isAnonymized, options}) =>
		!hasIdentity &&
		!isAnonymized &&
		options.unset.length === 0 &&
		options.unmatchedOrigins === undefined,
};

export const unlisted: Cause = {
	id: 'no-origin-matches',
	text: (facts) => `${noEntry(facts)}, so no certificate was sent`,
	repair: (facts) =>
		`add ${originOf(facts)} to the \`origins\` of the entry whose certificate ${facts.words.end} accepts`,
	when: ({hasIdentity, isAnonymized, options}) =>
		!hasIdentity && !isAnonymized && options.unmatchedOrigins !== undefined,
};

/** As it has to stand in `origins`: without the port 443. */
export const originOf = ({words}: Facts) => new URL(`https://${words.address}`).origin;

/** Where a list of `mtls` has no entry for the origin. */
export function noEntry(facts: Facts): string {
	const origin = originOf(facts);
	const nearest = nearestOrigin(origin, facts.options.unmatchedOrigins ?? []);
	return `no entry of \`mtls\` has ${origin} in its \`origins\`${nearest === undefined ? '' : ` (the nearest is ${nearest})`}`;
}

/** One with the same host and another port, else one with a similar host. */
function nearestOrigin(origin: string, origins: readonly string[]): string | undefined {
	const hostOf = (text: string) => URL.parse(text)?.hostname ?? '';
	const host = hostOf(origin);
	const isSameHost = (each: string) => {
		const other = hostOf(each);
		return other === host || (other.startsWith('*.') && host.endsWith(other.slice(1)));
	};
	const similar = closest(host, origins.map(hostOf));
	return origins.find(isSameHost) ?? origins.find((each) => hostOf(each) === similar);
}

const withheld: Cause = {
	id: 'withheld',
	text: ({withheld: from, words}) =>
		from === undefined
			? `our certificate was withheld: ${words.address} is not among the origins that may have it`
			: `our certificate was withheld, because a redirect from ${from.from} led to ${from.to}`,
	repair: ({withheld: from, words}) => {
		const to = from?.to ?? `https://${words.address}`;
		return `if ${to} may have our certificate, add it to \`mtls.origins\``;
	},
	when: ({hasIdentity, offered, isAnonymized}) => hasIdentity && !offered && !isAnonymized,
};

export const notAllowed: Cause = {
	id: 'redirect-not-allowed',
	text: (facts) =>
		`a redirect from ${facts.redirectedFrom} led to ${originOf(facts)}, for which the list of \`mtls\` has another certificate; it was not sent, as \`allowRedirectsFrom\` beside it does not name ${facts.redirectedFrom}`,
	repair: (facts) =>
		`if the server at ${facts.redirectedFrom} may have this client send requests to ${originOf(facts)} with that certificate, add '${facts.redirectedFrom}' to \`allowRedirectsFrom\` of the entry of \`mtls\` for ${originOf(facts)}`,
	when: ({isAnonymized}) => isAnonymized,
};

const keyKinds: Readonly<Record<string, string>> = {rsa: 'an RSA', ec: 'an EC', dsa: 'a DSA'};

/** `an EC key on prime256v1` */
function kindOfKey({ours}: Facts): string {
	const [leaf] = ours();
	const kind = keyKinds[leaf?.keyType ?? ''] ?? `an ${leaf?.keyType ?? 'unknown'}`;
	return `${kind} key${leaf?.curve === undefined ? '' : ` on ${leaf.curve}`}`;
}

// What Node knows of the server's list is what it has in common with ours.
const sigalgsSet: Cause = {
	id: 'sigalgs-set',
	text: (facts) =>
		`\`${facts.words.mtls}.sigalgs\` is set to '${facts.options.sigalgs}', and of these our key (${kindOfKey(facts)}) can make none that ${facts.words.end} accepts, so our certificate was not sent`,
	repair: ({words}) =>
		`leave \`${words.mtls}.sigalgs\` out, or add the signature algorithms of our key to it`,
	when: ({options, offered}) => offered && options.sigalgs !== undefined,
};

const noFittingKey: Cause = {
	id: 'no-fitting-key',
	text: (facts) => {
		const {words, options, signatureAlgorithms} = facts;
		const asked =
			signatureAlgorithms.length === 0 || options.sigalgs !== undefined
				? ''
				: ` (it asked for ${signatureAlgorithms.join(', ')}; ours is ${kindOfKey(facts)})`;
		return `${words.end} accepts none of our key's signature algorithms, so our certificate was not sent${asked}`;
	},
	repair: ({words}) =>
		`use a certificate with a key that ${words.end} accepts: an RSA key of 2048 bits, or an EC key on P-256`,
};

/** Why a certificate that was offered was not sent. */
export const whyUnsent: readonly Cause[] = [sigalgsSet, noFittingKey];

/** Why the server got no certificate; the facts leave one. */
export const whyNone: readonly Cause[] = [
	notAllowed,
	unset,
	noneSet,
	unlisted,
	withheld,
	sigalgsSet,
	{...noFittingKey, when: ({offered}) => offered},
];

const was = 'wants a client certificate and was shown none';
const shownNone = (facts: Facts) => `${facts.words.address} ${was}`;
/** Where a page of the server says so. */
export const shownNoneByPage = (facts: Facts) =>
	`${shownNone(facts)} (it ${facts.words.refusal}, with a page that says so)`;
export const shownNoneLikely = (facts: Facts) =>
	`${shownNone(facts)} (it ${facts.words.refusal} after asking for one)`;

/** The facts without which a server that got none cannot be told from one that refused another thing. */
const none: Pick<Row, 'kind' | 'causes'> = {
	kind: 'client-certificate-required',
	causes: whyNone,
};

export const ownReasons: Cause = {
	id: 'server-failed',
	text: ({words}) => `${words.end} failed for a reason of its own`,
	repair: ({words}) => `look for this moment in the log of ${words.end}`,
};

export const hangUps = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'];

/** Requests that were refused without a certificate. */
export const requiredRows: readonly Row[] = [
	{
		// A resumed session asks for no certificate.
		id: 'resumed-hang-up',
		when: {code: hangUps, alert: undefined, resumed: true, phase: 'response'},
		kind: undefined,
		certain: true,
		summary: () => '',
		causes: [],
	},
	{
		id: 'required-alert',
		when: {alert: noCertificateAlerts, offered: false},
		certain: true,
		summary: shownNone,
		...none,
	},
	{
		// With TLS 1.2 it is how OpenSSL says that it wants a certificate.
		id: 'required-handshake-failure',
		when: {alert: 'handshake_failure', asked: 'yes', offered: false},
		certain: true,
		summary: shownNone,
		...none,
	},
	{
		// In a renegotiation it can also be about the ciphers of that path.
		id: 'required-renegotiation',
		when: {
			alert: [...certificateAlerts, 'handshake_failure'],
			asked: 'maybe later',
			offered: false,
		},
		certain: false,
		summary: shownNoneLikely,
		...none,
	},
	{
		id: 'required-certificate-alert',
		when: {alert: certificateAlerts, asked: ['yes', 'unknown'], offered: false},
		certain: false,
		summary: shownNoneLikely,
		...none,
	},
	{
		id: 'required-any-alert',
		when: {alert: /^(?!undefined$)/, asked: 'yes', offered: false},
		certain: false,
		summary: shownNoneLikely,
		kind: 'client-certificate-required',
		causes: [...whyNone, ownReasons],
	},
	{
		id: 'required-hang-up',
		when: {code: hangUps, alert: undefined, asked: 'yes', offered: false},
		certain: false,
		summary: shownNoneLikely,
		kind: 'client-certificate-required',
		causes: [...whyNone, ownReasons],
	},
];
