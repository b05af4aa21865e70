/*
 * We refused the server: its chain leads to no trusted CA.
 */
import {caElsewhere, lastOf, missing} from './ca-elsewhere.ts';
import type {Cause, Facts, Row} from './facts.ts';
import {looksIntermediate} from './our-certificate.ts';
import {interceptor} from './server-certificate.ts';

/** Whether the missing issuer can be an intermediate CA: nobody need send a root. */
function mayBeIntermediate(facts: Facts): boolean {
	const last = lastOf(facts);
	return (
		last !== undefined &&
		last.subject !== last.issuer &&
		looksIntermediate(last.issuer, []) !== 'no'
	);
}

/** `'CN=Bank CA', which may be a root CA,` */
const missingRoot = (facts: Facts) =>
	`${missing(facts)}${mayBeIntermediate(facts) ? ', which may be a root CA,' : ''}`;

function ownCas(facts: Facts): string {
	const ca = `\`${facts.words.ca}\``;
	if (!facts.trust().given) {
		return `no ${ca} is set, and ${missingRoot(facts)} is not among the CAs that Node trusts`;
	}
	return mayBeIntermediate(facts)
		? `${ca} does not hold ${missing(facts)}, which may be a root CA${heldInstead(facts)}`
		: `${ca} does not hold ${missing(facts)}, the CA of this server${heldInstead(facts)}`;
}

/** `; it holds 'CN=Other CA'` */
function heldInstead(facts: Facts): string {
	const {count, names} = facts.trust();
	if (count === 0) return '';
	const isShort = names.length > 0 && names.join().length <= maxNamesLength;
	if (!isShort) return `; it holds ${count === 1 ? 'one other' : `${count} others`}`;
	return `; it holds ${names.map((name) => `'${name}'`).join(' and ')}`;
}

const maxNamesLength = 160;

/** ` (from http://…)` */
function fromWhere(facts: Facts): string {
	const [from] = lastOf(facts)?.caIssuers ?? [];
	return from ? ` (from ${from})` : '';
}

const caMissing: Cause = {
	id: 'ca-missing',
	text: ownCas,
	when: (facts) =>
		!facts.trust().holdsNamesake &&
		!facts.trust().inGlobalAgent &&
		facts.options.unmatchedOrigins === undefined,
	repair: (facts) => {
		const {words} = facts;
		const ca = `\`${words.mtls}.ca\``;
		const give = mayBeIntermediate(facts)
			? `if it is a root CA, give it as ${ca}; if it is an intermediate CA, have ${words.end} send it`
			: `give it as ${ca}`;
		const system = facts.trust().given
			? ''
			: `; or try \`${words.mtls}.ca: 'system'\`, as it may be among the CAs of this system`;
		return `get the certificate of the CA ${missing(facts)} from ${words.end}'s operator, or if it belongs to a proxy or an antivirus on this network, from those who run that: ${give}${system}`;
	},
};

const namesake: Cause = {
	id: 'ca-namesake',
	text: (facts) =>
		`\`${facts.words.ca}\` holds another certificate of the name ${missing(facts)}, with another key: the CA was replaced, or made anew`,
	repair: (facts) =>
		`get the current certificate of the CA ${missing(facts)} and put it into \`${facts.words.ca}\``,
	when: (facts) => facts.trust().holdsNamesake,
};

const intermediateMissing: Cause = {
	id: 'intermediate-missing',
	text: (facts) =>
		`${facts.words.end} does not send the certificate of ${missing(facts)}, which ${facts.incomplete === 'leaf-of-intermediate' ? 'is likely' : 'may be'} an intermediate CA`,
	when: (facts) => mayBeIntermediate(facts) && !facts.trust().inGlobalAgent,
	repair: (facts) =>
		`${sendIt(facts)}; if it is a root CA, ${facts.words.end} need not send it: give its certificate as \`${facts.words.mtls}.ca\``,
};

const sendIt = (facts: Facts) =>
	`have ${facts.words.end} send the certificate of ${missing(facts)}${fromWhere(facts)}, or add it to \`${facts.words.mtls}.ca\`, beside its root, until it does`;

/** The interceptors that put their name into what they issue. */
const interceptors =
	/zscaler|netskope|fortinet|fortigate|palo alto|blue ?coat|umbrella|websense|forcepoint|sophos|kaspersky|avast|avg |eset|bitdefender|mcafee|checkpoint|mitmproxy|charles proxy|fiddler|portswigger|burp/i;

const named: Cause = {
	...interceptor,
	text: (facts) => `${interceptor.text(facts)}: ${missing(facts)} is the CA of such a product`,
	repair: (facts) =>
		`get the certificate of the CA ${missing(facts)} from those who run this network, and give it as \`${facts.words.mtls}.ca\` if the proxy is meant to be there`,
	when: (facts) => interceptors.test(missing(facts)),
};

const unknownCa = (facts: Facts) =>
	`${facts.words.end}'s certificate ${facts.words.subject} was issued by ${facts.words.issuer}, which leads to no CA that is trusted here`;

