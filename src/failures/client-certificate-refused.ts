/*
 * The server did not accept our certificate.
 */
import {
	certificateAlerts,
	hangUps,
	noCertificateAlerts,
	ownReasons,
	whyUnsent,
} from './client-certificate-required.ts';
import type {Cause, Facts, Row, When} from './facts.ts';

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
		`${words.end} does not let '${identity?.subject ?? ''}' in: it is not registered there`,
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

const notAskedFor: Cause = {
	id: 'refused-unasked',
	text: ({words}) =>
		`what answered at ${words.address} is configured to refuse before it asks, or passes on the refusal of a server behind it`,
	repair: ({words}) =>
		`ask ${words.end}'s operator for the address at which it takes client certificates`,
};

const anyCause = (facts: Facts): readonly Cause[] => [
	...faults(facts),
	issuerNotTrusted,
	chainIncomplete,
	notRegistered,
	maybeRevoked,
];

export const refusedRows: readonly Row[] = [
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
		summary: ({words, options}) =>
			options.sigalgs === undefined
				? `${words.address} accepts no signature of the key of our certificate ${words.ours}${words.alert}`
				: `${words.address} was not sent our certificate ${words.ours}: its key can make no signature that both ends allow${words.alert}`,
		causes: whyUnsent,
	},
	{
		// Only what ends TLS in between can want a certificate before it asks.
		id: 'refused-before-asked',
		when: {alert: noCertificateAlerts, asked: ['unknown', 'no', 'maybe later'], offered: true},
		kind: 'client-certificate-required',
		certain: false,
		summary: ({words}) =>
			`${words.address} wants a client certificate${words.alert}, and had not asked for ours`,
		causes: [notAskedFor, ownReasons],
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
			...(facts.use === 'no-fitting-key' ? whyUnsent : anyCause(facts)),
			ownReasons,
		],
	},
];

/** nginx has checked it, and says so in a page. */
export const refusedPageRow: Row = {
	id: 'refused-page',
	when: {page: 'nginx-refused', asked: 'yes', offered: true},
	kind: 'client-certificate-refused',
	certain: true,
	summary: (facts) => `${refused(facts)} (it ${facts.words.refusal}, with a page of nginx)`,
	causes: anyCause,
};
