/*
 * The proxy gave no way to the server.
 */
import {authorityOf} from '../util/url.ts';
import type {Cause, Facts, Row} from './facts.ts';
import {cause, checkSetting, loginSettingOf, settingOf} from './proxy-setting.ts';
import {proxyStatusRows} from './proxy-status.ts';
import {socksReplyCauses} from './socks-refusal.ts';

// ---- it cannot be reached ----

const networkCode =
	(...codes: readonly string[]): Cause['when'] =>
	({proxy}) =>
		codes.includes(proxy?.networkCode ?? '');

const unreachable: readonly Cause[] = [
	cause(
		'proxy-name-unknown',
		({proxy}) =>
			`the name '${proxy?.host}' is unknown: it is misspelt, or known inside another network only`,
		checkSetting,
		networkCode('ENOTFOUND'),
	),
	cause(
		'dns-unavailable',
		({proxy}) => `the DNS server did not answer the question for '${proxy?.host}'`,
		"check this machine's network and DNS servers, and try again",
		networkCode('EAI_AGAIN'),
	),
	cause(
		'proxy-port-closed',
		({words}) => `nothing listens on ${words.proxy}: the proxy is down, or its port is another one`,
		checkSetting,
		networkCode('ECONNREFUSED'),
	),
	cause(
		'proxy-address-wrong',
		(facts) => `the address in ${settingOf(facts)} is wrong`,
		checkSetting,
		(facts) => !known(facts),
	),
	cause('proxy-down', 'the proxy is down', checkSetting, (facts) => !known(facts)),
];

const known = ({proxy}: Facts) =>
	['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED'].includes(proxy?.networkCode ?? '');

// ---- it answered ----

const logins: readonly Cause[] = [
	cause(
		'proxy-login-wrong',
		'the user or the password is wrong',
		(facts) =>
			`the proxy did not accept the user and password in ${loginSettingOf(facts)}: have them checked`,
		({proxy}) => proxy?.hasCredentials === true,
	),
	cause(
		'proxy-login-scheme',
		({socks}) =>
			socks
				? 'the proxy takes another method than user and password (RFC 1929)'
				: 'the proxy takes another scheme than Basic',
		'ask the operator of the proxy how its users log in',
		({proxy}) => proxy?.hasCredentials === true,
	),
	cause(
		'proxy-login-missing',
		'no user and password are set for it',
		(facts) => `put user and password into ${loginSettingOf(facts)}`,
		({proxy}) => proxy?.hasCredentials !== true,
	),
];

// ---- what it said was no answer ----

const secureUrl = ({proxy}: Facts) =>
	`https://${authorityOf(proxy?.host ?? '', proxy?.port ?? 443)}`;

const speaksTls = cause(
	'proxy-speaks-tls',
	({words}) => `${words.proxy} answered in TLS`,
	(facts) => `set ${secureUrl(facts)} as the URL of the proxy (in ${settingOf(facts)})`,
	({proxy}) => proxy?.protocol === 'http',
);

/** A TLS server may hang up on CONNECT, which to it is a broken handshake. */
const mayWantTls = cause(
	'proxy-speaks-tls',
	({words}) => `${words.proxy} may speak TLS, and take CONNECT for a broken handshake`,
	(facts) =>
		`try ${secureUrl(facts)} as the URL of the proxy (in ${settingOf(facts)}); if that fails too, ask its operator`,
	({proxy}) => proxy?.protocol === 'http',
);

const proxyFailed = cause(
	'proxy-failed',
	'the proxy is overloaded or restarting, or cuts off what it does not allow without an answer',
	'have the operator of the proxy look for this moment in its log',
);

const notHttpProxy = cause(
	'no-http-proxy',
	(facts) => `the address in ${settingOf(facts)} is not that of an HTTP proxy`,
	checkSetting,
);

/** The proxy's own error, which says what it did. */
const asItSays = ({proxy, words}: Facts) =>
	proxy?.message ?? `the proxy ${words.proxy} did not answer as HTTP says`;

