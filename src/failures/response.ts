/*
 * A response is the failure: a redirect that leaves TLS, or a page that refuses the client certificate.
 */
import {refusedPageRow} from './client-certificate-refused.ts';
import {
	noneSet,
	notAllowed,
	shownNoneByPage,
	shownNoneLikely,
	unlisted,
	whyNone,
} from './client-certificate-required.ts';
import type {Cause, Row} from './facts.ts';

const behind: Cause = {
	id: 'tls-ends-before',
	text: ({words, hasIdentity}) =>
		`something on the way ends TLS (a proxy that intercepts, a load balancer, a CDN) and cannot pass ${hasIdentity ? 'our certificate' : 'a client certificate'} on: the certificate that it showed was issued by ${words.issuer}`,
	repair: ({words}) =>
		`if ${words.issuer} is not the issuer of ${words.end}'s own certificate, have this host exempted from the interception; else ask ${words.end}'s operator for the address at which it takes client certificates`,
};

const notPassedOn: Cause = {
	id: 'not-passed-on',
	text: ({words}) =>
		`what ends TLS at ${words.address} (a load balancer, a reverse proxy) takes our certificate, and does not pass it on to the server behind it`,
	repair: ({words, faults}) =>
		`have ${words.end}'s operator let TLS through to the server behind ${words.address}, or have that server take the certificate from what is before it${faults.length === 0 ? '; ours needs no change' : ''}`,
};

const notOurs: Cause = {
	id: 'not-ours',
	text: ({words}) =>
		`something on the way ends TLS (a proxy that intercepts, a load balancer, a CDN), and the server behind it refused another certificate than ours: the certificate that it showed here was issued by ${words.issuer}`,
	repair: ({words}) =>
		`ask ${words.end}'s operator which certificate was refused there, and for the address at which it takes client certificates`,
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
const refusalPageRows: readonly Row[] = [
	{
		id: 'page-post-handshake',
		when: {page: 'apache-post-handshake'},
		kind: 'client-certificate-required',
		certain: true,
		summary: shownNoneByPage,
		causes: [postHandshake, ...whyNone.filter(({id}) => id !== 'no-fitting-key')],
	},
	{
		// nginx asks in the handshake, or never: whoever answered it was another one.
		id: 'page-not-asked',
		when: {page: 'nginx-required', asked: ['no', 'maybe later'], isWithheld: false},
		kind: 'client-certificate-required',
		certain: true,
		summary: ({words}) =>
			`${words.address} did not ask for a client certificate in the handshake, and the server behind it wanted one (it ${words.refusal})`,
		causes: [behind, noneSet, unlisted],
	},
	{
		id: 'page-not-passed-on',
		when: {page: 'nginx-required', use: 'sent'},
		kind: 'client-certificate-required',
		// A TLS session may have begun where no certificate was wanted.
		certain: ({resumed}) => !resumed,
		summary: ({words}) =>
			`${words.address} took our certificate ${words.ours}, and the server behind it got none: it does not pass it on`,
		causes: [notPassedOn],
	},
	{
		id: 'page-required',
		when: {page: 'nginx-required'},
		kind: 'client-certificate-required',
		certain: true,
		summary: shownNoneByPage,
		causes: whyNone,
	},
	refusedPageRow,
	{
		id: 'page-refused-not-asked',
		when: {page: 'nginx-refused', asked: ['no', 'maybe later'], offered: true},
		kind: 'client-certificate-refused',
		certain: false,
		summary: ({words}) =>
			`${words.address} did not ask for a client certificate in the handshake, and the server behind it refused one that is not ours`,
		causes: [notOurs],
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

export const responseRows: readonly Row[] = [
	{
		id: 'insecure-redirect',
		when: {source: 'redirect'},
		kind: 'insecure-redirect',
		certain: true,
		summary: ({url}) => `a redirect from https to http was not followed: ${url}`,
		causes: [
			{
				id: 'insecure-redirect',
				text: () => 'the server builds its Location without knowing that it is behind TLS',
				repair: () =>
					'have the server redirect to https, or set `allowInsecureRedirects: true` where nothing in the session is secret',
			},
		],
	},
	...refusalPageRows,
];
