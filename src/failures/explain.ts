import type {FailureKind, MtlsFailure} from '../facts.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {authorityOf} from '../util/url.ts';
import type {Weakness} from './classify.ts';

/** The known facts of a failure, from which its text is made. */
export type Facts = Omit<MtlsFailure, 'reasons' | 'hint'> & {
	readonly weakness?: Weakness;
	/** The ALPN name (RFC 7301) of the HTTP version that the server would not speak. */
	readonly refusedHttp?: string;
	/** A redirect led to an origin to which the client certificate may not be sent. */
	readonly certificateWithheld?: boolean;
	/** Whether there were a user and password for the proxy. */
	readonly proxyLogin?: boolean;
	/** The status of a response that does not say why. */
	readonly responseStatus?: number;
};

/** A failure in words. */
export interface Explanation {
	/** One sentence, lower-case start, no full stop: the error's message. */
	readonly summary: string;
	/** Most likely first. */
	readonly reasons: readonly string[];
	/** One sentence: what to do. */
	readonly hint: string;
}

/** How sentences name the peer of the failed connection. */
interface Peer {
	readonly end: 'the server' | 'the proxy';
	/** The option that configures the TLS with it. */
	readonly mtls: 'mtls' | 'mtls.proxy';
}

const peers = {
	server: {end: 'the server', mtls: 'mtls'},
	proxy: {end: 'the proxy', mtls: 'mtls.proxy'},
} as const;

/**
 * Puts a failure in words.
 *
 * @param peer - The peer whose TLS failed: the server, or an `https://` proxy on the way to it.
 */
export function explain(facts: Facts, peer: 'server' | 'proxy' = 'server'): Explanation {
	const {summary, reasons, hint} = explanations[facts.kind]?.(facts, peers[peer]) ?? {
		summary: `${address(facts)}: ${facts.kind}`,
		reasons: [],
		hint: 'see the cause',
	};
	// Security: names in certificates are untrusted text, and they go to logs and terminals.
	return {
		summary: escapeControls(summary),
		reasons: reasons.map(escapeControls),
		hint: escapeControls(hint),
	};
}

type Explain = (facts: Facts, peer: Peer) => Explanation;

const subject = ({peer}: Facts) => (peer ? `'${peer.subject}'` : 'the certificate');
const issuer = ({peer}: Facts) => (peer ? `'${peer.issuer}'` : 'its issuer');
const address = ({host, port}: Facts) => authorityOf(host, port);
const proxyAddress = ({proxy}: Facts) => (proxy ? `${proxy.host}:${proxy.port}` : 'the proxy');
const clientCertificate = ({identity}: Facts) =>
	identity ? `'${identity.subject}'` : 'our certificate';
const tlsVersion = ({protocol}: Facts) => (protocol ? ` (${protocol})` : '');
const alert = (facts: Facts) => (facts.alert ? `: ${facts.alert}` : '');
const refusal = (facts: Facts) => {
	if (facts.responseStatus !== undefined) return `answered ${facts.responseStatus}`;
	return facts.alert ? `sent ${facts.alert}` : 'hung up';
};

const clockReason = "this machine's clock is wrong";
const interceptorReason = 'something on the way (a proxy, an antivirus) answers in its place';
const unusableKeyReason = ({end}: Peer) =>
	`${end} accepts none of our key's signature algorithms, so our certificate was not sent`;

/** The certificate of a hosting provider has hundreds. */
const maxNames = 5;

