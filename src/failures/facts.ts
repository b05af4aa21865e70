import type {CertificateFacts, FailureKind, FailurePhase, MtlsFailure} from '../facts.ts';
import type {OwnCertificate, OwnFault} from './our-certificate.ts';

/** What is known of a failure, before anything is concluded from it. */
export interface Evidence {
	/** What failed: the connection, the way through a proxy, or a response that is the failure. */
	readonly source: 'connection' | 'proxy' | 'response' | 'redirect';
	/** The end whose TLS failed: the server, or an `https://` proxy on the way to it. */
	readonly peer: 'server' | 'proxy';
	/** Code and text of the socket's first error, or of the HTTP client's where the socket had none. */
	readonly code: string | undefined;
	readonly message: string;
	/** `undefined`: there was no TCP connection. */
	readonly phase: FailurePhase | undefined;
	readonly host: string;
	readonly port: number;
	/** The name that is verified. */
	readonly servername: string;
	/** The URL of the request, without credentials. */
	readonly url: string;
	readonly now: Date;
	/** The ALPN name (RFC 7301) that was offered. */
	readonly alpn: string | undefined;
	readonly protocol: string | undefined;
	readonly clientCertificateRequested: boolean | undefined;
	/**
	 * The signature algorithms of the server's CertificateRequest that OpenSSL knows here, in its names
	 * (`RSA-PSS+SHA256`).
	 */
	readonly signatureAlgorithms: readonly string[];
	/** A TLS session was resumed: no certificate was sent. */
	readonly resumed: boolean;
	/** The connection leads through a proxy. */
	readonly proxied: boolean;
	/** What the server presented, leaf first, and the trusted certificates above it. */
	readonly chain: readonly CertificateFacts[];
	/** The same, read when a row asks for it. */
	readonly details: () => readonly CertificateDetails[];
	/** Certificates that the server sent and that are not in its chain. */
	readonly unrelated: () => readonly string[];
	/** The client certificate that was offered on this connection. */
	readonly identity: CertificateFacts | null;
	/** The certificates that would be sent with it, leaf first. */
	readonly ours: () => readonly OwnCertificate[];
	/** Whether the last of them was issued by a root that is trusted here: it need not be sent. */
	readonly oursEndAtRoot: () => boolean;
	/** Whether there is a client certificate in the options, offered or not. */
	readonly hasIdentity: boolean;
	readonly options: OptionFacts;
	/** How the trusted CAs relate to the chain. */
	readonly trust: () => TrustFacts;
	/** The certificate was not offered, because of a redirect from one origin to another. */
	readonly withheld: Withheld | undefined;
	/** The origin that redirected to one with another identity, which it is not allowed to use. */
	readonly redirectedFrom: string | undefined;
	readonly proxy: ProxyEvidence | undefined;
	readonly response: ResponseEvidence | undefined;
}

/** What the options set, where it can be the cause. */
interface OptionFacts {
	readonly minVersion: string;
	/** `undefined`: not set, so OpenSSL's highest. */
	readonly maxVersion: string | undefined;
	/** Whether `minVersion` was set, or is the default. */
	readonly minVersionSet: boolean;
	readonly ciphers: string | undefined;
	readonly ecdhCurve: string | undefined;
	readonly sigalgs: string | undefined;
	readonly servername: string | undefined;
	/** Which of `cert`, `key` and `pfx` were given as `undefined`, where there is no client certificate. */
	readonly unset: readonly string[];
	/** The option that has `ca`, where that is not `mtls.ca`. */
	readonly caOption: string | undefined;
	/** The `origins` of a list of `mtls`, where none matches; else `undefined`. */
	readonly unmatchedOrigins: readonly string[] | undefined;
}

