/*
 * We refused the server: its certificate, or the chain above it.
 */
import {caElsewhere} from './ca-elsewhere.ts';
import type {Cause, Facts, Row} from './facts.ts';

export const interceptor: Cause = {
	id: 'intercepted',
	text: () => 'something on the way (a proxy, an antivirus) answers in its place',
	repair: () => 'ask those who run the network what answers in its place',
};

const clock: Cause = {
	id: 'clock',
	text: ({outOfDate}) => `this machine's clock is wrong: it says ${outOfDate.today}`,
	repair: ({outOfDate}) => `set this machine's clock, which says ${outOfDate.today}`,
};

const notRenewed: Cause = {
	id: 'not-renewed',
	text: ({words}) => `${words.end} was not given its renewed certificate`,
	repair: ({words}) =>
		`have ${words.end} renew its certificate; nothing on this side can make it valid`,
};

const oldIntermediate: Cause = {
	id: 'old-intermediate',
	text: ({words, outOfDate}) =>
		`${words.end} sends an old certificate of the intermediate CA ${outOfDate.name}`,
	repair: ({words, outOfDate}) =>
		`have ${words.end} send the current certificate of ${outOfDate.name}; its own certificate need not be renewed`,
};

const oldCa: Cause = {
	id: 'old-ca',
	text: (facts) =>
		facts.trust().given
			? `\`${facts.words.ca}\` holds an old certificate of the CA ${facts.outOfDate.name}`
			: `Node's own CAs hold an old certificate of the CA ${facts.outOfDate.name}`,
	repair: (facts) =>
		facts.trust().given
			? `put the current certificate of ${facts.outOfDate.name} into \`${facts.words.ca}\`; ${facts.words.end} has nothing to mend`
			: `update Node, or give the current certificate of ${facts.outOfDate.name} as \`${facts.words.mtls}.ca\``,
};

const issuedForLater: Cause = {
	id: 'issued-for-later',
	text: ({outOfDate}) => `the certificate was issued for use from ${outOfDate.date} on`,
	repair: ({words}) => `have ${words.end} use a certificate that is valid today`,
};

const trustedCa = (facts: Facts) =>
	facts.trust().given ? `a CA of \`${facts.words.ca}\`` : 'a CA that Node trusts';

/** The certificate that is out of date, and what it is in the chain. */
const links: Readonly<Record<Facts['outOfDateLink'], (facts: Facts) => string>> = {
	leaf: ({words, outOfDate}) => `${words.end}'s certificate ${outOfDate.name}`,
	intermediate: ({words, outOfDate}) =>
		`${outOfDate.name}, an intermediate CA of ${words.end}'s chain,`,
	'our-ca': (facts) => `${facts.outOfDate.name}, ${trustedCa(facts)},`,
};

const expired = (facts: Facts) =>
	`${links[facts.outOfDate.link](facts)} expired on ${facts.outOfDate.date} (this machine's date: ${facts.outOfDate.today})`;

/** The clock first, if other certificates are out of date by it. */
const orClock = (cause: Cause) => (facts: Facts) =>
	facts.outOfDate.others ? [clock, cause] : [cause, clock];

const dates: readonly Row[] = [
	...(
		[
			['leaf', notRenewed],
			['intermediate', oldIntermediate],
			['our-ca', oldCa],
		] as const
	).map(
		([outOfDateLink, cause]): Row => ({
			id: `expired-${outOfDateLink}`,
			when: {code: 'CERT_HAS_EXPIRED', outOfDateLink},
			kind: 'expired',
			certain: true,
			summary: expired,
			causes: orClock(cause),
		}),
	),
	{
		id: 'not-yet-valid',
		when: {code: 'CERT_NOT_YET_VALID'},
		kind: 'not-yet-valid',
		certain: true,
		summary: (facts) =>
			`${links[facts.outOfDate.link](facts)} is not valid before ${facts.outOfDate.date} (this machine's date: ${facts.outOfDate.today})`,
		causes: [clock, issuedForLater],
	},
];

const servernameOption: Cause = {
	id: 'servername-option',
	text: ({words, options}) =>
		`\`${words.mtls}.servername\` is set to '${options.servername}', which is no name of this server`,
	repair: ({words}) =>
		`set \`${words.mtls}.servername\` to a name of the certificate, or leave it out`,
	when: ({options}) => options.servername !== undefined,
};