function names({peer}: Facts): string {
	const {altNames = []} = peer ?? {};
	if (altNames.length === 0) return 'no name at all';
	const more = altNames.length - maxNames;
	return altNames.slice(0, maxNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

// It need not be the leaf: an intermediate expires too.
function outOfDate({chain, peer}: Facts, past: boolean) {
	const now = new Date().toISOString();
	const wrong = chain.find((c) => (past ? c.validTo < now : c.validFrom > now)) ?? peer;
	return {
		name: wrong ? `'${wrong.subject}'` : 'the certificate',
		date: wrong ? (past ? wrong.validTo : wrong.validFrom) : 'an unknown date',
	};
}

// The levels are those of OpenSSL 3, SSL_CTX_set_security_level(3): a key of 1024 bits is still allowed
// at level 1, SHA-1 only at 0.
const weaknesses = ({end}: Peer) =>
	({
		key: {
			what: `a key in ${end}'s chain is`,
			reason: 'an RSA key under 2048 bits, or an EC key under 224',
			repair: 'the certificate replaced by one with a longer key',
			level: 1,
		},
		digest: {
			what: `a signature in ${end}'s chain is`,
			reason: 'a certificate that is signed with SHA-1 or MD5',
			repair: 'the certificate replaced by one that is signed with SHA-256',
			level: 0,
		},
		'diffie-hellman': {
			what: `${end}'s Diffie-Hellman parameters are`,
			reason: 'parameters under 2048 bits',
			repair: `${end} use longer ones, or ECDHE`,
			level: 1,
		},
	}) as const;

const noCertificateSummary = (facts: Facts) =>
	`${address(facts)} wants a client certificate and was shown none${
		facts.certain ? '' : ` (it ${refusal(facts)} after asking for one)`
	}`;

const noCertificateReasons = ({certificateWithheld}: Facts, {mtls}: Peer) => [
	`no \`${mtls}.cert\` and \`${mtls}.key\` are set`,
	...(certificateWithheld
		? ['a redirect led to an origin that may not see the certificate (`mtls.origins`)']
		: []),
];

const noCertificate: Explain = (facts, peer) => ({
	summary: noCertificateSummary(facts),
	reasons: facts.identity ? [unusableKeyReason(peer)] : noCertificateReasons(facts, peer),
	hint: `give the certificate and key that ${peer.end} issued to you as \`${peer.mtls}.cert\` and \`${peer.mtls}.key\``,
});

// Apache's per-directory SSLVerifyClient: post-handshake authentication, RFC 8446 §4.6.2.
const wantsPostHandshakeAuth = ({protocol, clientCertificateRequested}: Facts) =>
	protocol === 'TLSv1.3' && clientCertificateRequested === false;

const postHandshakeAuth: Explain = (facts, peer) => {
	const {end, mtls} = peer;
	const besides = facts.identity ? '' : `, beside \`${mtls}.cert\` and \`${mtls}.key\`,`;
	return {
		summary: noCertificateSummary(facts),
		reasons: [
			`${end} asks once it has seen the path, which with TLS 1.3 a client must offer and Node does not`,
			...(facts.identity ? [] : noCertificateReasons(facts, peer)),
		],
		hint: `set \`${mtls}.maxVersion: 'TLSv1.2'\`${besides} with which ${end} can ask at that point`,
	};
};

/** A redirect led to an origin that has another identity, which the redirecting one may not use. */
const redirectNotAllowed: Explain = (facts) => ({
	summary: noCertificateSummary(facts),
	reasons: [
		`a redirect from ${facts.redirectedFrom} led there, and that origin is not allowed to use the identity of this one`,
	],
	hint: `if it may, name ${facts.redirectedFrom} in the \`allowRedirectsFrom\` of that identity`,
});

/** The HTTP versions do not fit. */
const wrongHttpVersion: Explain = (facts, {end}) => {
	if (facts.refusedHttp !== 'h2') {
		return {
			summary: `${address(facts)} does not speak HTTP/1.1${alert(facts)}`,
			reasons: [`${end} speaks HTTP/2 alone`],
			hint: 'send the request with `httpVersion: 2`',
		};
	}
	const hint = 'send the request with `httpVersion: 1`';
	if (facts.phase !== 'response') {
		return {
			summary: `${address(facts)} does not speak HTTP/2${alert(facts)}`,
			reasons: [
				'HTTP/2 is not switched on there',
				'a load balancer or an antivirus on the way speaks HTTP/1.1 alone',
			],
			hint,
		};
	}
	return {
		summary: `${address(facts)} wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)`,
		reasons: [
			`${end} asks for a client certificate on this path alone, which HTTP/2 does not allow (RFC 9113 §9.2)`,
		],
		hint,
	};
};

const explanations: Readonly<Partial<Record<FailureKind, Explain>>> = {
	expired: (facts, {end}) => {
		const {name, date} = outOfDate(facts, true);
		return {
			summary: `${end}'s certificate ${name} expired on ${date}`,
			reasons: [`${end} was not given its renewed certificate`, clockReason],
			hint: `have ${end} renew its certificate; nothing on this side can make it valid`,
		};
	},
	'not-yet-valid': (facts, {end}) => {
		const {name, date} = outOfDate(facts, false);
		return {
			summary: `${end}'s certificate ${name} is not valid before ${date}`,
			reasons: [clockReason, 'the certificate was issued for a later date'],
			hint: "compare this machine's clock with the date in the certificate",
		};
	},
	'wrong-name': (facts, {end, mtls}) => ({
		summary: `${end}'s certificate is not for '${facts.servername}' but for ${names(facts)}`,
		reasons: [
			`the URL uses another name than ${end} is known by`,
			`${end} has the wrong certificate, or the connection reached another server`,
		],
		hint: `use a name from the certificate in the URL, or set \`${mtls}.servername\` when you know ${end} under it`,
	}),
	'self-signed': (facts, {end, mtls}) => ({
		summary: `${end}'s certificate ${subject(facts)} is self-signed and not trusted`,
		reasons: [`${end} has a certificate of its own making`, interceptorReason],
		hint: `if ${end} is yours, give this very certificate as \`${mtls}.ca\`; compare its fingerprint by another way first`,
	}),
	'untrusted-issuer': (facts, {end, mtls}) => ({
		summary: `${end}'s certificate ${subject(facts)} was issued by ${issuer(facts)}, which leads to no CA that is trusted here`,
		reasons: [
			`\`${mtls}.ca\` does not hold the CA of this server`,
			interceptorReason,
			...(facts.certain ? [] : [`${end} does not send an intermediate certificate`]),
		],
		hint: `get the CA certificate from ${end}'s operator and give it as \`${mtls}.ca\``,
	}),
	'missing-intermediate': (facts, {end, mtls}) => ({
		summary: `${end}'s certificate ${subject(facts)} was issued by ${issuer(facts)}, whose certificate ${end} did not send`,
		reasons: [
			`${end} is configured with its certificate alone, without the chain`,
			`\`${mtls}.ca\` does not hold the CA of this server`,
		],
		hint: `have ${end} send the intermediate${
			facts.peer?.caIssuers[0] ? ` (from ${facts.peer.caIssuers[0]})` : ''
		}, or add it to \`${mtls}.ca\` until it does`,
	}),
	revoked: (facts, {end}) => ({
		summary: `${end}'s certificate ${subject(facts)} was revoked by its issuer`,
		reasons: ['the key was lost or replaced'],
		hint: 'do not trust this server before it has a new certificate',
	}),
	'revocation-unknown': (facts, {end}) => ({
		summary: `no revocation list tells whether ${end}'s certificate ${subject(facts)} is still good`,
		reasons: ['the list of its issuer is missing'],
		hint: 'add the revocation list of the issuer',
	}),
	'wrong-purpose': (facts, {end}) => ({
		summary: `${end}'s certificate ${subject(facts)} was not issued for servers`,
		reasons: ['its extended key usage lacks serverAuth: it may be a client certificate'],
		hint: `have ${end} use a certificate with serverAuth`,
	}),
	'too-weak': ({weakness = 'key'}, peer) => {
		const {what, reason, repair, level} = weaknesses(peer)[weakness];
		return {
			summary: `${what} too weak for the security level of OpenSSL`,
			reasons: [reason],
			hint: `have ${repair}; \`${peer.mtls}.ciphers: 'DEFAULT@SECLEVEL=${level}'\` lowers the level meanwhile`,
		};
	},
	'invalid-certificate': (facts, {end}) => ({
		summary: `${end}'s certificate ${subject(facts)} was refused`,
		reasons: ['the certificate or its chain breaks a rule of X.509'],
		hint: `the cause names the rule; have ${end} replace its certificate`,
	}),
	'pin-mismatch': (facts, {end, mtls}) => ({
		summary: `no key of the chain of ${subject(facts)} is one of \`${mtls}.pins\`; ${end}'s is ${facts.peer?.pin ?? 'unknown'}`,
		reasons: [`${end} was given a new key, and its pin is not listed yet`, interceptorReason],
		hint: `ask the operator of ${end}, by another way than this connection, for the pin of its key`,
	}),
	'spiffe-mismatch': (facts, {end, mtls}) => ({
		summary: `${end}'s certificate has not the SPIFFE ID of \`${mtls}.spiffeId\` but ${names(facts)}`,
		reasons: ['the connection reached another workload', `${end} has no X.509-SVID`],
		hint: `compare \`${mtls}.spiffeId\` with the URI name of the certificate`,
	}),
	'client-auth-not-requested': (facts, {end, mtls}) => ({
		summary: `${address(facts)} did not ask for a client certificate, and \`${mtls}.requireClientAuth\` wants it to`,
		reasons: [
			`${end} does not authenticate its clients`,
			interceptorReason,
			`${end} asks after it has seen the path, by renegotiation`,
		],
		hint: `have ${end} ask for a certificate in the handshake, for every path`,
	}),
	'insecure-redirect': (facts) => ({
		summary: `a redirect from https to http was not followed: ${facts.url}`,
		reasons: ['the server builds its Location without knowing that it is behind TLS'],
		hint: 'have the server redirect to https, or set `allowInsecureRedirects: true` where nothing in the session is secret',
	}),
	'client-certificate-required': (facts, peer) => {
		if (facts.redirectedFrom !== undefined) return redirectNotAllowed(facts, peer);
		if (wantsPostHandshakeAuth(facts)) return postHandshakeAuth(facts, peer);
		return noCertificate(facts, peer);
	},
	'client-certificate-refused': (facts, peer) => ({
		summary: facts.certain
			? `${address(facts)} refused our certificate ${clientCertificate(facts)}${alert(facts)}`
			: `${address(facts)} ${refusal(facts)} after it had asked for our certificate ${clientCertificate(facts)}: most likely it refused it`,
		reasons: [
			// The server got none, though there was one: OpenSSL omits one that the server cannot check.
			...(facts.alert === 'certificate_required' || facts.alert === 'no_certificate'
				? [unusableKeyReason(peer)]
				: []),
			`${peer.end} does not trust the issuer of ours, '${facts.identity?.issuer ?? ''}'`,
			'our certificate has expired, was revoked, or is not registered there',
			'our certificate lacks its intermediate, or clientAuth in its extended key usage',
			...(facts.certain ? [] : [`${peer.end} failed for a reason of its own`]),
		],
		hint: `ask ${peer.end}'s operator whether it accepts the certificate with fingerprint ${facts.identity?.fingerprint256 ?? ''}`,
	}),
	'protocol-mismatch': (facts, peer) => {
		if (facts.refusedHttp !== undefined) return wrongHttpVersion(facts, peer);
		const {end, mtls} = peer;
		return {
			summary: facts.certain
				? `no TLS version in common with ${address(facts)}${alert(facts)}`
				: `no TLS handshake could be made with ${address(facts)}${alert(facts)}`,
			reasons: [
				`${end} speaks other TLS versions than \`${mtls}.minVersion\` to \`${mtls}.maxVersion\``,
				`${end} is too old`,
			],
			hint: `compare \`${mtls}.minVersion\` and \`${mtls}.maxVersion\` with what ${end} offers`,
		};
	},
	'cipher-mismatch': (facts, {end, mtls}) => ({
		summary: `no cipher suite in common with ${address(facts)}`,
		reasons: [
			`${end} accepts other cipher suites than \`${mtls}.ciphers\` names`,
			`${end} is too old`,
		],
		hint: `compare \`${mtls}.ciphers\` with what ${end} offers`,
	}),
	'legacy-renegotiation': (facts, {end}) => ({
		summary: `${address(facts)} lacks secure renegotiation (RFC 5746)`,
		reasons: [`${end}, or a TLS proxy on the way, is very old`],
		hint: `have ${end} updated, because its client certificates can be abused; \`Options = UnsafeLegacyServerConnect\` in a file for \`node --openssl-config\` lets it in meanwhile`,
	}),
	'not-tls': (facts) => ({
		summary: `${address(facts)} does not speak TLS`,
		reasons: ['the port is that of plain http', 'something on the way answers in plain text'],
		hint: 'check the port, and whether the URL should begin with http://',
	}),
	reset: (facts, {end}) => ({
		summary: `${address(facts)} closed the connection during the TLS handshake${tlsVersion(facts)}${alert(facts)}`,
		reasons: [
			'a firewall or load balancer between us cut it off',
			`${end} does not serve the name that was asked for (SNI)`,
			`${end} is restarting`,
		],
		hint: 'try from the same machine with another TLS client; if it is cut off too, ask the network people',
	}),
	'proxy-unreachable': (facts) => ({
		summary: `the proxy ${proxyAddress(facts)} cannot be reached`,
		reasons: ['the address in `proxy` or HTTPS_PROXY is wrong', 'the proxy is down'],
		hint: 'check `proxy`, HTTPS_PROXY and NO_PROXY',
	}),
	'proxy-auth-required': (facts) => ({
		summary: `the proxy ${proxyAddress(facts)} wants ${facts.proxyLogin ? 'another' : 'a'} login (407)`,
		reasons: facts.proxyLogin
			? ['the user or the password is wrong', 'the proxy takes another scheme than Basic']
			: ['no user and password are set for it'],
		hint: facts.proxyLogin
			? 'the proxy did not accept the user and password of `proxy.auth` or HTTPS_PROXY: have them checked'
			: 'put user and password into `proxy.auth` or the URL of HTTPS_PROXY',
	}),
	'proxy-refused': (facts) => ({
		summary: `the proxy ${proxyAddress(facts)} refused a tunnel to ${address(facts)}${
			facts.proxy?.status ? ` (${facts.proxy.status})` : ''
		}`,
		reasons: ['the proxy does not allow this host or port', 'the proxy cannot reach it'],
		hint: 'have the host allowed on the proxy, or add it to NO_PROXY',
	}),
	'proxy-timeout': (facts) => ({
		summary: `the proxy ${proxyAddress(facts)} did not answer in time`,
		reasons: ['the proxy cannot reach the host', 'the proxy is overloaded'],
		hint: 'try again; if it stays, ask those who run the proxy',
	}),
	'proxy-bad-reply': (facts) => ({
		summary: `the proxy ${proxyAddress(facts)} did not answer CONNECT as HTTP says`,
		reasons: ['the address in `proxy` or HTTPS_PROXY is not that of an HTTP proxy'],
		hint: 'check `proxy`, HTTPS_PROXY and NO_PROXY',
	}),
};