/** How the trusted CAs relate to the chain of the server. */
export interface TrustFacts {
	/** `ca` is set, rather than Node's own CAs. */
	readonly given: boolean;
	/** How many names the certificates in `ca` have; 0 without `ca`. */
	readonly count: number;
	/** These names, where they are few. */
	readonly names: readonly string[];
	/** `ca` holds the server's own certificate. */
	readonly holdsLeaf: boolean;
	/** `ca` holds the last certificate of the chain, which is no root. */
	readonly holdsTop: boolean;
	/** `ca` holds a certificate with the name of the last one's issuer, or of the root, and another key. */
	readonly holdsNamesake: boolean;
	/** `ca` holds a CA of the organization that the issuer of the last certificate names as its own. */
	readonly holdsRelative: boolean;
	/** The last certificate, or the CA that issued it, came with the client certificate in `pfx`. */
	readonly inPfx: boolean;
	/** `https.globalAgent` has a `ca` with the issuer of the last certificate, and this client does not use it. */
	readonly inGlobalAgent: boolean;
	/** The last certificate was issued by a CA that Node trusts by default, and `ca` does not hold. */
	readonly isPublic: boolean;
	/** Fingerprints of the certificates of the chain that are in `ca`. */
	readonly held: ReadonlySet<string>;
}

/** Facts of a server's certificate beyond those that can be logged. */
export interface CertificateDetails {
	readonly subject: string;
	readonly isCa: boolean;
	/** The OIDs of its extendedKeyUsage; `undefined` without the extension. */
	readonly purposes: readonly string[] | undefined;
	/** The names of its keyUsage bits; `undefined` without the extension. */
	readonly keyUsage: readonly string[] | undefined;
	/** The hash of its signature, where that is MD5 or SHA-1. */
	readonly weakDigest?: string | undefined;
	/** The length of an RSA key. */
	readonly rsaBits?: number | undefined;
}

export interface Withheld {
	/** The origin that redirected. */
	readonly from: string;
	/** The origin that the redirect led to. */
	readonly to: string;
}

export interface ProxyEvidence {
	readonly host: string;
	readonly port: number;
	readonly protocol: string;
	readonly hasCredentials: boolean;
	/** The variable of the environment that named it: `HTTPS_PROXY`; `undefined`: the option `proxy`. */
	readonly variable: string | undefined;
	/** Where its login is set, or is to be: in its URL, in `proxy.auth`, in a `Proxy-Authorization` header. */
	readonly loginPlace: 'url' | 'auth' | 'header';
	/** Absent where it is the server that failed. */
	readonly kind?: FailureKind | undefined;
	/** The message of the proxy error. */
	readonly message?: string | undefined;
	readonly status?: number | undefined;
	/** The code of a SOCKS proxy's reply (RFC 1928 §6). */
	readonly reply?: number | undefined;
	/** The `X-Squid-Error` header: `ERR_DNS_FAIL 0`. */
	readonly squidError?: string | undefined;
	/** What it sent in place of an answer; `body`: more after a 2xx. */
	readonly spoke?: 'nothing' | 'tls' | 'body' | 'other' | undefined;
	/** The code of the network error that kept the proxy from being reached. */
	readonly networkCode?: string | undefined;
}

export interface ResponseEvidence {
	readonly status: number;
	/** Which server's page it is, by which it refuses a client certificate. */
	readonly page: RefusalPageName | undefined;
}

/** Whose page it is, and what it says. */
export type RefusalPageName = 'nginx-required' | 'nginx-refused' | 'apache-post-handshake';

/**
 * Whether the server asked for a client certificate. `maybe later`: not in the handshake, but perhaps by
 * TLS 1.2 renegotiation once it had seen the path.
 */
export type Asked = 'yes' | 'no' | 'maybe later' | 'unknown';

/** What became of the client certificate on a connection; see `MtlsFailure.clientCertificate`. */
export type ClientCertificateUse = NonNullable<MtlsFailure['clientCertificate']>;

/** What the security level of OpenSSL objects to. */
export type Weakness = 'key' | 'digest' | 'diffie-hellman';

/** Why a chain leads to no trusted CA. */
export type IncompleteChain =
	| 'ca-holds-leaf'
	| 'ca-holds-intermediate'
	| 'public-ca'
	| 'wrong-intermediate'
	| 'leaf-of-intermediate'
	| 'leaf-alone'
	| 'unknown-root';

/** Why a chain is not for a server. */
export type PurposeFault = 'issuer-is-no-ca' | 'key-usage' | 'issuer-purpose' | 'no-server-auth';

