/*
 * The proxy answered CONNECT, and gave no tunnel: what its status means (RFC 9110 §15).
 */
import {STATUS_CODES} from 'node:http';
import {isIP} from 'node:net';
import type {Cause, Facts, Row} from './facts.ts';
import {
	allowHost,
	bypass,
	cause,
	checkSetting,
	loginSettingOf,
	settingOf,
} from './proxy-setting.ts';

/** What Squid's `X-Squid-Error` says; `undefined` for a proxy of another make. */
const squidCode = ({proxy}: Facts) => proxy?.squidError?.split(' ')[0];

/** `429 Too Many Requests` */
const statusOf = ({proxy}: Facts) => {
	const {status = 0} = proxy ?? {};
	return [status, STATUS_CODES[status]].filter(Boolean).join(' ');
};

// ---- it did not reach the server ----

const cannotResolve = cause(
	'proxy-cannot-resolve',
	({host}) =>
		`the proxy cannot look '${host}' up: the name is misspelt, or its DNS servers do not know it`,
	(facts) => `check the name; if it is known inside this network only, ${bypass(facts)}`,
	(facts) =>
		squidCode(facts) === undefined
			? // These need no DNS.
				isIP(facts.host) === 0 && facts.host !== 'localhost'
			: squidCode(facts) === 'ERR_DNS_FAIL',
);

const checkServer = (facts: Facts) =>
	`check that ${facts.words.address} is right and up; if the proxy cannot reach it, ${bypass(facts)}`;

const cannotConnect = cause(
	'proxy-cannot-connect',
	({words}) =>
		`the proxy cannot connect to ${words.address}: nothing listens there, or a firewall is in between`,
	checkServer,
	(facts) => squidCode(facts) !== 'ERR_DNS_FAIL',
);

const serverTimeout = cause(
	'proxy-server-timeout',
	({words}) =>
		`the proxy got no answer from ${words.address} in time: a firewall drops what it sends, no machine has that address, or its DNS server does not answer`,
	checkServer,
	(facts) => squidCode(facts) !== 'ERR_DNS_FAIL',
);

const overloaded = cause(
	'proxy-overloaded',
	'the proxy is overloaded, or down for maintenance',
	'try again; if it stays, ask the operator of the proxy',
	(facts) => squidCode(facts) === undefined,
);

const proxyBroken = cause(
	'proxy-broken',
	(facts) => `the proxy itself failed: ${statusOf(facts)}`,
	'have the operator of the proxy look for this moment in its log',
);

// ---- it did not want to ----

const portBlocked = cause(
	'proxy-forbids-port',
	({port}) => `the proxy gives no tunnels to port ${port}`,
	(facts) => `have port ${facts.port} allowed on the proxy, or ${bypass(facts)}`,
	({port}) => port !== 443,
);

const forbidden = cause(
	'proxy-forbids-host',
	({host}) => `the rules of the proxy do not allow '${host}'`,
	allowHost,
);

const legalReasons = cause(
	'proxy-legal-reasons',
	({host}) => `the proxy may not give access to '${host}', for legal reasons (RFC 7725)`,
	(facts) => `ask the operator of the proxy, or ${bypass(facts)}`,
);

const tooMany = cause(
	'proxy-rate-limit',
	(facts) => `the proxy limits how many requests or tunnels we may open: ${statusOf(facts)}`,
	'wait and try again, with fewer connections at a time, or ask the operator of the proxy for a higher limit',
);

const unpaid = cause(
	'proxy-unpaid',
	(facts) => `the account at the proxy is used up, or not paid: ${statusOf(facts)}`,
	'ask the operator of the proxy about the account',
);

const wantsLogin = cause(
	'proxy-login-unusual',
	({proxy}) =>
		proxy?.hasCredentials === true
			? 'the proxy does not accept our user and password, and says so with 401 in place of 407'
			: 'the proxy wants a login, and says so with 401 in place of 407',
	(facts) =>
		facts.proxy?.hasCredentials === true
			? `have the user and password in ${loginSettingOf(facts)} checked`
			: `put user and password into ${loginSettingOf(facts)}`,
);

const slowRequest = cause(
	'proxy-request-timeout',
	'our CONNECT did not reach the proxy in time: the network between us, or the proxy, is overloaded',
	'try again; if it stays, ask the operator of the proxy',
);

const ownReason = cause(
	'proxy-own-reason',
	(facts) => `the proxy has a reason of its own: ${statusOf(facts)}`,
	'have the operator of the proxy look for this moment in its log',
);

// ---- it is no proxy ----

const noProxy = cause(
	'no-proxy-there',
	({words}) => `${words.proxy} is a web server, not a proxy: it does not know CONNECT`,
	checkSetting,
);

const noTunnels = cause(
	'proxy-no-tunnels',
	'the proxy forwards plain http alone, and gives no tunnels',
	(facts) => `have CONNECT allowed on the proxy, or ${bypass(facts)}`,
);

const redirects = cause(
	'proxy-redirects',
	({words}) =>
		`${words.proxy} redirects us, as a web server does, or the login page of a network (captive portal)`,
	(facts) =>
		`check the host and port in ${settingOf(facts)}, and whether a browser on this network is asked to log in`,
);

const summary = ({words, proxy}: Facts) => {
	const squid = proxy?.squidError === undefined ? '' : `, ${proxy.squidError}`;
	const status = proxy?.status === undefined ? '' : ` (${proxy.status}${squid})`;
	return `the proxy ${words.proxy} refused a tunnel to ${words.address}${status}`;
};

const refused = (
	id: string,
	proxyStatus: readonly number[] | RegExp,
	causes: readonly Cause[],
): Row => ({
	id,
	when: {proxyKind: 'proxy-refused', socks: false, proxyStatus},
	kind: 'proxy-refused',
	certain: true,
	summary,
	causes,
});

export const proxyStatusRows: readonly Row[] = [
	refused('proxy-redirects', /^3/, [redirects]),
	refused('proxy-no-proxy', [400, 404, 405, 410, 501], [noProxy, noTunnels]),
	refused('proxy-unauthorized', [401], [wantsLogin, noProxy]),
	refused('proxy-unpaid', [402], [unpaid]),
	refused('proxy-forbids', [403], [portBlocked, forbidden]),
	refused('proxy-request-timeout', [408], [slowRequest]),
	refused('proxy-rate-limit', [429], [tooMany]),
	refused('proxy-legal-reasons', [451], [legalReasons]),
	refused('proxy-bad-gateway', [502], [cannotConnect, cannotResolve, overloaded]),
	refused('proxy-unavailable', [503], [cannotConnect, cannotResolve, overloaded]),
	refused('proxy-gateway-timeout', [504], [serverTimeout, cannotResolve]),
	refused('proxy-failed', /^5/, [proxyBroken, cannotConnect, cannotResolve]),
	refused('proxy-own-reason', /^/, [ownReason]),
];
