/*
 * We refused the server: its certificate, or the chain above it.
 */
import type {Cause, Facts, Row, Weakness} from './facts.ts';

const replaceIt = ({words}: Facts) => `have ${words.end} replace its certificate`;

export const interceptor: Cause = {
	id: 'intercepted',
	text: () => 'something on the way (a proxy, an antivirus) answers in its place',
	repair: () => 'ask those who run the network what answers in its place',
};

const clock: Cause = {
	id: 'clock',
	text: ({words}) => `this machine's clock is wrong: it says ${words.today}`,
	repair: ({words}) => `set this machine's clock, which says ${words.today}`,
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
	text: ({words, outOfDate}) =>
		`\`${words.mtls}.ca\` holds an old certificate of the CA ${outOfDate.name}`,
	repair: ({words, outOfDate}) =>
		`put the current certificate of ${outOfDate.name} into \`${words.mtls}.ca\`; ${words.end} has nothing to mend`,
};

const issuedForLater: Cause = {
	id: 'issued-for-later',
	text: ({outOfDate}) => `the certificate was issued for use from ${outOfDate.date} on`,
	repair: ({words}) => `have ${words.end} use a certificate that is valid today`,
};

const links = {
	leaf: ({words}: Facts) => `${words.end}'s certificate`,
	intermediate: ({words}: Facts) => `an intermediate CA in ${words.end}'s chain,`,
	'our-ca': ({words}: Facts) => `a CA of \`${words.mtls}.ca\`,`,
} as const;

const expired = (facts: Facts) =>
	`${links[facts.outOfDate.link](facts)} ${facts.outOfDate.name} expired on ${facts.outOfDate.date} (this machine's date: ${facts.words.today})`;

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
			`${links[facts.outOfDate.link](facts)} ${facts.outOfDate.name} is not valid before ${facts.outOfDate.date} (this machine's date: ${facts.words.today})`,
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

/** A CRL that cannot be used, by the code. */
function revocationLists(): Row[] {
	const list = (
		id: string,
		code: readonly string[],
		why: (facts: Facts) => string,
		repair: string,
	) =>
		({
			id: `revocation-${id}`,
			when: {code},
			kind: 'revocation-unknown',
			certain: true,
			summary: ({words}) =>
				`no revocation list tells whether ${words.end}'s certificate ${words.subject} is still good`,
			causes: [
				{
					id: `crl-${id}`,
					text: why,
					repair: ({words}) => repair.replace('ISSUER', words.issuer),
				},
			],
		}) satisfies Row;
	return [
		list(
			'missing',
			['UNABLE_TO_GET_CRL'],
			({words}) => `\`${words.mtls}.crl\` has no list of the issuer, ${words.issuer}`,
			'add the revocation list of ISSUER to `mtls.crl`',
		),
		list(
			'expired',
			['CRL_HAS_EXPIRED'],
			({words}) =>
				`the list of ${words.issuer} in \`${words.mtls}.crl\` is past its date (nextUpdate), by this machine's clock: ${words.today}`,
			'fetch the current revocation list of ISSUER into `mtls.crl`, and see to it that this happens before each ends',
		),
		list(
			'not-yet-valid',
			['CRL_NOT_YET_VALID'],
			({words}) =>
				`the list of ${words.issuer} in \`${words.mtls}.crl\` is of a later date than this machine's: ${words.today}`,
			"set this machine's clock",
		),
		list(
			'broken',
			[
				'CRL_SIGNATURE_FAILURE',
				'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
				'ERROR_IN_CRL_LAST_UPDATE_FIELD',
				'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
			],
			({words, code}) =>
				`the list of ${words.issuer} in \`${words.mtls}.crl\` is damaged, or another CA of that name signed it (${code})`,
			'fetch the revocation list of ISSUER into `mtls.crl` again',
		),
	];
}

/** What a chain is not for. OpenSSL has one code for all of them, and for an issuer without the CA bit. */
function purposes(): Row[] {
	const code = 'INVALID_PURPOSE';
	const one = (
		purposeFault: Facts['purposeFault'],
		summary: Row['summary'],
		text: Cause['text'],
		repair: Cause['repair'],
	): Row => ({
		id: purposeFault,
		when: {code: purposeFault === 'issuer-is-no-ca' ? [code, 'INVALID_CA'] : code, purposeFault},
		kind: purposeFault === 'issuer-is-no-ca' ? 'invalid-certificate' : 'wrong-purpose',
		certain: true,
		summary,
		causes: [{id: purposeFault, text, repair}],
	});
	const notForServers: Row['summary'] = ({words}) =>
		`${words.end}'s certificate ${words.subject} was not issued for servers`;
	return [
		one(
			'issuer-is-no-ca',
			(facts) =>
				`${facts.words.end}'s certificate ${facts.words.subject} was issued by ${noCa(facts)}, which may not issue certificates`,
			(facts) => `${noCa(facts)} is no CA: its basicConstraints say so`,
			({words}) =>
				`have ${words.end} use a certificate of a CA, and give that CA as \`${words.mtls}.ca\``,
		),
		one(
			'no-server-auth',
			notForServers,
			() => 'its extended key usage lacks serverAuth: it may be a client certificate',
			({words}) => `have ${words.end} use a certificate with serverAuth`,
		),
		one(
			'issuer-purpose',
			notForServers,
			() =>
				'the extended key usage of a CA above it lacks serverAuth: that CA is for other purposes',
			({words}) => `have ${words.end} use a certificate of a CA for servers`,
		),
		one(
			'key-usage',
			notForServers,
			({details}) =>
				`its key usage (${details()[0]?.keyUsage?.join(', ') ?? 'none'}) allows neither digitalSignature nor keyEncipherment`,
			({words}) => `have ${words.end} use a certificate with digitalSignature in its key usage`,
		),
	];
}

