import {readPassphrase, readProxy, readSecureOptions, readVersion} from './flag-values.ts';

/** The flags of `get` and `check` as commander returns them. Their values are still text. */
export interface ClientFlags {
	readonly cert?: string;
	readonly key?: string;
	readonly pfx?: string;
	readonly passphraseFile?: string;
	readonly alias?: string;
	readonly allowExpired?: boolean;
	readonly allowAnyPurpose?: boolean;
	readonly origin?: readonly string[];
	readonly ca?: readonly string[];
	readonly crl?: readonly string[];
	readonly pin?: readonly string[];
	readonly spiffeId?: string;
	readonly servername?: string;
	readonly requireClientAuth?: boolean;
	readonly tlsMin?: string;
	readonly tlsMax?: string;
	readonly ciphers?: string;
	readonly ecdhCurve?: string;
	readonly sigalgs?: string;
	readonly secureOptions?: string;
	readonly http2?: boolean;
	readonly location?: boolean;
	readonly insecureRedirects?: boolean;
	readonly jar?: string;
	readonly timeout?: string;
	readonly proxy?: string;
	readonly proxyCert?: string;
	readonly proxyKey?: string;
	readonly proxyPfx?: string;
	readonly proxyPassphraseFile?: string;
	readonly proxyAlias?: string;
	readonly proxyAllowExpired?: boolean;
	readonly proxyAllowAnyPurpose?: boolean;
	readonly proxyCa?: readonly string[];
	readonly proxyCrl?: readonly string[];
	readonly proxyPin?: readonly string[];
	readonly proxyServername?: string;
	readonly proxyTlsMin?: string;
	readonly proxyTlsMax?: string;
	readonly proxyCiphers?: string;
	readonly proxyEcdhCurve?: string;
	readonly proxySigalgs?: string;
	readonly proxySecureOptions?: string;
}

export type FlagName = keyof ClientFlags;

/** A row of the table of flags. */
export interface Flag {
	/** The option of the library that it sets, as a dotted path. */
	readonly option: string;
	/** What follows the flag: `<file>`. A flag without it is a switch. */
	readonly argument?: string;
	/** One letter: `-L`. */
	readonly short?: string;
	/** For the help. */
	readonly help: string;
	readonly group: FlagGroup;
	/** May be given several times; a single value is given to the option as it is, or as a list too. */
	readonly repeatable?: 'one-or-list' | 'list';
	/** What a switch sets, where that is not `true`. */
	readonly on?: unknown;
	/** The command itself reads it: it sets nothing in the options of the client. */
	readonly ownUse?: true;
	/**
	 * Turns the text into the value of the option, where that is not the text itself.
	 *
	 * @throws {UsageError} when it cannot.
	 */
	read?(text: string, flag: string): unknown;
}

type FlagGroup = 'Client certificate:' | 'Trust:' | 'TLS:' | 'Request:' | 'Proxy:';

/**
 * Every flag of `get` and `check`. The help, the options of the client, the hints and the printed
 * commands are all made from it.
 */
