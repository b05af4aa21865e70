import {type CertificateContent, type Issuer, signCertificate} from './certificate.ts';
import {signCrl} from './crl.ts';
import type {CrlOptions} from './crl-options.ts';
import {exportKey, generateKeys, type KeyType} from './keys.ts';
import {resolveValidity, type ValidityOptions} from './validity.ts';

/** A certificate with its private key, with the names of `node:tls`. */
export interface Credential {
	/** The leaf, then its intermediates: what a peer sends (RFC 8446 section 4.4.2). PEM. */
	readonly cert: string;
	/** PKCS#8 PEM; encrypted when a passphrase was asked for. */
	readonly key: string;
	/**
	 * The leaf alone, PEM. `pki.server()` and `pki.client()` make it a property that is not enumerable, so
	 * that `{...credential}` has the options of `node:tls` and of `mtls` alone.
	 */
	readonly leaf: string;
	/** Opens `key`; absent when `key` is not encrypted. */
	readonly passphrase?: string;
}

export interface CertificateOptions extends ValidityOptions {
	/** @defaultValue the first of `names` for a server, `'client'` for a client */
	commonName?: string;
	organization?: string;
	/**
	 * DNS names and IP addresses of the subjectAltName.
	 *
	 * @defaultValue `['localhost', '127.0.0.1', '::1']` for a server, none for a client
	 */
	names?: readonly string[];
	/** URIs of the subjectAltName, such as `spiffe://example.test/billing`. */
	uris?: readonly string[];
	/** Signs with its own key, so that no authority vouches for it. */
	selfSigned?: boolean;
	/** @defaultValue the authority whose method was called */
	issuer?: CertificateAuthority;
	/** Leaves the intermediates out of `cert`: the usual mistake of a server's operator. */
	omitIntermediates?: boolean;
	/**
	 * The extendedKeyUsage; an empty list leaves the extension out.
	 *
	 * @defaultValue `['serverAuth']` for a server, `['clientAuth']` for a client
	 */
	purposes?: readonly ('serverAuth' | 'clientAuth')[];
	/** @defaultValue `'ec'` */
	keyType?: KeyType;
	/** Encrypts the key. */
	passphrase?: string;
}

export interface IntermediateOptions extends Omit<ValidityOptions, 'notYetValid'> {
	/** @defaultValue `'Test Intermediate CA'` */
	commonName?: string;
}

/** Signs certificates; each of its certificates has a key and a serial number of its own. */
export interface CertificateAuthority {
	/** Its own certificate, PEM; self-signed when it is a root. */
	readonly cert: string;
	/** PKCS#8 PEM, not encrypted. */
	readonly key: string;
	/** Makes an authority below this one, with a key of the same type. */
	intermediate(options?: IntermediateOptions): Promise<CertificateAuthority>;
	/** Issues a server's certificate. */
	server(options?: CertificateOptions): Promise<Credential>;
	/** Issues a client's certificate. */
	client(options?: CertificateOptions): Promise<Credential>;
	/** Signs a revocation list, PEM. */
	crl(options?: CrlOptions): Promise<string>;
}

export interface TestPki extends CertificateAuthority {
	/** The root's certificate, PEM: the CA that the peer has to trust. The same as `cert`. */
	readonly ca: string;
}

export interface TestPkiOptions {
	/** The time that every validity is counted from. @defaultValue the current time */
	now?: Date;
	/** @defaultValue `'Test Root CA'` */
	commonName?: string;
	/** The type of the authorities' keys. @defaultValue `'ec'` */
	keyType?: KeyType;
}

/**
 * Makes a certificate authority in memory, for tests: its certificates may carry any defect that a
 * client or a server has to notice.
 *
 * Nothing is written to disk, and no `openssl` is run. Every call makes a new root, so two of them
 * do not trust each other.
 *
 * @throws {MissingDependencyError} with `code` `ERR_MTLS_MISSING_DEPENDENCY` where the optional
 * dependencies of this package are not installed.
 *
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const server = await pki.server();
 * const late = await pki.client({commonName: 'alice', expired: true});
 * ```
 */
export async function createTestPki(options: TestPkiOptions = {}): Promise<TestPki> {
	const {now = new Date(), commonName = 'Test Root CA', keyType = 'ec'} = options;
	const keys = await generateKeys(keyType);
	const validity = resolveValidity('authority', {}, now);
	const certificate = await signCertificate({
		commonName,
		validity,
		keys,
		role: {type: 'authority'},
	});
	const root = authority({issuer: {certificate, keys}, chain: [], now, keyType});
	return {...root, ca: root.cert};
}

interface AuthorityState {
	readonly issuer: Issuer;
	/** What a leaf sends after its certificate, PEM: this authority and those above it, without the root. */
	readonly chain: readonly string[];
	readonly now: Date;
	readonly keyType: KeyType;
}

function authority(state: AuthorityState): CertificateAuthority {
	return {
		cert: toPem(state.issuer),
		key: exportKey(state.issuer.keys.privateKey),
		intermediate: (options) => issueIntermediate(state, options),
		server({issuer, ...options} = {}) {
			if (issuer !== undefined) return issuer.server(options);
			const names = options.names ?? ['localhost', '127.0.0.1', '::1'];
			const commonName = options.commonName ?? names[0] ?? 'server';
			return issueLeaf(state, {purposes: ['serverAuth'], ...options, names, commonName});
		},
		client({issuer, ...options} = {}) {
			if (issuer !== undefined) return issuer.client(options);
			return issueLeaf(state, {commonName: 'client', purposes: ['clientAuth'], ...options});
		},
		crl: (options = {}) => signCrl(state.issuer, options, state.now),
	};
}

async function issueIntermediate(
	state: AuthorityState,
	{commonName = 'Test Intermediate CA', ...validity}: IntermediateOptions = {},
): Promise<CertificateAuthority> {
	const keys = await generateKeys(state.keyType);
	const certificate = await signCertificate({
		commonName,
		validity: resolveValidity('authority', validity, state.now),
		keys,
		issuer: state.issuer,
		role: {type: 'authority'},
	});
	// Never fetched: `.test` is reserved (RFC 6761 section 6.2). It lets a client that misses the
	// intermediate say where it could be had.
	const slug = commonName.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
	const issuer = {certificate, keys, caIssuers: `http://ca.test/${slug}.crt`};
	return authority({...state, issuer, chain: [toPem(issuer), ...state.chain]});
}

async function issueLeaf(
	state: AuthorityState,
	options: CertificateOptions & Pick<CertificateContent, 'commonName'>,
): Promise<Credential> {
	const {keyType = 'ec', names = [], uris = [], purposes = [], passphrase} = options;
	const keys = await generateKeys(keyType);
	const certificate = await signCertificate({
		commonName: options.commonName,
		organization: options.organization,
		validity: resolveValidity('leaf', options, state.now),
		keys,
		issuer: options.selfSigned ? undefined : state.issuer,
		role: {type: 'leaf', keyType, names, uris, purposes},
	});
	const leaf = toPem({certificate});
	const alone = options.selfSigned || options.omitIntermediates;
	const credential = {
		cert: alone ? leaf : [leaf, ...state.chain].join(''),
		key: exportKey(keys.privateKey, passphrase),
		...(passphrase === undefined ? {} : {passphrase}),
	};
	return Object.defineProperty(credential, 'leaf', {value: leaf}) as Credential;
}

// The library leaves out the last line end, without which PEM blocks cannot be joined.
function toPem({certificate}: Pick<Issuer, 'certificate'>): string {
	return `${certificate.toString('pem')}\n`;
}