const noCa = ({details}: Facts) =>
	`'${
		details()
			.slice(1)
			.find(({isCa}) => !isCa)?.subject ?? ''
	}'`;

interface WeaknessText {
	readonly what: (end: string) => string;
	readonly reason: string;
	readonly repair: (end: string) => string;
	/** The security level at which it is accepted. */
	readonly level: number;
}

// The levels are those of OpenSSL 3, SSL_CTX_set_security_level(3): a key of 1024 bits is still allowed
// at level 1, SHA-1 only at 0.
const weaknesses: Readonly<Record<Weakness, WeaknessText>> = {
	key: {
		what: (end) => `a key in ${end}'s chain is`,
		reason: 'an RSA key under 2048 bits, or an EC key under 224',
		repair: () => 'the certificate replaced by one with a longer key',
		level: 1,
	},
	digest: {
		what: (end) => `a signature in ${end}'s chain is`,
		reason: 'a certificate that is signed with SHA-1 or MD5',
		repair: () => 'the certificate replaced by one that is signed with SHA-256',
		level: 0,
	},
	'diffie-hellman': {
		what: (end) => `${end}'s Diffie-Hellman parameters are`,
		reason: 'parameters under 2048 bits',
		repair: (end) => `${end} use longer ones, or ECDHE`,
		level: 1,
	},
};

function tooWeak(weakness: Weakness): Row {
	const {what, reason, repair, level} = weaknesses[weakness];
	return {
		id: `too-weak-${weakness}`,
		// Node's code is `UNSPECIFIED`: only the text says it.
		when: {
			source: 'connection',
			text: /KEY_TOO_(SMALL|WEAK)|(MD|ALGORITHM)_TOO_WEAK/,
			weakness,
			phase: ['handshake', 'verify'],
		},
		kind: 'too-weak',
		certain: true,
		summary: ({words}) => `${what(words.end)} too weak for the security level of OpenSSL`,
		causes: [
			{
				id: `weak-${weakness}`,
				text: () => reason,
				repair: ({words}) =>
					`have ${repair(words.end)}; \`${words.mtls}.ciphers: 'DEFAULT@SECLEVEL=${level}'\` lowers the level meanwhile`,
			},
		],
	};
}

/** The rules of RFC 5280 §6 that OpenSSL has a code for. */
const rules: Readonly<Record<string, string>> = {
	INVALID_CA: 'an issuer in the chain is no CA',
	PATH_LENGTH_EXCEEDED: 'a CA of the chain may not have so many CAs below it (pathLenConstraint)',
	CERT_CHAIN_TOO_LONG: 'the chain has more certificates than OpenSSL follows',
	CERT_SIGNATURE_FAILURE: "a signature in the chain is not that of its issuer's key",
	UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'a signature in the chain cannot be read',
	UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'the key of an issuer cannot be read',
	ERROR_IN_CERT_NOT_BEFORE_FIELD: 'a certificate begins on no valid date (notBefore)',
	ERROR_IN_CERT_NOT_AFTER_FIELD: 'a certificate ends on no valid date (notAfter)',
	OUT_OF_MEM: 'OpenSSL had not enough memory to verify the chain',
};

/** The rule in words, or in those of OpenSSL: `permitted subtree violation`. */
function ruleOf({code = '', message}: Facts): string {
	return rules[code] ?? (message === '' ? code : message);
}

function brokenRules(): Row[] {
	const summary: Row['summary'] = (facts) =>
		`${facts.words.end}'s certificate ${facts.words.subject} was refused: ${ruleOf(facts)}`;
	const causes: Row['causes'] = [
		{
			id: 'broken-rule',
			text: (facts) => `the certificate or its chain breaks a rule of X.509: ${ruleOf(facts)}`,
			repair: replaceIt,
		},
	];
	const row = {kind: 'invalid-certificate', certain: true, summary, causes} as const;
	return [
		{id: 'broken-rule', when: {code: Object.keys(rules)}, ...row},
		{
			id: 'chain-too-large',
			when: {text: /EXCESSIVE_MESSAGE_SIZE/, phase: 'handshake'},
			kind: 'invalid-certificate',
			certain: true,
			summary: ({words}) =>
				`${words.address} sent certificates of more than 100 KB, which OpenSSL does not read`,
			causes: [
				{
					id: 'chain-too-large',
					text: ({words}) =>
						`${words.end}'s certificate has thousands of names, or it sends a whole list of CAs with it`,
					repair: ({words}) =>
						`have ${words.end} send a smaller certificate, and of its chain the intermediates alone`,
				},
			],
		},
	];
}

/** What else a verification found: Node has no code for it. It comes after what has a row of its own. */
export const unknownVerification: Row = {
	id: 'unknown-rule',
	when: {source: 'connection', phase: 'verify'},
	kind: 'invalid-certificate',
	certain: true,
	summary: (facts) =>
		`${facts.words.end}'s certificate ${facts.words.subject} was refused: ${ruleOf(facts)}`,
	causes: [
		{
			id: 'broken-rule',
			text: (facts) => `the certificate or its chain breaks a rule of X.509: ${ruleOf(facts)}`,
			repair: replaceIt,
		},
	],
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
		causes: [ownMaking, interceptor],
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
	...revocationLists(),
	...purposes(),
	...(['key', 'digest', 'diffie-hellman'] as const).map(tooWeak),
	...brokenRules(),
];

export const serverCertificateRows: readonly Row[] = [...dates, ...others];