/** The evidence with what follows from it. Every scalar here can be a condition of a row. */
export interface Facts extends Evidence {
	/** The alert that the server sent. */
	readonly alert: string | undefined;
	/** Code and message of the error, in capitals, spaces as `_`. */
	readonly text: string;
	readonly asked: Asked;
	readonly offered: boolean;
	/** `undefined`: the handshake did not come so far. */
	readonly use: ClientCertificateUse | undefined;
	readonly httpVersion: 'h2' | 'http/1.1';
	readonly hasChain: boolean;
	readonly status: number | undefined;
	readonly page: RefusalPageName | undefined;
	readonly proxyKind: FailureKind | undefined;
	readonly proxyStatus: number | undefined;
	readonly spoke: ProxyEvidence['spoke'];
	readonly socks: boolean;
	readonly outOfDate: OutOfDate;
	/** Whose certificate of the chain is out of date. */
	readonly outOfDateLink: OutOfDate['link'];
	readonly incomplete: IncompleteChain;
	readonly purposeFault: PurposeFault;
	readonly weakness: Weakness;
	readonly isAddress: boolean;
	/** The faults of our certificate that the alert can be about; all of them without an alert. */
	readonly faults: readonly OwnFault[];
	/** Whether one of them proves the cause. */
	readonly hasProof: boolean;
	readonly isWithheld: boolean;
	readonly isAnonymized: boolean;
	/** Words for sentences. */
	readonly words: Words;
}

export interface OutOfDate {
	readonly name: string;
	/** For a sentence. */
	readonly date: string;
	/** This machine's date, to be compared with it. */
	readonly today: string;
	readonly issuer: string;
	readonly link: 'leaf' | 'intermediate' | 'our-ca';
	/** Other certificates are out of date by the same clock, so that it is likely wrong. */
	readonly others: boolean;
}

/** Parts of sentences. */
export interface Words {
	readonly end: 'the server' | 'the proxy';
	/** The option that configures the TLS with it. */
	readonly mtls: 'mtls' | 'mtls.proxy';
	/** The option that has the trusted CAs. */
	readonly ca: string;
	/** `host:port` of that end. */
	readonly address: string;
	readonly proxy: string;
	/** The subject of the server's certificate, in quotes. */
	readonly subject: string;
	readonly issuer: string;
	/** The names of the server's certificate. */
	readonly names: string;
	/** The subject of ours, in quotes. */
	readonly ours: string;
	/** `: unknown_ca`, or nothing. */
	readonly alert: string;
	/** What the server did in place of an answer: `hung up`. */
	readonly refusal: string;
	/** `TLS 1.2 to TLS 1.3` */
	readonly offer: string;
	/** This machine's date. */
	readonly today: string;
}

/** Conditions on facts: a value, one of several, or a pattern. */
export type When = {
	readonly [Name in keyof Facts]?: Condition<Facts[Name]>;
};

// In brackets, so that it does not distribute over a union.
type Condition<T> = [T] extends [string | number | boolean | undefined]
	? T | readonly T[] | RegExp
	: never;

/** A possible cause. */
export interface Cause {
	/** Public in `MtlsFailure.causes`. */
	readonly id: string;
	readonly text: (facts: Facts) => string;
	/** What to do, if this is the cause. */
	readonly repair: (facts: Facts) => string;
	/** Listed only if this holds: a cause that the facts exclude is not. */
	readonly when?: (facts: Facts) => boolean;
}

/** One case of the decision table: the first row whose conditions hold decides. */
export interface Row {
	/** For tests and for the reader: it is not public. */
	readonly id: string;
	readonly when: When;
	/** `undefined`: not a failure of TLS or of the proxy, so the error stays as it is. */
	readonly kind: FailureKind | undefined;
	/** Whether the facts leave no doubt about the kind. */
	readonly certain: boolean | ((facts: Facts) => boolean);
	readonly summary: (facts: Facts) => string;
	/** Most likely first. */
	readonly causes: readonly Cause[] | ((facts: Facts) => readonly Cause[]);
}