/** What is known where the chain ends: it is not, whether its issuer is a root CA or an intermediate one. */
function unsentIssuer(facts: Facts): string {
	if (!mayBeIntermediate(facts)) return unknownCa(facts);
	const {chain, words} = facts;
	const between = chain.length > 1 ? `leads to '${lastOf(facts)?.subject}', which ` : '';
	return `${words.end}'s certificate ${words.subject} ${between}was issued by ${missing(facts)}, which is not among the CAs that are trusted here, and whose certificate ${words.end} did not send`;
}

const incompleteCodes = [
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'CERT_UNTRUSTED',
	'CERT_REJECTED',
];

export const serverChainRows: readonly Row[] = [
	{
		id: 'no-certificate',
		// Node's code where there was no certificate.
		when: {code: 'UNABLE_TO_GET_ISSUER_CERT', hasChain: false},
		kind: 'untrusted-issuer',
		certain: true,
		summary: ({words}) => `${words.address} showed no certificate`,
		causes: [
			{
				id: 'anonymous-cipher',
				text: ({words, options}) =>
					`\`${words.mtls}.ciphers\` is set to '${options.ciphers}', which offers cipher suites without a certificate, and ${words.end} chose one of them`,
				repair: ({words}) => `add ':!aNULL' to the end of \`${words.mtls}.ciphers\``,
				when: ({options}) => options.ciphers !== undefined,
			},
			{
				id: 'no-certificate',
				text: ({words}) => `${words.end} is configured without one`,
				repair: ({words}) => `have ${words.end} configured with a certificate`,
				when: ({options}) => options.ciphers === undefined,
			},
		],
	},
	{
		id: 'ca-holds-leaf',
		when: {code: incompleteCodes, incomplete: 'ca-holds-leaf'},
		kind: 'untrusted-issuer',
		certain: true,
		summary: unknownCa,
		causes: [
			{
				id: 'ca-holds-leaf',
				text: ({words}) =>
					`\`${words.ca}\` holds ${words.end}'s own certificate ${words.subject}, not the CA that issued it, ${words.issuer}`,
				repair: ({words}) => `put the certificate of ${words.issuer} into \`${words.ca}\``,
			},
		],
	},
	{
		id: 'ca-holds-intermediate',
		when: {code: incompleteCodes, incomplete: 'ca-holds-intermediate'},
		kind: 'untrusted-issuer',
		certain: true,
		summary: unknownCa,
		causes: [
			{
				id: 'ca-holds-intermediate',
				text: (facts) =>
					`\`${facts.words.ca}\` holds '${lastOf(facts)?.subject ?? ''}', but not its issuer ${missing(facts)}`,
				repair: (facts) =>
					`put the root ${missing(facts)} into \`${facts.words.ca}\`, beside or instead of '${lastOf(facts)?.subject ?? ''}'`,
			},
		],
	},
	{
		id: 'public-ca',
		when: {code: incompleteCodes, incomplete: 'public-ca'},
		kind: 'untrusted-issuer',
		certain: true,
		summary: unknownCa,
		causes: [
			{
				id: 'public-ca',
				text: (facts) =>
					`\`${facts.words.ca}\` replaces Node's own list of CAs, and ${missing(facts)} is only in that one`,
				repair: ({words}) =>
					`add the word 'default', which stands for Node's own list, to the CAs of \`${words.mtls}.ca\`: \`${words.mtls}.ca: ['default', …]\``,
			},
		],
	},
	{
		id: 'wrong-intermediate',
		when: {code: incompleteCodes, incomplete: 'wrong-intermediate'},
		kind: 'missing-intermediate',
		certain: (facts) => !facts.trust().holdsNamesake,
		summary: (facts) =>
			`${facts.words.end}'s certificate ${facts.words.subject} was issued by ${missing(facts)}, whose certificate ${facts.words.end} did not send`,
		causes: [
			namesake,
			{
				id: 'wrong-intermediate',
				text: (facts) =>
					`${facts.words.end} sends ${sentInstead(facts)}, and not the certificate of ${missing(facts)}: \`openssl s_client -showcerts\` shows what it sends`,
				repair: sendIt,
			},
		],
	},
	{
		id: 'intermediate-missing',
		when: {code: incompleteCodes, incomplete: 'leaf-of-intermediate'},
		kind: 'missing-intermediate',
		certain: false,
		summary: unsentIssuer,
		causes: [...caElsewhere, namesake, named, intermediateMissing, caMissing],
	},
	{
		id: 'unknown-ca-of-leaf',
		when: {code: incompleteCodes, incomplete: 'leaf-alone'},
		kind: 'untrusted-issuer',
		certain: false,
		summary: unsentIssuer,
		causes: [...caElsewhere, namesake, named, caMissing, intermediateMissing, interceptor],
	},
	{
		id: 'unknown-root',
		when: {code: incompleteCodes, incomplete: 'unknown-root'},
		kind: 'untrusted-issuer',
		certain: true,
		summary: unsentIssuer,
		causes: [...caElsewhere, namesake, named, caMissing, intermediateMissing, interceptor],
	},
];

function sentInstead(facts: Facts): string {
	const names = facts.unrelated();
	const same = names.includes(lastOf(facts)?.issuer ?? '');
	if (same) return `another certificate of the name ${missing(facts)}, with another key`;
	return names
		.slice(0, 3)
		.map((name) => `'${name}'`)
		.join(', ');
}
