/*
 * The handshake ended for a reason that is not about certificates.
 */
import type {Cause, Facts, Row} from './facts.ts';

// ---- the server does not know the name ----

const unknownName: Cause = {
	id: 'name-unknown',
	text: ({words, servername}) => `${words.end} does not serve the name '${servername}'`,
	repair: ({words}) =>
		`use a name in the URL that ${words.end} serves, or set \`${words.mtls}.servername\` to one`,
	when: ({isAddress}) => !isAddress,
};

const noNameSent: Cause = {
	id: 'no-name-sent',
	text: ({words}) =>
		`${words.end} wants to be told a name, and none is sent for an IP address (RFC 6066 §3)`,
	repair: ({words}) =>
		`use the name of ${words.end} in the URL, or set \`${words.mtls}.servername\` to it`,
	when: ({isAddress}) => isAddress,
};

// ---- it hung up ----

const cutOff: Cause = {
	id: 'cut-off',
	text: ({proxied}) =>
		proxied
			? 'the proxy, or a firewall behind it, cut the tunnel off'
			: 'a firewall or load balancer between us cut it off',
	repair: () =>
		'try from the same machine with another TLS client; if it is cut off too, ask the network people',
};

const nameNotServed: Cause = {
	id: 'name-not-served',
	text: ({words, servername}) =>
		`${words.end} does not serve the name '${servername}' that was asked for (SNI)`,
	repair: ({words}) => `use a name in the URL that ${words.end} serves`,
	when: ({isAddress}) => !isAddress,
};

const restarting: Cause = {
	id: 'restarting',
	text: ({words}) => `${words.end} is restarting, or its TLS is not configured`,
	repair: ({words}) => `look into the log of ${words.end}`,
};

const noTlsThere: Cause = {
	id: 'no-tls',
	text: ({port}) => `what listens on port ${port} speaks another protocol than TLS`,
	repair: ({port}) => `have it confirmed that port ${port} is the one for https`,
	when: ({hasChain}) => !hasChain,
};

const reset = {
	kind: 'reset',
	certain: false,
	summary: ({words, protocol}: Facts) =>
		`${words.address} closed the connection during the TLS handshake${protocol === undefined ? '' : ` (${protocol})`}${words.alert}`,
} as const;

const misunderstood: Cause = {
	id: 'misunderstood',
	text: ({words}) =>
		`${words.end}, or something on the way, does not speak TLS as we do: OpenSSL's error is the cause of this one`,
	repair: ({words}) =>
		`try \`${words.mtls}.maxVersion: 'TLSv1.2'\`, which old servers and firewalls know`,
	when: ({options}) => options.maxVersion === undefined,
};

const handshakeLog: Cause = {
	...misunderstood,
	repair: ({words}) => `have ${words.end}'s operator look for this handshake in its log`,
	when: ({options}) => options.maxVersion !== undefined,
};

// ---- it speaks another protocol ----

/** What usually listens on a port (IANA's registry of service names). */
const services: Readonly<Record<number, string>> = {
	21: 'FTP',
	22: 'SSH',
	25: 'SMTP, which begins in plain text (STARTTLS)',
	80: 'plain http',
	110: 'POP3',
	143: 'IMAP',
	389: 'LDAP',
	587: 'SMTP, which begins in plain text (STARTTLS)',
	3128: 'an http proxy',
	3306: 'MySQL',
	5432: 'PostgreSQL',
	6379: 'Redis',
	8080: 'plain http',
};

const byPort: Cause = {
	id: 'other-service',
	text: ({port}) => `port ${port} is that of ${services[port]}`,
	repair: ({port}) =>
		services[port] === 'plain http'
			? 'begin the URL with http://, or use the port for https'
			: 'use the port for https',
	when: ({port}) => Object.hasOwn(services, port),
};

const plainHttp: Cause = {
	id: 'plain-http',
	text: () => 'the port is that of plain http, or of a service without TLS',
	repair: () => 'check the port, and whether the URL should begin with http://',
	when: ({port}) => !Object.hasOwn(services, port),
};

const plainAnswer: Cause = {
	id: 'intercepted',
	text: ({proxied}) =>
		proxied
			? 'the proxy, or something behind it, answers in plain text'
			: 'something on the way answers in plain text',
	repair: () => 'ask those who run the network what answers in its place',
};

export const connectionRows: readonly Row[] = [
	{
		id: 'unrecognized-name',
		when: {alert: 'unrecognized_name', phase: 'handshake'},
		...reset,
		certain: true,
		summary: ({words, isAddress, servername}) =>
			isAddress
				? `${words.address} serves no requests without a name${words.alert}`
				: `${words.address} does not know the name '${servername}'${words.alert}`,
		causes: [unknownName, noNameSent],
	},
	{
		// The server gave up for a reason of its own.
		id: 'gave-up',
		when: {alert: ['access_denied', 'internal_error', 'user_canceled'], phase: 'handshake'},
		...reset,
		causes: [restarting, nameNotServed, noNameSent],
	},
	{
		id: 'other-alert',
		when: {alert: /^(?!undefined$)/, phase: 'handshake'},
		kind: 'protocol-mismatch',
		certain: false,
		summary: ({words}) =>
			`no TLS handshake could be made with ${words.address}, to which we offered ${words.offer}${words.alert}`,
		causes: [misunderstood, handshakeLog],
	},
	{
		id: 'hang-up',
		when: {
			code: ['ECONNRESET', 'EPIPE', 'ECONNABORTED'],
			alert: undefined,
			phase: ['handshake', 'verify'],
			asked: ['no', 'unknown'],
		},
		...reset,
		causes: [cutOff, nameNotServed, noNameSent, restarting, noTlsThere],
	},
	{
		id: 'not-tls',
		when: {
			text: /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/,
			code: /EPROTO|SSL/,
			alert: undefined,
			phase: 'handshake',
			hasChain: false,
		},
		kind: 'not-tls',
		certain: true,
		summary: ({words}) => `${words.address} does not speak TLS`,
		causes: [byPort, plainHttp, plainAnswer],
	},
];

/** TLS that is not understood, on either side. It comes after everything that has a name. */
export const unknownHandshakeRow: Row = {
	id: 'unknown-handshake',
	when: {code: /EPROTO|SSL/, alert: undefined, phase: 'handshake'},
	kind: 'protocol-mismatch',
	certain: false,
	summary: ({words}) =>
		`no TLS handshake could be made with ${words.address}, to which we offered ${words.offer}`,
	causes: [misunderstood, handshakeLog],
};
