/*
 * Plain data that errors, responses, events and the handle of a client carry. None of it is secret.
 */

/** A certificate, in fields that can be logged: none is secret. */
export interface CertificateFacts {
	/** Distinguished name, one line: `CN=api.bank.example, O=Bank`. */
	readonly subject: string;
	readonly issuer: string;
	/** subjectAltName entries as OpenSSL prints them: `DNS:localhost`, `IP Address:127.0.0.1`. */
	readonly altNames: readonly string[];
	/** ISO 8601, UTC; as OpenSSL prints it if that is not a date. */
	readonly validFrom: string;
	/** ISO 8601, UTC. */
	readonly validTo: string;
	/** SHA-256 of the whole certificate, upper-case hex pairs with colons. */
	readonly fingerprint256: string;
	/** SHA-256 of the public key, as curl's `--pinnedpubkey` takes it: `sha256//BASE64`. Empty for a key of a kind that OpenSSL does not know. */
	readonly pin: string;
	/** Where the issuer's certificate can be fetched (RFC 5280 §4.2.2.1, caIssuers); often empty. */
	readonly caIssuers: readonly string[];
}

/** The connection of a response. */
export interface ConnectionFacts {
	/** `TLSv1.3` or `TLSv1.2`. */
	readonly protocol: string;
	/** IETF name of the cipher suite: `TLS_AES_256_GCM_SHA384`. */
	readonly cipher: string;
	/** The server was verified. `false` only with `verify: 'report'`. */
	readonly authorized: boolean;
	/** The server asked for the client certificate. */
	readonly clientCertificateRequested: boolean;
	/** The TLS session was resumed, so no certificate was exchanged on this connection. */
	readonly resumed: boolean;
	/** The server's certificate. */
	readonly peer: CertificateFacts;
	/** The server's chain, leaf first: what it presented, up to the CA if that is known here. */
	readonly chain: readonly CertificateFacts[];
	/** The client certificate if it was offered on this connection, else `null`. */
	readonly identity: CertificateFacts | null;
}

/** The kinds of failure: the headings of docs/errors.md. */
export type FailureKind =
	| 'expired'
	| 'not-yet-valid'
	| 'wrong-name'
	| 'self-signed'
	| 'untrusted-issuer'
	| 'missing-intermediate'
	| 'revoked'
	| 'revocation-unknown'
	| 'wrong-purpose'
	| 'too-weak'
	| 'invalid-certificate'
	| 'pin-mismatch'
	| 'spiffe-mismatch'
	| 'client-auth-not-requested'
	| 'insecure-redirect'
	| 'client-certificate-required'
	| 'client-certificate-refused'
	| 'protocol-mismatch'
	| 'cipher-mismatch'
	| 'legacy-renegotiation'
	| 'not-tls'
	| 'reset'
	| 'proxy-unreachable'
	| 'proxy-auth-required'
	| 'proxy-refused'
	| 'proxy-timeout'
	| 'proxy-bad-reply';

/** How far the connection had come. */
export type FailurePhase = 'config' | 'tunnel' | 'handshake' | 'verify' | 'response';

/** `server`: the client refused it. `client`: the server refused the client. `proxy`: the proxy failed. */
export type FailureSide = 'server' | 'client' | 'proxy' | 'both';

/** The facts of a failure, as fields; none of them is secret. */
export interface MtlsFailure {
	readonly kind: FailureKind;
	readonly phase: FailurePhase;
	readonly side: FailureSide;
	/** `false` if the kind is only the most likely one: see `reasons`. */
	readonly certain: boolean;
	readonly host: string;
	readonly port: number;
	/** The name that was verified, and sent as SNI unless it is an IP address. */
	readonly servername: string;
	/**
	 * The URL of the hop that failed, which after a redirect is not `config.url`. No credentials. What
	 * `verify: 'report'` reports is about a connection, which several requests may use: then it is the
	 * origin and `/`.
	 */
	readonly url: string;
	/**
	 * The origin whose redirect led here, where another identity of `mtls` is used, so that the request was
	 * anonymous. See `allowRedirectsFrom`.
	 */
	readonly redirectedFrom?: string;
	/** The TLS version that was negotiated, if the handshake came so far: `TLSv1.3`. */
	readonly protocol?: string;
	/** The name of the TLS alert that the server sent (RFC 8446 §6): `unknown_ca`. */
	readonly alert?: string;
	/** Whether the server asked for the client certificate; absent if the handshake ended before that. */
	readonly clientCertificateRequested?: boolean;
	/** The certificate that the server presented. */
	readonly peer?: CertificateFacts;
	/** The server's chain, leaf first: what it presented, up to the CA if that is known here. */
	readonly chain: readonly CertificateFacts[];
	/** The client certificate if it was offered on this connection, else `null`. */
	readonly identity: CertificateFacts | null;
	/**
	 * What the server got of our client certificate. `sent`: it has seen it. `none`: no certificate is set.
	 * `not-asked`: it did not ask for one. `withheld`: a redirect led to an origin that may not see it.
	 * `no-fitting-key`: its key can make none of the signatures that the server asked for.
	 *
	 * There where the server refused us; and where we could not verify it, with TLS 1.2, which sends the
	 * certificate first, and with `verify: 'report'`. TLS 1.3 sends none to a server that is refused.
	 */
	readonly clientCertificate?: 'sent' | 'none' | 'not-asked' | 'withheld' | 'no-fitting-key';
	/** What the server's request for a client certificate said, where it refused us after one. */
	readonly requested?: {
		/** Those that OpenSSL knows here, in its names: `RSA-PSS+SHA256`, `Ed25519`, `mldsa65`. */
		readonly signatureAlgorithms: readonly string[];
	};
	/** The proxy of this connection, and its answer. */
	readonly proxy?: {
		readonly host: string;
		readonly port: number;
		/** `http`, `https`, `socks5` or `socks5h`. */
		readonly protocol?: string;
		/** Whether a user and a password, or another login, were set for it. */
		readonly hasCredentials?: boolean;
		/** The status of its response to CONNECT. */
		readonly status?: number;
		/** The code of its refusal, 1 to 255, if it is a SOCKS proxy (RFC 1928 §6). */
		readonly reply?: number;
	};
	/** Why, most likely first. */
	readonly reasons: readonly string[];
	/**
	 * An id for each of `reasons`, in the same order, for programs: `own-expired`. More may come, and one
	 * that is listed stays what it is.
	 */
	readonly causes?: readonly string[];
	/** What to do, in one sentence. */
	readonly hint: string;
}
