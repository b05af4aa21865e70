import type {SecureContext, SecureVersion} from 'node:tls';

/**
 * The path of a file, as text or as a `file:` URL, or what it holds: PEM, DER, or base64 of either, as text
 * or bytes.
 */
export type Source = string | Uint8Array | URL;

/** Client certificate, trusted CAs and verification. The names are those of `node:tls`. */
export interface MtlsOptions {
	/** The client certificate and its intermediates, in any order. Needs `key`, or a key in the same file. */
	cert?: Source;
	/** The private key of `cert`: PKCS#8, PKCS#1 or SEC1 PEM, encrypted or not. */
	key?: Source;
	/**
	 * Certificate and key in one PKCS#12 file (RFC 7292), in place of `cert` and `key`. A CA in it is not
	 * trusted. Of several identities the one is used that is valid now and for clients; `alias` chooses.
	 */
	pfx?: Source;
	/**
	 * Which identity of a file with several: its friendly name (keytool's alias), or the SHA-256 fingerprint
	 * of its certificate, with or without colons.
	 * @defaultValue the only one that can be used; with two the client is not made, and the error lists them
	 */
	alias?: string;
	/** Decrypts `key`, `pfx`, and a truststore in `ca`. A function is called once per load, and only if the file is encrypted. */
	passphrase?: string | (() => string);
	/**
	 * Fetches the client certificate, in place of `cert`, `key` and `pfx`: from a vault, a SPIFFE agent, an
	 * HSM. A value is checked when the client is made; for a promise the first requests wait.
	 */
	identity?: IdentityLoader;
	/**
	 * Reads changed files, or calls `identity` again, and uses what it finds: requests in flight finish
	 * with the old identity, every later one has the new certificate, CAs and revocation lists. If it
	 * cannot be loaded, the old one stays and `rotation_failed` is logged; the next attempt is made when a
	 * file changes, or after an interval that grows to 15 times `everyMs`.
	 *
	 * Files are watched too; `everyMs` is for file systems that report no changes. Where no option names a
	 * file and there is no `identity`, the client is not made.
	 * @defaultValue `false`; `true` is every 60,000 ms
	 */
	reload?: boolean | {readonly everyMs?: number};
	/**
	 * The trusted CAs: one source or a list; each may be PEM, DER, PKCS#7, or a truststore in PKCS#12. The
	 * words `'default'`, `'system'` and `'bundled'` stand for the sets of `tls.getCACertificates()`, so
	 * `['default', 'corp.pem']` adds a CA and `'corp.pem'` replaces them all.
	 * @defaultValue what Node trusts by default
	 */
	ca?: Source | readonly Source[];
	/** Revocation lists, PEM or DER (RFC 5280 §5). If given, every CA of a chain must have a current one. */
	crl?: Source | readonly Source[];
	/**
	 * Hashes of public keys: `sha256//BASE64`, as curl's `--pinnedpubkey` writes them. One certificate of
	 * the server's chain must have one of the keys. Checked after the chain and the name: a pin only narrows.
	 */
	pins?: string | readonly string[];
	/**
	 * The SPIFFE ID that the server must have, instead of a host name: `spiffe://example.org/billing`, or
	 * a trust domain, `spiffe://example.org`.
	 */
	spiffeId?: string;
	/**
	 * `'report'` sends a request although the server could not be verified, and logs `verification_failed`
	 * each time: to turn verification on without an outage.
	 *
	 * Security: with `'report'` anyone on the path can read and answer the requests. The client is not made
	 * with `logger: false`, where nobody would see it.
	 * @defaultValue `'strict'`
	 */
	verify?: 'strict' | 'report';
	/**
	 * Fail before a byte of the request is sent if the server did not ask for the client certificate, so
	 * that each response comes from a server that has authenticated the client. @defaultValue `false`
	 */
	requireClientAuth?: boolean;
	/**
	 * The name to verify and to send as SNI, instead of the URL's host. A `Host` header never changes it.
	 */
	servername?: string;
	/** @defaultValue `'TLSv1.2'` */
	minVersion?: SecureVersion;
	/** @defaultValue Node's own, `'TLSv1.3'` */
	maxVersion?: SecureVersion;
	/** OpenSSL's cipher list, for TLS 1.2 and 1.3. */
	ciphers?: string;
	/**
	 * The curves for key exchange, as in `node:tls`: names with colons between, the preferred first, such as
	 * `'X25519:prime256v1:brainpoolP256r1'`. TLS 1.3 has no Brainpool curve, so these alone need
	 * `maxVersion: 'TLSv1.2'`.
	 *
	 * Security: the list replaces Node's own. One that leaves out the curves of common servers makes
	 * handshakes fail, and one that begins with an odd curve uses it wherever a server knows it.
	 * @defaultValue Node's own, `'auto'`
	 */
	ecdhCurve?: string;
	/**
	 * The signature algorithms that are accepted of servers and used by the client, as in `node:tls`:
	 * OpenSSL's names with colons between, such as `'ECDSA+SHA256:RSA-PSS+SHA256'`.
	 *
	 * Security: with SHA1 or MD5 in it a forged signature of a server may pass.
	 * @defaultValue OpenSSL's own
	 */
	sigalgs?: string;
	/**
	 * Bits of `crypto.constants.SSL_OP_*`, as in `node:tls`. `SSL_OP_LEGACY_SERVER_CONNECT` connects to a
	 * server without secure renegotiation (RFC 5746).
	 *
	 * Security: each of these bits works around a fault of a server, and most give up a protection. With
	 * `SSL_OP_LEGACY_SERVER_CONNECT` whoever is on the path can put a request of their own before the
	 * client's (CVE-2009-3555). Give it to a client for that server alone, or by `origins`.
	 * @defaultValue none
	 */
	secureOptions?: number;
	/**
	 * Further origins (`https://files.bank.example`, `https://*.bank.example`) that may see the client
	 * certificate when a redirect leads there. The origin of a URL that the app itself requests always may;
	 * any other never does. A `*` stands for one or more labels.
	 *
	 * In a list of several `mtls` these are the only origins at which this one is used, so it is required. An
	 * origin or pattern that another one has too is refused; of two patterns that match, the longer one
	 * counts. A redirect from one of them to another presents the certificate; a redirect from elsewhere
	 * does not.
	 */
	origins?: readonly string[];
	/**
	 * In a list of several `mtls`: further origins whose redirects to `origins` are followed as this
	 * identity, with its certificate and the jar's cookies. Without it such a request is anonymous, and its
	 * response sets no cookie, so that no server can make another one act in the name of the client.
	 * Written as `origins` are.
	 *
	 * Security: an origin in this list chooses method, path and query of requests made as this identity.
	 * @defaultValue none: a redirect presents the certificate if it comes from `origins`, or leads back to
	 * the origin that the app requested
	 */
	allowRedirectsFrom?: readonly string[];
	/**
	 * Use a client certificate that has expired or is not valid yet, with a warning in the log instead of an
	 * error. @defaultValue `false`
	 */
	allowExpired?: boolean;
	/**
	 * Use a client certificate whose extendedKeyUsage lacks clientAuth (RFC 5280 §4.2.1.12), with a warning
	 * in the log instead of an error: for servers that take such a one. @defaultValue `false`
	 */
	allowAnyPurpose?: boolean;
	/**
	 * TLS to an `https://` proxy. It is always verified, and gets only a certificate that is given here.
	 * @defaultValue what Node trusts by default, and no certificate
	 */
	proxy?: ProxyTlsOptions;
}

