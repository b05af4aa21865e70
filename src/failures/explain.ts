import type {FailureKind, MtlsFailure} from '../facts.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {authorityOf} from '../util/url.ts';
import type {Weakness} from './classify.ts';

/** What is known of a failure before it is put in words. */
export type Facts = Omit<MtlsFailure, 'reasons' | 'hint'> & {
	readonly weakness?: Weakness;
	/** Whether we had a user and password for the proxy. */
	readonly proxyLogin?: boolean;
	/** The status of an answer that does not say why. */
	readonly answeredBy?: number;
};

/** A failure for people. */
export interface Explanation {
	/** One sentence, lower-case start, no full stop: the error's message. */
	readonly summary: string;
	/** Most likely first. */
	readonly reasons: readonly string[];
	/** One sentence: what to do. */
	readonly hint: string;
}

type Explain = (facts: Facts) => Explanation;

const subject = ({peer}: Facts) => (peer ? `'${peer.subject}'` : 'the certificate');
const issuer = ({peer}: Facts) => (peer ? `'${peer.issuer}'` : 'its issuer');
const place = ({host, port}: Facts) => authorityOf(host, port);
const ours = ({identity}: Facts) => (identity ? `'${identity.subject}'` : 'our certificate');
const spoken = ({protocol}: Facts) => (protocol ? ` (${protocol})` : '');
const alert = (facts: Facts) => (facts.alert ? `: ${facts.alert}` : '');
const ended = (facts: Facts) => {
	if (facts.answeredBy !== undefined) return `answered ${facts.answeredBy}`;
	return facts.alert ? `sent ${facts.alert}` : 'hung up';
};
const through = ({proxy}: Facts) => (proxy ? `${proxy.host}:${proxy.port}` : 'the proxy');

// Apache's per-directory SSLVerifyClient: post-handshake authentication, RFC 8446 §4.6.2.
const asksTooLate = ({protocol, clientCertificateRequested}: Facts) =>
	protocol === 'TLSv1.3' && clientCertificateRequested === false;

const clockReason = "this machine's clock is wrong";
const lateReason =
	'the server asks once it has seen the path, which with TLS 1.3 a client must offer and Node does not';
const wrongKeyReason =
	'the server takes no key of the kind of ours, so our certificate was not sent';
const interceptorReason = 'something on the way (a proxy, an antivirus) answers in its place';

/** Names that are told in full; a certificate of a hoster has hundreds. */
const namesTold = 5;

