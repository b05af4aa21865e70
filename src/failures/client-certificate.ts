/*
 * The server refused us: it wants a client certificate, or did not accept ours.
 */
import type {Cause, Facts, Row, When} from './facts.ts';

/** Alerts about a client certificate that the server has seen (RFC 8446 §6.2). */
const certificateAlerts = [
	'bad_certificate',
	'unsupported_certificate',
	'certificate_revoked',
	'certificate_expired',
	'certificate_unknown',
	'unknown_ca',
	'access_denied',
	'decrypt_error',
];

const noCertificateAlerts = ['certificate_required', 'no_certificate'];

// ---- none was sent ----

const setOurs = ({words}: Facts) =>
	`give the certificate and key that ${words.end} issued to you as \`${words.mtls}.cert\` and \`${words.mtls}.key\``;

const noneSet: Cause = {
	id: 'none-set',
	text: ({words}) => `no \`${words.mtls}.cert\` and \`${words.mtls}.key\` are set`,
	repair: setOurs,
	when: ({hasIdentity, isAnonymized}) => !hasIdentity && !isAnonymized,
};

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

const notAllowed: Cause = {
	id: 'redirect-not-allowed',
	text: ({redirectedFrom}) =>
		`a redirect from ${redirectedFrom} led there, and that origin is not allowed to use the identity of this one`,
	repair: ({redirectedFrom}) =>
		`if it may, name ${redirectedFrom} in the \`allowRedirectsFrom\` of that identity`,
	when: ({isAnonymized}) => isAnonymized,
};

const keyKinds: Readonly<Record<string, string>> = {rsa: 'an RSA', ec: 'an EC', dsa: 'a DSA'};

const noFittingKey: Cause = {
	id: 'no-fitting-key',
	text: ({words, ours, signatureAlgorithms}) => {
		const [leaf] = ours();
		const kind = keyKinds[leaf?.keyType ?? ''] ?? `an ${leaf?.keyType ?? 'unknown'}`;
		const curve = leaf?.curve === undefined ? '' : ` on ${leaf.curve}`;
		const asked =
			signatureAlgorithms.length === 0
				? ''
				: ` (it asked for ${signatureAlgorithms.join(', ')}; ours is ${kind} key${curve})`;
		return `${words.end} accepts none of our key's signature algorithms, so our certificate was not sent${asked}`;
	},
	repair: ({words}) =>
		`use a certificate with a key that ${words.end} accepts: an RSA key of 2048 bits, or an EC key on P-256`,
};

/** Why the server got no certificate; the facts leave one. */
const whyNone: readonly Cause[] = [
	notAllowed,
	noneSet,
	withheld,
	{...noFittingKey, when: ({offered}) => offered},
];

const was = 'wants a client certificate and was shown none';
const shownNone = (facts: Facts) => `${facts.words.address} ${was}`;
const shownNoneLikely = (facts: Facts) =>
	`${shownNone(facts)} (it ${facts.words.refusal} after asking for one)`;

/** The facts without which a server that got none cannot be told from one that refused another thing. */
const none: Pick<Row, 'kind' | 'causes'> = {
	kind: 'client-certificate-required',
	causes: whyNone,
};

const ownReasons: Cause = {
	id: 'server-failed',
	text: ({words}) => `${words.end} failed for a reason of its own`,
	repair: ({words}) => `look for this moment in the log of ${words.end}`,
};

const hangUps = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'];

