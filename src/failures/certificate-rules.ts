/*
 * We refused the server: its chain breaks a rule, is for another purpose, is too weak, or no revocation
 * list covers it.
 */
import type {Cause, Facts, Row, Weakness} from './facts.ts';

const replaceIt = ({words}: Facts) => `have ${words.end} replace its certificate`;

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

/** The certificate that is too weak, where the chain was seen. */
function weakLink(weakness: Weakness, {details}: Facts): string | undefined {
	for (const {subject, weakDigest, rsaBits = 2048} of details()) {
		if (weakness === 'digest' && weakDigest !== undefined) {
			return `'${subject}' is signed with ${weakDigest}`;
		}
		if (weakness === 'key' && rsaBits < 2048)
			return `the RSA key of '${subject}' has ${rsaBits} bits`;
	}
	return undefined;
}

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
				text: (facts) => weakLink(weakness, facts) ?? reason,
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

const chainOf = ({chain}: Facts) =>
	chain.length === 0 ? '' : ` (the chain: ${chain.map(({subject}) => `'${subject}'`).join(', ')})`;

const brokenRule = {
	kind: 'invalid-certificate',
	certain: true,
	summary: ({words, code = ''}: Facts) =>
		`${words.end}'s certificate ${words.subject} was refused: it or its chain breaks a rule of X.509${
			Object.hasOwn(rules, code) ? ` (${code})` : ''
		}`,
	causes: [
		{
			id: 'broken-rule',
			text: (facts: Facts) => `${ruleOf(facts)}${chainOf(facts)}`,
			repair: replaceIt,
		},
	],
} as const;

/** The CA whose name constraints it is (RFC 5280 §4.2.1.10), where there is but one. */
const constrainedCa = ({chain}: Facts) =>
	chain.length === 2 ? `'${chain[1]?.subject}'` : 'a CA of its chain';

function nameConstraints(): Row {
	return {
		id: 'name-constraints',
		// Node's code is `UNSPECIFIED`.
		when: {
			source: 'connection',
			phase: 'verify',
			text: /(PERMITTED|EXCLUDED)_SUBTREE_VIOLATION/,
		},
		kind: 'invalid-certificate',
		certain: true,
		summary: ({words}) =>
			`${words.end}'s certificate ${words.subject} has a name that its CA may not issue for`,
		causes: [
			{
				id: 'broken-rule',
				text: (facts) =>
					`${constrainedCa(facts)} may issue for certain names only (name constraints), and ${facts.words.subject} has another among its own: ${facts.words.names}`,
				repair: (facts) =>
					`have ${facts.words.end} use a certificate whose names ${constrainedCa(facts)} may issue for, or one of another CA`,
			},
		],
	};
}

function brokenRules(): Row[] {
	return [
		nameConstraints(),
		{id: 'broken-rule', when: {code: Object.keys(rules)}, ...brokenRule},
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
	...brokenRule,
};

export const certificateRuleRows: readonly Row[] = [
	...revocationLists(),
	...purposes(),
	...(['key', 'digest', 'diffie-hellman'] as const).map(tooWeak),
	...brokenRules(),
];