/** What {@link MtlsOptions.identity} returns: the options of the same names, or a context that holds the key. */
export interface IdentityMaterial
	extends Pick<MtlsOptions, 'cert' | 'key' | 'pfx' | 'alias' | 'passphrase' | 'ca' | 'crl'> {
	/**
	 * A context of your own, for a key that cannot be read, as in an HSM; `cert` is then read only for the
	 * facts of the certificate. Connections that present the certificate use the CAs and TLS versions of
	 * this context; all others those of `ca` and the other options of `mtls`.
	 */
	secureContext?: SecureContext;
}

/** Returns the client certificate, or a promise of it. */
export type IdentityLoader =
	| (() => IdentityMaterial | Promise<IdentityMaterial>)
	| {load(): IdentityMaterial | Promise<IdentityMaterial>};

/** Client certificate and trusted CAs for the TLS to an `https://` proxy, as in {@link MtlsOptions}. */
export type ProxyTlsOptions = Pick<
	MtlsOptions,
	| 'cert'
	| 'key'
	| 'pfx'
	| 'alias'
	| 'passphrase'
	| 'ca'
	| 'crl'
	| 'pins'
	| 'servername'
	| 'minVersion'
	| 'maxVersion'
	| 'ciphers'
	| 'ecdhCurve'
	| 'sigalgs'
	| 'secureOptions'
	| 'allowExpired'
	| 'allowAnyPurpose'
>;