/** Requests that were refused without a certificate. */
const required: readonly Row[] = [
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

// ---- ours was refused ----

const refused = ({words}: Facts) =>
	`${words.address} refused our certificate ${words.ours}${words.alert}`;
const refusedLikely = ({words}: Facts) =>
	`${words.address} ${words.refusal} after it had asked for our certificate ${words.ours}: most likely it refused it`;

const ask = ({words, identity}: Facts) =>
	`ask ${words.end}'s operator whether it accepts the certificate with fingerprint ${identity?.fingerprint256 ?? ''}`;

/** The faults of our certificate that we can see ourselves. */
const faults = (facts: Facts): readonly Cause[] =>
	facts.faults.map(({id, text, repair}) => ({id, text: () => text, repair: () => repair}));

const issuerOfOurs = ({ours, identity}: Facts) => ours().at(-1)?.issuer ?? identity?.issuer ?? '';

const issuerNotTrusted: Cause = {
	id: 'issuer-not-trusted',
	text: (facts) =>
		`${facts.words.end} does not trust the issuer of ours, '${issuerOfOurs(facts)}': its list of client CAs does not hold it`,
	repair: (facts) =>
		`have '${issuerOfOurs(facts)}' added to the client CAs of ${facts.words.end}, or use a certificate of a CA that it trusts; ours has the fingerprint ${facts.identity?.fingerprint256 ?? ''}`,
};

const chainIncomplete: Cause = {
	id: 'own-chain-incomplete',
	text: (facts) =>
		`if '${issuerOfOurs(facts)}' is an intermediate CA, its certificate is not sent with ours, and ${facts.words.end} may know its root alone`,
	repair: (facts) =>
		`put the certificate of '${issuerOfOurs(facts)}' behind ours in \`${facts.words.mtls}.cert\``,
	// Where it certainly is one, it is among the faults.
	when: (facts) => {
		const last = facts.ours().at(-1);
		return (
			!facts.oursEndAtRoot() &&
			last !== undefined &&
			last.subject !== last.issuer &&
			!/\broot\b/i.test(last.issuer)
		);
	},
};

const revoked: Cause = {
	id: 'own-revoked',
	text: ({words}) => `our certificate ${words.ours} was revoked: ${words.end}'s list of it says so`,
	repair: ({identity}) =>
		`have a new certificate issued by '${identity?.issuer ?? ''}', with a new key`,
};

const maybeRevoked: Cause = {
	...revoked,
	text: () => 'our certificate was revoked',
};

const notRegistered: Cause = {
	id: 'not-registered',
	text: ({words, identity}) =>
		`our certificate is valid, but ${words.end} does not let '${identity?.subject ?? ''}' in: it is not registered there`,
	repair: ask,
};

const listThereExpired: Cause = {
	id: 'expired-there',
	text: ({words}) =>
		`ours is valid by this machine's clock (${words.today}): the certificate of its CA that ${words.end} holds has expired, or the clock there is wrong`,
	repair: (facts) =>
		`have ${facts.words.end} renew its certificate of the CA '${issuerOfOurs(facts)}', and compare the clocks`,
};

const clockHere: Cause = {
	id: 'clock',
	text: ({words}) => `this machine's clock is wrong: it says ${words.today}`,
	repair: () => "set this machine's clock",
};

const kindNotAccepted: Cause = {
	id: 'kind-not-accepted',
	text: ({words}) =>
		`${words.end} accepts certificates of another kind: another type of key, or another purpose for the CA that issued ours`,
	repair: ask,
};

const otherPolicy: Cause = {
	id: 'breaks-a-rule',
	text: ({words}) =>
		`${words.end} has a rule that ours breaks (its signature, its key, its names): its log says which`,
	repair: ask,
};

const wrongSignature: Cause = {
	id: 'wrong-signature',
	text: ({words}) =>
		`${words.end} could not verify our signature: its TLS does not fit the kind of our key, or something on the way changed the handshake`,
	repair: ({words}) =>
		`try \`${words.mtls}.maxVersion: 'TLSv1.2'\`, and have ${words.end}'s operator look into its log`,
};

/** One alert about ours: with a fault of ours that it is about, that one stands alone. */
function refusedBy(
	alert: string,
	otherwise: readonly Cause[],
	proof: (facts: Facts) => readonly Cause[] = faults,
): Row[] {
	const when: When = {alert, asked: ['yes', 'maybe later'], offered: true};
	const kind = 'client-certificate-refused';
	return [
		{
			id: `refused-${alert}-proved`,
			when: {...when, hasProof: true},
			kind,
			certain: true,
			summary: refused,
			causes: proof,
		},
		{
			id: `refused-${alert}`,
			when,
			kind,
			certain: true,
			summary: refused,
			causes: otherwise,
		},
	];
}

const anyCause = (facts: Facts): readonly Cause[] => [
	...faults(facts),
	issuerNotTrusted,
	chainIncomplete,
	notRegistered,
	maybeRevoked,
];

const refusals: readonly Row[] = [
	{
		// It got none, though there was one: OpenSSL sends none whose key cannot sign.
		id: 'refused-no-fitting-key',
		when: {
			use: 'no-fitting-key',
			alert: [...noCertificateAlerts, 'handshake_failure'],
			offered: true,
		},
		kind: 'client-certificate-refused',
		certain: true,
		summary: ({words}) =>
			`${words.address} accepts no signature of the key of our certificate ${words.ours}${words.alert}`,
		causes: [noFittingKey],
	},
	...refusedBy('certificate_expired', [listThereExpired, clockHere]),
	...refusedBy('certificate_revoked', [revoked]),
	...refusedBy('unsupported_certificate', [kindNotAccepted]),
	...refusedBy('bad_certificate', [otherPolicy, issuerNotTrusted, maybeRevoked]),
	...refusedBy('unknown_ca', [issuerNotTrusted, chainIncomplete], (facts) => [
		...faults(facts),
		issuerNotTrusted,
	]),
	...refusedBy('access_denied', [notRegistered]),
	...refusedBy('decrypt_error', [wrongSignature]),
	{
		// Java sends it for whatever its verification objects to.
		id: 'refused-certificate_unknown',
		when: {alert: 'certificate_unknown', asked: ['yes', 'maybe later'], offered: true},
		kind: 'client-certificate-refused',
		certain: true,
		summary: refused,
		causes: anyCause,
	},
	{
		id: 'refused-certificate-alert',
		when: {alert: certificateAlerts, asked: 'unknown', offered: true},
		kind: 'client-certificate-refused',
		certain: false,
		summary: refusedLikely,
		causes: (facts) => [...anyCause(facts), ownReasons],
	},
	{
		id: 'refused-renegotiation',
		when: {alert: 'handshake_failure', asked: 'maybe later', offered: true},
		kind: 'client-certificate-refused',
		certain: false,
		summary: refusedLikely,
		causes: (facts) => [...anyCause(facts), ownReasons],
	},
	{
		// After its CertificateRequest, the likely cause of any other alert is the client certificate.
		id: 'refused-any-alert',
		when: {
			alert: /^(?!undefined$)/,
			asked: 'yes',
			offered: true,
		},
		kind: 'client-certificate-refused',
		certain: false,
		summary: refusedLikely,
		causes: (facts) => [...anyCause(facts), ownReasons],
	},
	{
		id: 'refused-hang-up',
		when: {code: hangUps, alert: undefined, asked: 'yes', offered: true},
		kind: 'client-certificate-refused',
		certain: false,
		summary: refusedLikely,
		causes: (facts) => [
			...(facts.use === 'no-fitting-key' ? [noFittingKey] : anyCause(facts)),
			ownReasons,
		],
	},
];

// ---- in HTTP ----

const behind: Cause = {
	id: 'tls-ends-before',
	text: ({words, hasIdentity}) =>
		`something on the way ends TLS (a proxy that intercepts, a load balancer, a CDN) and cannot pass ${hasIdentity ? 'our certificate' : 'a client certificate'} on: the certificate that it showed was issued by ${words.issuer}`,
	repair: ({words}) =>
		`if ${words.issuer} is not the issuer of ${words.end}'s own certificate, have this host exempted from the interception; else ask ${words.end}'s operator for the address at which it takes client certificates`,
};

const otherServerBlock: Cause = {
	id: 'servername-differs',
	text: ({servername, host}) =>
		`TLS was made with the name '${servername}', and the request is for '${host}', which is another server block of nginx: only that one asks for a certificate`,
	repair: ({words, host}) => `leave \`${words.mtls}.servername\` out, so that it is '${host}'`,
	when: ({servername, host}) => servername !== host,
};

const noNameSent: Cause = {
	id: 'no-name-sent',
	text: () =>
		'the URL has an IP address, so that no name was sent in the handshake (RFC 6066 §3), and the server block of nginx that answered it does not ask',
	repair: () => 'use the name of the server in the URL',
	when: ({isAddress}) => isAddress,
};

const postHandshake: Cause = {
	id: 'post-handshake',
	text: ({words}) =>
		`${words.end} asks once it has seen the path, which with TLS 1.3 a client must offer and Node does not`,
	repair: ({words, hasIdentity}) => {
		const besides = hasIdentity ? '' : `, beside \`${words.mtls}.cert\` and \`${words.mtls}.key\`,`;
		return `set \`${words.mtls}.maxVersion: 'TLSv1.2'\`${besides} with which ${words.end} can ask at that point`;
	},
};

/** Responses by which nginx or Apache refuses a certificate, or the lack of one. */
export const refusalPageRows: readonly Row[] = [
	{
		id: 'page-post-handshake',
		when: {page: 'apache-post-handshake'},
		kind: 'client-certificate-required',
		certain: true,
		summary: shownNone,
		causes: [postHandshake, ...whyNone.filter(({id}) => id !== 'no-fitting-key')],
	},
	{
		// nginx asks in the handshake, or never: whoever answered it was another one.
		id: 'page-not-asked',
		when: {page: 'nginx-required', asked: ['no', 'maybe later'], isWithheld: false},
		kind: 'client-certificate-required',
		certain: true,
		summary: ({words}) =>
			`${words.address} did not ask for a client certificate in the handshake, and the server behind it wanted one`,
		causes: [otherServerBlock, noNameSent, behind, noneSet],
	},
	{
		id: 'page-required',
		when: {page: 'nginx-required'},
		kind: 'client-certificate-required',
		certain: true,
		summary: shownNone,
		causes: whyNone,
	},
	{
		id: 'refused-page',
		when: {page: 'nginx-refused', offered: true},
		kind: 'client-certificate-refused',
		certain: true,
		summary: refused,
		causes: anyCause,
	},
	{
		id: 'status-anonymized',
		when: {
			source: 'response',
			page: undefined,
			status: [400, 401, 403],
			isAnonymized: true,
			asked: 'yes',
		},
		kind: 'client-certificate-required',
		certain: false,
		summary: shownNoneLikely,
		causes: [notAllowed],
	},
	// A refusal page for a certificate that was not presented, and any other response, stay what they are.
	{
		id: 'response',
		when: {source: 'response'},
		kind: undefined,
		certain: true,
		summary: () => '',
		causes: [],
	},
];

/** Alerts and hang-ups: those that come after the handshake of a resumed session have another cause. */
export const clientCertificateRows: readonly Row[] = [
	{
		id: 'resumed-hang-up',
		when: {code: hangUps, alert: undefined, resumed: true, phase: 'response'},
		kind: undefined,
		certain: true,
		summary: () => '',
		causes: [],
	},
	...required,
	...refusals,
];
