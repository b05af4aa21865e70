/*
 * The proxy gave no way to the server.
 */
import type {Cause, Facts, Row} from './facts.ts';
import {socksReplyReasons} from './socks-refusal.ts';

const check = ({socks}: Facts) =>
	socks
		? 'check `proxy`, ALL_PROXY, HTTPS_PROXY and NO_PROXY'
		: 'check `proxy`, HTTPS_PROXY and NO_PROXY';

const allowHost = () => 'have the host allowed on the proxy, or add it to NO_PROXY';

const cause = (
	id: string,
	text: string | Cause['text'],
	repair: string | Cause['repair'],
	when?: Cause['when'],
): Cause => ({
	id,
	text: typeof text === 'string' ? () => text : text,
	repair: typeof repair === 'string' ? () => repair : repair,
	...(when && {when}),
});

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
		check,
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
		check,
		networkCode('ECONNREFUSED'),
	),
	cause(
		'proxy-address-wrong',
		'the address in `proxy` or HTTPS_PROXY is wrong',
		check,
		(facts) => !known(facts),
	),
	cause('proxy-down', 'the proxy is down', check, (facts) => !known(facts)),
];

const known = ({proxy}: Facts) =>
	['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED'].includes(proxy?.networkCode ?? '');

// ---- it answered ----

const variable = ({socks}: Facts) =>
	socks ? '`proxy` or ALL_PROXY' : '`proxy.auth` or HTTPS_PROXY';

const logins: readonly Cause[] = [
	cause(
		'proxy-login-wrong',
		'the user or the password is wrong',
		(facts) =>
			`the proxy did not accept the user and password of ${variable(facts)}: have them checked`,
		({proxy}) => proxy?.hasCredentials === true,
	),
	cause(
		'proxy-login-scheme',
		({socks}) =>
			socks
				? 'the proxy takes another method than user and password (RFC 1929)'
				: 'the proxy takes another scheme than Basic',
		'ask those who run the proxy how it wants its users to log in',
		({proxy}) => proxy?.hasCredentials === true,
	),
	cause(
		'proxy-login-missing',
		'no user and password are set for it',
		({socks}) =>
			`put user and password into \`proxy.auth\` or the URL of ${socks ? 'ALL_PROXY' : 'HTTPS_PROXY'}`,
		({proxy}) => proxy?.hasCredentials !== true,
	),
];

/** What Squid's `X-Squid-Error` says; `undefined` for a proxy of another make. */
const squidCode = ({proxy}: Facts) => proxy?.squidError?.split(' ')[0];

const cannotResolve = cause(
	'proxy-cannot-resolve',
	({host}) =>
		`the proxy cannot look '${host}' up: the name is misspelt, or its DNS servers do not know it`,
	'check the name; if it is known inside this network only, add it to NO_PROXY',
	(facts) => [undefined, 'ERR_DNS_FAIL'].includes(squidCode(facts)),
);

const cannotConnect = cause(
	'proxy-cannot-connect',
	({words}) =>
		`the proxy cannot reach ${words.address}: nothing listens there, or a firewall is in between`,
	({words}) =>
		`check that ${words.address} is right and up; if the host is inside this network, add it to NO_PROXY`,
	(facts) => squidCode(facts) !== 'ERR_DNS_FAIL',
);

const noProxy = cause(
	'no-proxy-there',
	({words}) => `${words.proxy} is a web server, not a proxy: it does not know CONNECT`,
	check,
);

const portBlocked = cause(
	'proxy-forbids-port',
	({port}) => `the proxy gives no tunnels to port ${port}`,
	'have the port allowed on the proxy, or add the host to NO_PROXY',
	({port}) => port !== 443,
);

const forbidden = cause(
	'proxy-forbids-host',
	'the rules of the proxy do not allow this host',
	allowHost,
);

const refusal = ({words, proxy}: Facts) =>
	`the proxy ${words.proxy} refused a tunnel to ${words.address}${
		proxy?.status === undefined ? '' : ` (${proxy.status}${squid({proxy})})`
	}`;
const squid = ({proxy}: Pick<Facts, 'proxy'>) =>
	proxy?.squidError === undefined ? '' : `, ${proxy.squidError}`;

const refused = (id: string, proxyStatus: readonly number[], causes: readonly Cause[]): Row => ({
	id,
	when: {proxyKind: 'proxy-refused', socks: false, proxyStatus},
	kind: 'proxy-refused',
	certain: true,
	summary: refusal,
	causes,
});

// ---- what it said was no answer ----

const speaksTls = cause(
	'proxy-speaks-tls',
	({words, spoke}) =>
		spoke === 'tls'
			? `${words.proxy} answered in TLS`
			: `${words.proxy} hung up without a byte: perhaps the port speaks TLS`,
	'begin the URL of the proxy with https:// (in `proxy` or HTTPS_PROXY)',
	({proxy}) => proxy?.protocol === 'http',
);

const proxyFailed = cause(
	'proxy-failed',
	'the proxy is overloaded or restarting, or cuts off what it does not allow without an answer',
	'look into the log of the proxy',
);

const notHttpProxy = cause(
	'no-http-proxy',
	'the address in `proxy` or HTTPS_PROXY is not that of an HTTP proxy',
	check,
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
	refused('proxy-no-proxy', [400, 404, 405, 501], [noProxy, notSupported()]),
	refused('proxy-cannot-reach', [500, 502, 503, 504], [cannotResolve, cannotConnect]),
	refused('proxy-forbids', [403], [portBlocked, forbidden]),
	{
		id: 'proxy-refused',
		when: {proxyKind: 'proxy-refused', socks: false},
		kind: 'proxy-refused',
		certain: true,
		summary: refusal,
		causes: [forbidden, cannotConnect],
	},
	{
		id: 'socks-refused',
		when: {proxyKind: 'proxy-refused', socks: true},
		kind: 'proxy-refused',
		certain: true,
		summary: asItSays,
		causes: ({proxy}) =>
			socksReplyReasons(proxy?.reply).map((text, index) =>
				cause(`socks-reply-${proxy?.reply ?? 1}${'abc'[index]}`, text, allowHost),
			),
	},
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
				({words}) => `check that ${words.address} is up, and ask those who run the proxy`,
			),
			cause(
				'proxy-silent',
				'the proxy is overloaded, or a firewall drops what is sent to it',
				'try again; if it stays, ask those who run the proxy',
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
				'the address in `proxy`, ALL_PROXY or HTTPS_PROXY is not that of a SOCKS 5 proxy',
				check,
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
		causes: [speaksTls, proxyFailed],
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

function notSupported(): Cause {
	return cause(
		'proxy-no-tunnels',
		'the proxy forwards plain http alone, and gives no tunnels',
		'have CONNECT allowed on the proxy, or add the host to NO_PROXY',
	);
}