export const proxyRows: readonly Row[] = [
	{
		id: 'proxy-unreachable',
		when: {proxyKind: 'proxy-unreachable'},
		kind: 'proxy-unreachable',
		certain: true,
		summary: ({words, proxy}) =>
			`the proxy ${words.proxy} cannot be reached${proxy?.networkCode === undefined ? '' : ` (${proxy.networkCode})`}`,
		causes: unreachable,
	},
	{
		id: 'proxy-auth-required',
		when: {proxyKind: 'proxy-auth-required', socks: false},
		kind: 'proxy-auth-required',
		certain: true,
		summary: ({words, proxy}) =>
			`the proxy ${words.proxy} wants ${proxy?.hasCredentials ? 'another' : 'a'} login (407)`,
		causes: logins,
	},
	{
		id: 'socks-auth-required',
		when: {proxyKind: 'proxy-auth-required', socks: true},
		kind: 'proxy-auth-required',
		certain: true,
		summary: asItSays,
		causes: logins,
	},
	{
		id: 'socks-refused',
		when: {proxyKind: 'proxy-refused', socks: true},
		kind: 'proxy-refused',
		certain: true,
		summary: asItSays,
		causes: ({proxy}) => socksReplyCauses(proxy?.reply),
	},
	...proxyStatusRows,
	{
		id: 'proxy-timeout',
		when: {proxyKind: 'proxy-timeout'},
		kind: 'proxy-timeout',
		certain: true,
		summary: ({words}) => `the proxy ${words.proxy} did not answer in time`,
		causes: [
			cause(
				'proxy-cannot-connect',
				({words}) => `the proxy cannot reach ${words.address}, and waits for it`,
				({words}) => `check that ${words.address} is up, and ask the operator of the proxy`,
			),
			cause(
				'proxy-silent',
				'the proxy is overloaded, or a firewall drops what is sent to it',
				'try again; if it stays, ask the operator of the proxy',
			),
		],
	},
	{
		id: 'socks-bad-reply',
		when: {proxyKind: 'proxy-bad-reply', socks: true},
		kind: 'proxy-bad-reply',
		certain: true,
		summary: asItSays,
		causes: [
			cause(
				'no-socks-proxy',
				(facts) => `the address in ${settingOf(facts)} is not that of a SOCKS 5 proxy`,
				checkSetting,
			),
			proxyFailed,
		],
	},
	{
		id: 'proxy-speaks-tls',
		when: {proxyKind: 'proxy-bad-reply', spoke: 'tls'},
		kind: 'proxy-bad-reply',
		certain: true,
		summary: ({words}) =>
			`the proxy ${words.proxy} did not answer CONNECT as HTTP says, but in TLS`,
		causes: [speaksTls],
	},
	{
		id: 'proxy-hung-up',
		when: {proxyKind: 'proxy-bad-reply', spoke: 'nothing'},
		kind: 'proxy-bad-reply',
		certain: true,
		summary: ({words}) => `the proxy ${words.proxy} hung up on CONNECT without a byte`,
		causes: [mayWantTls, proxyFailed],
	},
	{
		id: 'proxy-early-bytes',
		when: {proxyKind: 'proxy-bad-reply', spoke: 'body'},
		kind: 'proxy-bad-reply',
		certain: true,
		summary: ({words}) =>
			`the proxy ${words.proxy} accepted CONNECT and sent more before we had sent anything`,
		causes: [
			cause(
				'no-proxy-there',
				({words}) =>
					`${words.proxy} is a web server, not a proxy: it answers any request with a page`,
				checkSetting,
			),
		],
	},
	{
		id: 'proxy-bad-reply',
		when: {proxyKind: 'proxy-bad-reply'},
		kind: 'proxy-bad-reply',
		certain: true,
		summary: ({words}) => `the proxy ${words.proxy} did not answer CONNECT as HTTP says`,
		causes: [notHttpProxy],
	},
];
