/*
 * Both ends speak TLS, and have no version, cipher suite or HTTP version in common.
 */
import type {Cause, Row} from './facts.ts';

// ---- the version of TLS ----

const serverOld: Cause = {
	id: 'server-too-old',
	text: ({words}) => `${words.end} speaks only versions below ${lowest(words.offer)}`,
	repair: ({words}) =>
		`have ${words.end} updated; \`${words.mtls}.minVersion: 'TLSv1'\`, with \`${words.mtls}.ciphers: 'DEFAULT@SECLEVEL=0'\`, reaches an old one meanwhile`,
	when: ({options}) => !options.minVersionSet && options.maxVersion === undefined,
};

const lowest = (offer: string) => offer.replace(/ (to|alone).*$/, '');

const minVersion: Cause = {
	id: 'min-version-set',
	text: ({words, options}) =>
		`\`${words.mtls}.minVersion\` is set to ${options.minVersion}, and ${words.end} speaks older versions alone`,
	repair: ({words}) =>
		`have ${words.end} updated, or set \`${words.mtls}.minVersion\` to a version that it speaks`,
	when: ({options}) => options.minVersionSet,
};

const maxVersion: Cause = {
	id: 'max-version-set',
	text: ({words, options}) =>
		`\`${words.mtls}.maxVersion\` is set to ${options.maxVersion}, and ${words.end} speaks newer versions alone`,
	repair: ({words}) => `leave \`${words.mtls}.maxVersion\` out`,
	when: ({options}) => options.maxVersion !== undefined && options.maxVersion !== 'TLSv1.3',
};

const versionRow = (id: string, when: Row['when']): Row => ({
	id,
	when,
	kind: 'protocol-mismatch',
	certain: true,
	summary: ({words}) =>
		`no TLS version in common with ${words.address}, to which we offered ${words.offer}${words.alert}`,
	causes: [maxVersion, minVersion, serverOld],
});

// ---- the version of HTTP ----

const http1 = 'send the request with `httpVersion: 1`';

const httpRow = (row: Pick<Row, 'id' | 'when' | 'summary' | 'causes'>): Row => ({
	kind: 'protocol-mismatch',
	certain: true,
	...row,
});

const http2Off: readonly Cause[] = [
	{
		id: 'http2-off',
		text: () => 'HTTP/2 is not switched on there',
		repair: () => http1,
	},
	{
		id: 'http1-between',
		text: () => 'a load balancer or an antivirus on the way speaks HTTP/1.1 alone',
		repair: () => http1,
	},
];

const noHttp2: Row['summary'] = ({words}) => `${words.address} does not speak HTTP/2${words.alert}`;

/** What an alert or a code says by itself, whatever else is known. */
export const namedMismatchRows: readonly Row[] = [
	versionRow('protocol-version', {alert: 'protocol_version'}),
	httpRow({
		id: 'http2-not-agreed',
		when: {code: 'ERR_MTLS_NO_HTTP2'},
		summary: noHttp2,
		causes: http2Off,
	}),
	httpRow({
		id: 'http2-refused',
		when: {alert: 'no_application_protocol', httpVersion: 'h2'},
		summary: noHttp2,
		causes: http2Off,
	}),
	httpRow({
		id: 'http1-refused',
		when: {alert: 'no_application_protocol', httpVersion: 'http/1.1'},
		summary: ({words}) => `${words.address} does not speak HTTP/1.1${words.alert}`,
		causes: [
			{
				id: 'http2-alone',
				text: ({words}) => `${words.end} speaks HTTP/2 alone`,
				repair: () => 'send the request with `httpVersion: 2`',
			},
		],
	}),
	httpRow({
		id: 'http1-required',
		when: {text: /NGHTTP2_HTTP_1_1_REQUIRED/},
		summary: ({words}) => `${words.address} wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)`,
		causes: [
			{
				id: 'asks-on-this-path',
				text: ({words}) =>
					`${words.end} asks for a client certificate on this path alone, which HTTP/2 does not allow (RFC 9113 §9.2)`,
				repair: () => http1,
			},
		],
	}),
	{
		id: 'insufficient-security',
		when: {alert: 'insufficient_security'},
		kind: 'cipher-mismatch',
		certain: true,
		summary: (facts) =>
			`${facts.words.address} accepts no cipher suite of those that we offered${facts.words.alert}`,
		causes: ciphers(),
	},
];

// ---- the cipher suites ----

function ciphers(): Cause[] {
	return [
		{
			id: 'ciphers-set',
			text: ({words, options}) =>
				`\`${words.mtls}.ciphers\` is set to '${options.ciphers}', and ${words.end} has none of these`,
			repair: ({words}) =>
				`leave \`${words.mtls}.ciphers\` out, or add a cipher suite that ${words.end} has`,
			when: ({options}) => options.ciphers !== undefined,
		},
		{
			id: 'server-ciphers',
			text: ({words}) =>
				`${words.end} has none of the cipher suites that OpenSSL offers by default: it is old, or narrowly configured`,
			repair: ({words}) =>
				`have ${words.end} updated; \`${words.mtls}.ciphers: 'ALL@SECLEVEL=0'\` offers the old ones meanwhile`,
			when: ({options}) => options.ciphers === undefined,
		},
	];
}