export const clientFlags: {readonly [Name in FlagName]-?: Flag} = {
	cert: {
		option: 'mtls.cert',
		argument: '<file>',
		help: 'client certificate with its intermediates, PEM',
		group: 'Client certificate:',
	},
	key: {
		option: 'mtls.key',
		argument: '<file>',
		help: 'its private key, PEM',
		group: 'Client certificate:',
	},
	pfx: {
		option: 'mtls.pfx',
		argument: '<file>',
		help: 'both in one PKCS#12 file',
		group: 'Client certificate:',
	},
	passphraseFile: {
		option: 'mtls.passphrase',
		argument: '<file>',
		help: 'its first line opens the key or the PKCS#12',
		group: 'Client certificate:',
		read: readPassphrase,
	},
	alias: {
		option: 'mtls.alias',
		argument: '<name>',
		help: 'of several in the file: its friendly name (alias), or SHA-256 fingerprint',
		group: 'Client certificate:',
	},
	allowExpired: {
		option: 'mtls.allowExpired',
		help: 'send the certificate even when it has expired',
		group: 'Client certificate:',
	},
	allowAnyPurpose: {
		option: 'mtls.allowAnyPurpose',
		help: 'send the certificate even when it is not for clients (clientAuth)',
		group: 'Client certificate:',
	},
	origin: {
		option: 'mtls.origins',
		argument: '<origin>',
		help: 'a redirect to this origin may see the certificate too; repeatable',
		group: 'Client certificate:',
		repeatable: 'list',
	},
	ca: {
		option: 'mtls.ca',
		argument: '<file>',
		help: 'trusted CAs, PEM; also default, system, bundled; repeatable',
		group: 'Trust:',
		repeatable: 'one-or-list',
	},
	crl: {
		option: 'mtls.crl',
		argument: '<file>',
		help: 'revocation list, PEM or DER; repeatable',
		group: 'Trust:',
		repeatable: 'one-or-list',
	},
	pin: {
		option: 'mtls.pins',
		argument: '<pin>',
		help: 'sha256//BASE64 of a key of the chain; repeatable',
		group: 'Trust:',
		repeatable: 'one-or-list',
	},
	spiffeId: {
		option: 'mtls.spiffeId',
		argument: '<id>',
		help: 'spiffe://domain[/path], instead of the host name',
		group: 'Trust:',
	},
	servername: {
		option: 'mtls.servername',
		argument: '<name>',
		help: 'the name to verify and to ask for (SNI), instead of the host name',
		group: 'Trust:',
	},
	requireClientAuth: {
		option: 'mtls.requireClientAuth',
		help: 'send nothing to a server that does not ask for the certificate',
		group: 'Trust:',
	},
	tlsMin: {
		option: 'mtls.minVersion',
		argument: '<version>',
		help: 'TLSv1.2 if not given',
		group: 'TLS:',
		read: readVersion,
	},
	tlsMax: {
		option: 'mtls.maxVersion',
		argument: '<version>',
		help: 'TLSv1.3 if not given',
		group: 'TLS:',
		read: readVersion,
	},
	ciphers: {
		option: 'mtls.ciphers',
		argument: '<list>',
		help: "cipher suites, as in OpenSSL's list",
		group: 'TLS:',
	},
	ecdhCurve: {
		option: 'mtls.ecdhCurve',
		argument: '<list>',
		help: 'curves of the key exchange, with colons between',
		group: 'TLS:',
	},
	sigalgs: {
		option: 'mtls.sigalgs',
		argument: '<list>',
		help: 'signature algorithms, with colons between',
		group: 'TLS:',
	},
	secureOptions: {
		option: 'mtls.secureOptions',
		argument: '<bits>',
		help: 'a number, or names such as SSL_OP_LEGACY_SERVER_CONNECT with commas between',
		group: 'TLS:',
		read: readSecureOptions,
	},
	http2: {
		option: 'httpVersion',
		help: 'HTTP/2 instead of HTTP/1.1',
		group: 'Request:',
		on: 2,
	},
	location: {
		option: 'maxRedirects',
		short: 'L',
		help: 'follow redirects (get)',
		group: 'Request:',
		ownUse: true,
	},
	insecureRedirects: {
		option: 'allowInsecureRedirects',
		help: 'follow them from https to http too (get)',
		group: 'Request:',
	},
	jar: {
		option: 'jar',
		argument: '<file>',
		help: 'keep cookies here between runs, as curl -b and -c do; JSON if .json (get)',
		group: 'Request:',
		ownUse: true,
	},
	timeout: {
		option: 'timeout',
		argument: '<seconds>',
		help: 'limit of the whole command; of check 30 if not given',
		group: 'Request:',
		ownUse: true,
	},
	proxy: {
		option: 'proxy',
		argument: '<url>',
		help: 'http, https, socks5 or socks5h://[user:password@]host:port',
		group: 'Proxy:',
		read: readProxy,
	},
	proxyCert: {
		option: 'mtls.proxy.cert',
		argument: '<file>',
		help: 'client certificate for an https:// proxy',
		group: 'Proxy:',
	},
	proxyKey: {
		option: 'mtls.proxy.key',
		argument: '<file>',
		help: 'its private key',
		group: 'Proxy:',
	},
	proxyPfx: {
		option: 'mtls.proxy.pfx',
		argument: '<file>',
		help: 'both in one PKCS#12 file',
		group: 'Proxy:',
	},
	proxyPassphraseFile: {
		option: 'mtls.proxy.passphrase',
		argument: '<file>',
		help: 'as --passphrase-file',
		group: 'Proxy:',
		read: readPassphrase,
	},
	proxyAlias: {
		option: 'mtls.proxy.alias',
		argument: '<name>',
		help: 'as --alias',
		group: 'Proxy:',
	},
	proxyAllowExpired: {
		option: 'mtls.proxy.allowExpired',
		help: 'as --allow-expired',
		group: 'Proxy:',
	},
	proxyAllowAnyPurpose: {
		option: 'mtls.proxy.allowAnyPurpose',
		help: 'as --allow-any-purpose',
		group: 'Proxy:',
	},
	proxyCa: {
		option: 'mtls.proxy.ca',
		argument: '<file>',
		help: 'trusted CAs of an https:// proxy, as --ca',
		group: 'Proxy:',
		repeatable: 'one-or-list',
	},
	proxyCrl: {
		option: 'mtls.proxy.crl',
		argument: '<file>',
		help: 'as --crl',
		group: 'Proxy:',
		repeatable: 'one-or-list',
	},
	proxyPin: {
		option: 'mtls.proxy.pins',
		argument: '<pin>',
		help: 'as --pin',
		group: 'Proxy:',
		repeatable: 'one-or-list',
	},
	proxyServername: {
		option: 'mtls.proxy.servername',
		argument: '<name>',
		help: 'as --servername',
		group: 'Proxy:',
	},
	proxyTlsMin: {
		option: 'mtls.proxy.minVersion',
		argument: '<version>',
		help: 'as --tls-min',
		group: 'Proxy:',
		read: readVersion,
	},
	proxyTlsMax: {
		option: 'mtls.proxy.maxVersion',
		argument: '<version>',
		help: 'as --tls-max',
		group: 'Proxy:',
		read: readVersion,
	},
	proxyCiphers: {
		option: 'mtls.proxy.ciphers',
		argument: '<list>',
		help: 'as --ciphers',
		group: 'Proxy:',
	},
	proxyEcdhCurve: {
		option: 'mtls.proxy.ecdhCurve',
		argument: '<list>',
		help: 'as --ecdh-curve',
		group: 'Proxy:',
	},
	proxySigalgs: {
		option: 'mtls.proxy.sigalgs',
		argument: '<list>',
		help: 'as --sigalgs',
		group: 'Proxy:',
	},
	proxySecureOptions: {
		option: 'mtls.proxy.secureOptions',
		argument: '<bits>',
		help: 'as --secure-options',
		group: 'Proxy:',
		read: readSecureOptions,
	},
};

/** The rows of the table, in the order of the help. */
export const flagRows = Object.entries(clientFlags) as readonly (readonly [FlagName, Flag])[];

/** `--proxy-ca` of `proxyCa`. */
export function flagOf(name: FlagName): string {
	return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flag of an option of the library, by its dotted path. */
export function flagOfOption(option: string): FlagName | undefined {
	return flagRows.find(([, flag]) => flag.option === option)?.[0];
}