function names({peer}: Facts): string {
	const {altNames = []} = peer ?? {};
	if (altNames.length === 0) return 'no name at all';
	const more = altNames.length - namesTold;
	return altNames.slice(0, namesTold).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

// The certificate that is out of date need not be the leaf: an intermediate expires too.
function outOfDate({chain, peer}: Facts, past: boolean) {
	const now = new Date().toISOString();
	const wrong = chain.find((c) => (past ? c.validTo < now : c.validFrom > now)) ?? peer;
	return {
		name: wrong ? `'${wrong.subject}'` : 'the certificate',
		date: wrong ? (past ? wrong.validTo : wrong.validFrom) : 'an unknown date',
	};
}

// The levels are those of OpenSSL 3, SSL_CTX_set_security_level(3): a key of 1024 bits is still good
// for 1, SHA-1 for 0 alone.
const weaknesses = {
	key: {
		what: "a key in the server's chain is",
		reason: 'an RSA key under 2048 bits, or an EC key under 224',
		repair: 'the certificate replaced by one with a longer key',
		level: 1,
	},
	digest: {
		what: "a signature in the server's chain is",
		reason: 'a certificate that is signed with SHA-1 or MD5',
		repair: 'the certificate replaced by one that is signed with SHA-256',
		level: 0,
	},
	'diffie-hellman': {
		what: "the server's Diffie-Hellman parameters are",
		reason: 'parameters under 2048 bits',
		repair: 'the server use longer ones, or ECDHE',
		level: 1,
	},
} as const;

const withoutCertificate: Explain = (facts) => ({
	summary: `${place(facts)} wants a client certificate and was shown none${
		facts.certain ? '' : ` (it ${ended(facts)} after asking for one)`
	}`,
	reasons: [
		...(asksTooLate(facts) ? [lateReason] : []),
		...(facts.identity
			? asksTooLate(facts)
				? []
				: [wrongKeyReason]
			: [
					'no `mtls.cert` and `mtls.key` are set',
					'a redirect led to an origin that may not see the certificate (`mtls.origins`)',
				]),
	],
	hint: asksTooLate(facts)
		? `set \`mtls.maxVersion: 'TLSv1.2'\`${
				facts.identity ? '' : ', beside `mtls.cert` and `mtls.key`,'
			} with which the server can ask at that point`
		: 'give the certificate and key that the server issued to you as `mtls.cert` and `mtls.key`',
});

/** Where a redirect of one server leads to where another identity is used. */
const uninvited: Explain = (facts) => ({
	summary: withoutCertificate(facts).summary,
	reasons: [
		`a redirect from ${facts.redirectedFrom} led there, which may not have something done as the identity that is used there`,
	],
	hint: `if it may, name ${facts.redirectedFrom} in the \`allowRedirectsFrom\` of that identity`,
});

const explanations: Readonly<Partial<Record<FailureKind, Explain>>> = {
	expired: (facts) => {
		const {name, date} = outOfDate(facts, true);
		return {
			summary: `the server's certificate ${name} expired on ${date}`,
			reasons: ['the server was not given its renewed certificate', clockReason],
			hint: 'have the server renew its certificate; nothing on this side can make it valid',
		};
	},
	'not-yet-valid': (facts) => {
		const {name, date} = outOfDate(facts, false);
		return {
			summary: `the server's certificate ${name} is not valid before ${date}`,
			reasons: [clockReason, 'the certificate was issued for a later date'],
			hint: "compare this machine's clock with the date in the certificate",
		};
	},
	'wrong-name': (facts) => ({
		summary: `the server's certificate is not for '${facts.servername}' but for ${names(facts)}`,
		reasons: [
			'the URL uses another name than the server is known by',
			'the server has the wrong certificate, or the connection reached another server',
		],
		hint: 'use a name from the certificate in the URL, or set `mtls.servername` when you know the server under it',
	}),
	'self-signed': (facts) => ({
		summary: `the server's certificate ${subject(facts)} is self-signed and not trusted`,
		reasons: ['the server has a certificate of its own making', interceptorReason],
		hint: 'if the server is yours, give this very certificate as `mtls.ca`; compare its fingerprint by another way first',
	}),
	'untrusted-issuer': (facts) => ({
		summary: `the server's certificate ${subject(facts)} was issued by ${issuer(facts)}, which leads to no CA that is trusted here`,
		reasons: [
			'`mtls.ca` does not hold the CA of this server',
			interceptorReason,
			...(facts.certain ? [] : ['the server does not send an intermediate certificate']),
		],
		hint: "get the CA certificate from the server's operator and give it as `mtls.ca`",
	}),
	'missing-intermediate': (facts) => ({
		summary: `the server's certificate ${subject(facts)} was issued by ${issuer(facts)}, whose certificate the server did not send`,
		reasons: [
			'the server is configured with its certificate alone, without the chain',
			'`mtls.ca` does not hold the CA of this server',
		],
		hint: `have the server send the intermediate${
			facts.peer?.caIssuers[0] ? ` (from ${facts.peer.caIssuers[0]})` : ''
		}, or add it to \`mtls.ca\` until it does`,
	}),
	revoked: (facts) => ({
		summary: `the server's certificate ${subject(facts)} was revoked by its issuer`,
		reasons: ['the key was lost or replaced'],
		hint: 'do not trust this server before it has a new certificate',
	}),
	'revocation-unknown': (facts) => ({
		summary: `no revocation list tells whether the server's certificate ${subject(facts)} is still good`,
		reasons: ['the list of its issuer is missing'],
		hint: 'add the revocation list of the issuer',
	}),
	'wrong-purpose': (facts) => ({
		summary: `the server's certificate ${subject(facts)} was not issued for servers`,
		reasons: ['its extended key usage lacks serverAuth: it may be a client certificate'],
		hint: 'have the server use a certificate with serverAuth',
	}),
	'too-weak': ({weakness = 'key'}) => {
		const {what, reason, repair, level} = weaknesses[weakness];
		return {
			summary: `${what} too weak for the security level of OpenSSL`,
			reasons: [reason],
			hint: `have ${repair}; \`mtls.ciphers: 'DEFAULT@SECLEVEL=${level}'\` lowers the level meanwhile`,
		};
	},
	'invalid-certificate': (facts) => ({
		summary: `the server's certificate ${subject(facts)} was refused`,
		reasons: ['the certificate or its chain breaks a rule of X.509'],
		hint: 'the cause names the rule; have the server replace its certificate',
	}),
	'pin-mismatch': (facts) => ({
		summary: `no key of the chain of ${subject(facts)} is one of \`mtls.pins\`; the server's is ${facts.peer?.pin ?? 'unknown'}`,
		reasons: ['the server was given a new key, and its pin is not listed yet', interceptorReason],
		hint: 'ask the operator of the server, by another way than this connection, for the pin of its key',
	}),
	'spiffe-mismatch': (facts) => ({
		summary: `the server's certificate has not the SPIFFE ID of \`mtls.spiffeId\` but ${names(facts)}`,
		reasons: ['the connection reached another workload', 'the server has no X.509-SVID'],
		hint: 'compare `mtls.spiffeId` with the URI name of the certificate',
	}),
	'client-auth-not-requested': (facts) => ({
		summary: `${place(facts)} did not ask for a client certificate, and \`mtls.requireClientAuth\` wants it to`,
		reasons: [
			'the server does not authenticate its clients',
			'something on the way (a proxy, an antivirus) answers in its place',
			'the server asks after it has seen the path, by renegotiation',
		],
		hint: 'have the server ask for a certificate in the handshake, for every path',
	}),
	'insecure-redirect': (facts) => ({
		summary: `a redirect from https to http was not followed: ${facts.url}`,
		reasons: ['the server builds its Location without knowing that it is behind TLS'],
		hint: 'have the server redirect to https, or set `allowInsecureRedirects: true` where nothing in the session is secret',
	}),
	'client-certificate-required': (facts) =>
		facts.redirectedFrom === undefined ? withoutCertificate(facts) : uninvited(facts),
	'client-certificate-refused': (facts) => ({
		summary: facts.certain
			? `${place(facts)} refused our certificate ${ours(facts)}${alert(facts)}`
			: `${place(facts)} ${ended(facts)} after it had asked for our certificate ${ours(facts)}: most likely it refused it`,
		reasons: [
			// The server says that it saw none, and we had one: OpenSSL leaves out what the server cannot check.
			...(facts.alert === 'certificate_required' || facts.alert === 'no_certificate'
				? [wrongKeyReason]
				: []),
			`the server does not trust the issuer of ours, '${facts.identity?.issuer ?? ''}'`,
			'our certificate has expired, was revoked, or is not registered there',
			'our certificate lacks its intermediate, or clientAuth in its extended key usage',
			...(facts.certain ? [] : ['the server failed for a reason of its own']),
		],
		hint: `ask the server's operator whether it accepts the certificate with fingerprint ${facts.identity?.fingerprint256 ?? ''}`,
	}),
	'protocol-mismatch': (facts) => ({
		summary: facts.certain
			? `no TLS version in common with ${place(facts)}${alert(facts)}`
			: `no TLS handshake could be made with ${place(facts)}${alert(facts)}`,
		reasons: [
			'the server speaks other TLS versions than `mtls.minVersion` to `mtls.maxVersion`',
			'the server is too old',
		],
		hint: 'compare `mtls.minVersion` and `mtls.maxVersion` with what the server offers',
	}),
	'cipher-mismatch': (facts) => ({
		summary: `no cipher suite in common with ${place(facts)}`,
		reasons: [
			'the server accepts other cipher suites than `mtls.ciphers` names',
			'the server is too old',
		],
		hint: 'compare `mtls.ciphers` with what the server offers',
	}),
	'legacy-renegotiation': (facts) => ({
		summary: `${place(facts)} lacks secure renegotiation (RFC 5746)`,
		reasons: ['the server, or a TLS proxy on the way, is very old'],
		hint: 'have the server updated, because its client certificates can be abused; `Options = UnsafeLegacyServerConnect` in a file for `node --openssl-config` lets it in meanwhile',
	}),
	'not-tls': (facts) => ({
		summary: `${place(facts)} does not speak TLS`,
		reasons: ['the port is that of plain http', 'something on the way answers in plain text'],
		hint: 'check the port, and whether the URL should begin with http://',
	}),
	reset: (facts) => ({
		summary: `${place(facts)} closed the connection during the TLS handshake${spoken(facts)}${alert(facts)}`,
		reasons: [
			'a firewall or load balancer between us cut it off',
			'the server does not serve the name that was asked for (SNI)',
			'the server is restarting',
		],
		hint: 'try from the same machine with another TLS client; if it is cut off too, ask the network people',
	}),
	'proxy-unreachable': (facts) => ({
		summary: `the proxy ${through(facts)} cannot be reached`,
		reasons: ['the address in `proxy` or HTTPS_PROXY is wrong', 'the proxy is down'],
		hint: 'check `proxy`, HTTPS_PROXY and NO_PROXY',
	}),
	'proxy-auth-required': (facts) => ({
		summary: `the proxy ${through(facts)} wants ${facts.proxyLogin ? 'another' : 'a'} login (407)`,
		reasons: facts.proxyLogin
			? ['the user or the password is wrong', 'the proxy takes another scheme than Basic']
			: ['no user and password are set for it'],
		hint: facts.proxyLogin
			? 'the proxy did not accept the user and password of `proxy.auth` or HTTPS_PROXY: have them checked'
			: 'put user and password into `proxy.auth` or the URL of HTTPS_PROXY',
	}),
	'proxy-refused': (facts) => ({
		summary: `the proxy ${through(facts)} refused a tunnel to ${place(facts)}${
			facts.proxy?.status ? ` (${facts.proxy.status})` : ''
		}`,
		reasons: ['the proxy does not allow this host or port', 'the proxy cannot reach it'],
		hint: 'have the host allowed on the proxy, or add it to NO_PROXY',
	}),
	'proxy-timeout': (facts) => ({
		summary: `the proxy ${through(facts)} did not answer in time`,
		reasons: ['the proxy cannot reach the host', 'the proxy is overloaded'],
		hint: 'try again; if it stays, ask those who run the proxy',
	}),
	'proxy-bad-reply': (facts) => ({
		summary: `the proxy ${through(facts)} did not answer CONNECT as HTTP says`,
		reasons: ['the address in `proxy` or HTTPS_PROXY is not that of an HTTP proxy'],
		hint: 'check `proxy`, HTTPS_PROXY and NO_PROXY',
	}),
};

/** Puts a failure in words. */
export function explain(facts: Facts): Explanation {
	const {summary, reasons, hint} = explanations[facts.kind]?.(facts) ?? {
		summary: `${place(facts)}: ${facts.kind}`,
		reasons: [],
		hint: 'see the cause',
	};
	// Security: the names in them are a stranger's words, and they go to logs and terminals.
	return {
		summary: escapeControls(summary),
		reasons: reasons.map(escapeControls),
		hint: escapeControls(hint),
	};
}