const otherName: Cause = {
	id: 'other-name',
	text: ({words, isAddress}) =>
		isAddress
			? `the URL has an IP address, and ${words.end}'s certificate is for names`
			: `the URL uses another name than ${words.end} is known by`,
	repair: ({words}) =>
		`use a name from the certificate in the URL, or set \`${words.mtls}.servername\` when you know ${words.end} under it`,
	when: ({options}) => options.servername === undefined,
};

const otherServer: Cause = {
	id: 'other-server',
	text: ({words}) =>
		`${words.end} has the wrong certificate, or the connection reached another server`,
	repair: ({words}) => `have ${words.end} use a certificate with the name that is asked for`,
};

const ownMaking: Cause = {
	id: 'own-making',
	text: ({words}) => `${words.end} has a certificate of its own making`,
	repair: ({words}) =>
		`if ${words.end} is yours, give this very certificate as \`${words.mtls}.ca\`; compare its fingerprint by another way first`,
};

const others: readonly Row[] = [
	{
		id: 'wrong-name',
		when: {code: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH']},
		kind: 'wrong-name',
		certain: true,
		summary: ({words, servername}) =>
			`${words.end}'s certificate is not for '${servername}' but for ${words.names}`,
		causes: [servernameOption, otherName, otherServer],
	},
	{
		id: 'self-signed',
		when: {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'},
		kind: 'self-signed',
		certain: true,
		summary: ({words}) =>
			`${words.end}'s certificate ${words.subject} is self-signed and not trusted`,
		causes: [...caElsewhere, ownMaking, interceptor],
	},
	{
		id: 'pin-mismatch',
		when: {code: 'ERR_MTLS_PIN_MISMATCH'},
		kind: 'pin-mismatch',
		certain: true,
		summary: ({words, chain}) =>
			`no key of the chain of ${words.subject} is one of \`${words.mtls}.pins\`; ${words.end}'s is ${chain[0]?.pin ?? 'unknown'}`,
		causes: [
			{
				id: 'new-key',
				text: ({words}) => `${words.end} was given a new key, and its pin is not listed yet`,
				repair: ({words}) =>
					`ask the operator of ${words.end}, by another way than this connection, for the pin of its key`,
			},
			interceptor,
		],
	},
	{
		id: 'spiffe-mismatch',
		when: {code: 'ERR_MTLS_SPIFFE_MISMATCH'},
		kind: 'spiffe-mismatch',
		certain: true,
		summary: ({words}) =>
			`${words.end}'s certificate has not the SPIFFE ID of \`${words.mtls}.spiffeId\` but ${words.names}`,
		causes: [
			{
				id: 'other-workload',
				text: () => 'the connection reached another workload',
				repair: ({words}) =>
					`compare \`${words.mtls}.spiffeId\` with the URI name of the certificate`,
			},
			{
				id: 'no-svid',
				text: ({words}) => `${words.end} has no X.509-SVID`,
				repair: ({words}) => `have ${words.end} registered, so that it gets an X.509-SVID`,
				when: ({chain}) => chain[0]?.altNames.every((name) => !/^URI:spiffe:/.test(name)) ?? true,
			},
		],
	},
	{
		id: 'client-auth-not-requested',
		when: {code: 'ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED'},
		kind: 'client-auth-not-requested',
		certain: true,
		summary: ({words}) =>
			`${words.address} did not ask for a client certificate, and \`${words.mtls}.requireClientAuth\` wants it to`,
		causes: [
			{
				id: 'no-client-auth',
				text: ({words}) => `${words.end} does not authenticate its clients`,
				repair: ({words}) =>
					`have ${words.end} ask for a certificate in the handshake, for every path`,
			},
			interceptor,
			{
				id: 'asks-later',
				text: ({words}) => `${words.end} asks after it has seen the path, by renegotiation`,
				repair: ({words}) => `have ${words.end} ask in the handshake`,
				when: ({protocol}) => protocol !== 'TLSv1.3',
			},
		],
	},
	{
		id: 'revoked',
		when: {code: 'CERT_REVOKED'},
		kind: 'revoked',
		certain: true,
		summary: ({words}) => `${words.end}'s certificate ${words.subject} was revoked by its issuer`,
		causes: [
			{
				id: 'revoked',
				text: ({words}) =>
					`the revocation list of ${words.issuer} names it: its key was lost or replaced`,
				repair: () => 'do not trust this server before it has a new certificate',
			},
		],
	},
];

export const serverCertificateRows: readonly Row[] = [...dates, ...others];