const nameUnknown: Cause = {
	id: 'name-unknown',
	text: ({words, isAddress, servername}) =>
		isAddress
			? `${words.end} wants to be told a name, and none is sent for an IP address (RFC 6066 §3)`
			: `${words.end} does not serve the name '${servername}', and says so with this alert`,
	repair: ({words}) =>
		`use the name in the URL that ${words.end} is known by, or set \`${words.mtls}.servername\``,
};

const curvesSet: Cause = {
	id: 'curves-set',
	text: ({words, options}) =>
		`\`${words.mtls}.ecdhCurve\` is set to '${options.ecdhCurve}', and ${words.end} has none of these`,
	repair: ({words}) =>
		`leave \`${words.mtls}.ecdhCurve\` out, or add a group (curve) that ${words.end} has`,
	when: ({options}) => options.ecdhCurve !== undefined,
};

const sigalgsSet: Cause = {
	id: 'sigalgs-set',
	text: ({words, options}) =>
		`\`${words.mtls}.sigalgs\` is set to '${options.sigalgs}', and the key of ${words.end} can make none of these signatures`,
	repair: ({words}) =>
		`leave \`${words.mtls}.sigalgs\` out, or add the signature algorithms of ${words.end}'s key`,
	when: ({options}) => options.sigalgs !== undefined,
};

const groups: Cause = {
	id: 'groups',
	text: ({words}) =>
		`${words.end} has no key exchange group (curve) in common with OpenSSL's defaults, or its key can make no signature that we accept`,
	repair: ({words}) =>
		`have ${words.end}'s operator look for this handshake in its log, which names what was not shared; \`${words.mtls}.ecdhCurve\` and \`${words.mtls}.sigalgs\` set what we offer`,
};

/**
 * What is in doubt after an alert that says only that the handshake failed. Servers send it where nothing is
 * shared; for a name that they do not serve there is unrecognized_name.
 */
const handshakeFailure: readonly Cause[] = [
	...ciphers().flatMap((each): Cause[] =>
		each.id === 'server-ciphers'
			? [
					curvesSet,
					sigalgsSet,
					{
						...each,
						repair: ({words}) =>
							`try \`${words.mtls}.ciphers: 'ALL@SECLEVEL=0'\`, which offers the old ones too: if that works, have ${words.end} updated; if not, its log names what was not shared`,
					},
				]
			: [each],
	),
	groups,
	nameUnknown,
];

export const tlsParameterRows: readonly Row[] = [
	{
		id: 'handshake-failure',
		when: {alert: 'handshake_failure', phase: 'handshake'},
		kind: 'cipher-mismatch',
		certain: false,
		summary: ({words}) =>
			`${words.address} ended the handshake without saying why${words.alert}; most likely nothing that we offered suits it`,
		causes: handshakeFailure,
	},
	{
		id: 'legacy-renegotiation',
		when: {text: /UNSAFE_LEGACY_RENEGOTIATION/, phase: 'handshake', alert: undefined},
		kind: 'legacy-renegotiation',
		certain: true,
		summary: ({words}) => `${words.address} lacks secure renegotiation (RFC 5746)`,
		causes: [
			{
				id: 'very-old',
				text: ({words}) => `${words.end}, or a TLS proxy on the way, is very old`,
				repair: ({words}) =>
					`have ${words.end} updated, because its client certificates can be abused; \`${words.mtls}.secureOptions: 4\`, which is \`crypto.constants.SSL_OP_LEGACY_SERVER_CONNECT\`, lets it in meanwhile`,
			},
		],
	},
	versionRow('version-answered', {
		text: /UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|WRONG_SSL_VERSION/,
		phase: 'handshake',
		alert: undefined,
	}),
	{
		id: 'cipher-answered',
		when: {
			text: /NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE|WRONG_CIPHER_RETURNED/,
			phase: 'handshake',
			alert: undefined,
		},
		kind: 'cipher-mismatch',
		certain: true,
		summary: ({words}) => `no cipher suite in common with ${words.address}`,
		causes: ciphers(),
	},
	{
		id: 'signature-or-group',
		when: {
			text: /WRONG_SIGNATURE_TYPE|WRONG_CURVE|NO_SUITABLE_(SIGNATURE|KEY_SHARE|GROUPS)|NO_SHARED_GROUPS?|BAD_KEY_SHARE|BAD_ECPOINT/,
			phase: 'handshake',
			alert: undefined,
		},
		kind: 'cipher-mismatch',
		certain: true,
		summary: ({words}) =>
			`${words.address} answered with a signature algorithm or a key exchange group (curve) that we did not offer`,
		causes: [curvesSet, sigalgsSet, groups],
	},
];
