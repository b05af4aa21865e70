import {authorityOf} from '../../util/url.ts';
import type {CheckArguments} from '../commands.ts';
import {shortName} from '../shared/format-certificate.ts';
import {quote} from '../shared/sample-commands.ts';
import type {CheckFailure, CheckReport} from './report.ts';
import type {HostPort} from './tcp-probe.ts';

type Flags = Pick<
	CheckArguments,
	'cert' | 'key' | 'pfx' | 'passphraseFile' | 'ca' | 'pin' | 'crl' | 'spiffeId'
>;

interface Context {
	readonly report: Omit<CheckReport, 'next'>;
	readonly flags: Flags;
	readonly server: HostPort;
	/** The scheme of the proxy. */
	readonly proxyScheme: string;
	/** The same `axios-mtls check` with some flags changed. */
	recheck(changed?: Flags, url?: string): string;
}

/** Commands to try next: they look for the cause of a failure, or continue after a success. */
export function nextCommands(
	report: Context['report'],
	flags: Flags,
	server: HostPort,
	proxyScheme = 'http',
): string[] {
	const recheck: Context['recheck'] = (changed = {}, url = report.url) =>
		`axios-mtls check ${quote(url)}${words({...flags, ...changed})}`;
	const context: Context = {report, flags, server, proxyScheme, recheck};
	const kind = report.failure?.kind;
	if (kind === undefined) return afterSuccess(context);
	return (byKind[kind] ?? openssl)(context);
}

function afterSuccess({report: {url, clientCertificate}, flags, recheck}: Context): string[] {
	if (clientCertificate.ours === null && clientCertificate.requested) {
		return [recheck({cert: 'client.crt', key: 'client.key'})];
	}
	const {pfx, pin, crl, spiffeId, ...rest} = flags;
	// `get` does not have these four options.
	if (pfx ?? pin ?? crl ?? spiffeId) return [];
	return [`axios-mtls get ${quote(url)}${words(rest)}`];
}

const openssl = ({server: {host, port}}: Context, more = '') => [
	`openssl s_client -connect ${quote(authorityOf(host, port))} -servername ${quote(host)} -showcerts${more} </dev/null`,
];

const inspectCertificate = ({flags: {cert, key, pfx, passphraseFile}}: Context): string[] => {
	const file = pfx ?? cert;
	if (file === undefined) return [];
	const options = {
		...(pfx === undefined && key !== undefined && {key}),
		...(passphraseFile !== undefined && {passphraseFile}),
	};
	return [`axios-mtls inspect ${quote(file)}${words(options)}`];
};

const withCa = ({flags, recheck}: Context, ca = 'corp-ca.pem') =>
	recheck({ca: [...(flags.ca ?? ['default']), ca]});
const plainHttp = ({report: {url}}: Context) => [
	`curl --head ${quote(url.replace(/^https:/, 'http:'))}`,
];
const withProxyLogin = ({recheck, proxyScheme}: Context) => [
	`${recheck()} --proxy ${proxyScheme}://USER:PASSWORD@proxy:${proxyScheme.startsWith('socks') ? 1080 : 3128}`,
];
const withoutProxy = ({report: {url}}: Context) => [
	'env | grep -i _proxy',
	`NO_PROXY='*' axios-mtls check ${quote(url)}`,
];

const byKind: Readonly<Partial<Record<CheckFailure['kind'], (context: Context) => string[]>>> = {
	expired: (context) => ['date -u', ...openssl(context)],
	'not-yet-valid': (context) => ['date -u', ...openssl(context)],
	'wrong-name': (context) => withOtherName(context),
	'self-signed': (context) => [withCa(context)],
	'untrusted-issuer': (context) => [...inspectCas(context), withCa(context)],
	'missing-intermediate': (context) => fetchIssuer(context),
	// Never suggests the server's own pin: a pin must not come from the server that it checks.
	'pin-mismatch': (context) => openssl(context),
	'spiffe-mismatch': (context) => openssl(context),
	'client-certificate-required': (context) =>
		context.flags.cert === undefined && context.flags.pfx === undefined
			? [context.recheck({cert: 'client.crt', key: 'client.key'})]
			: inspectCertificate(context),
	'client-certificate-refused': (context) => [...inspectCertificate(context), ...openssl(context)],
	'protocol-mismatch': (context) => openssl(context, ' -tls1_2'),
	'not-tls': plainHttp,
	'proxy-unreachable': withoutProxy,
	'proxy-auth-required': withProxyLogin,
	'proxy-refused': withoutProxy,
	'proxy-timeout': withoutProxy,
	'proxy-bad-reply': withoutProxy,
	network: ({report, server}) =>
		report.steps.some(({id, state}) => id === 'address' && state === 'bad')
			? [`getent hosts ${quote(server.host)}`]
			: [`nc -vz ${quote(server.host)} ${server.port}`],
	timeout: ({recheck, server}) => [
		`nc -vz ${quote(server.host)} ${server.port}`,
		`${recheck()} --timeout 120`,
	],
};

// Security: the name comes from a server that was not verified, so it is quoted. A `*` is no host.
function withOtherName({report, recheck, server}: Context): string[] {
	const names = report.chain[0]?.altNames ?? [];
	const name = names.find((it) => it.startsWith('DNS:') && /^DNS:[\w.-]+$/.test(it));
	if (name === undefined) return [];
	const url = URL.parse(report.url);
	if (url === null) return [];
	url.hostname = shortName(name);
	return [recheck({}, url.href), `getent hosts ${quote(server.host)}`];
}

function inspectCas({flags: {ca = []}}: Context): string[] {
	const files = ca.filter((it) => !['default', 'system', 'bundled'].includes(it));
	return files.map((file) => `axios-mtls inspect ${quote(file)}`);
}

function fetchIssuer(context: Context): string[] {
	const uri = context.report.chain.at(-1)?.caIssuers[0];
	// Security: curl reads a word that begins with a dash as an option.
	if (uri === undefined || !/^https?:\/\//.test(uri)) return openssl(context);
	return [
		`curl --output issuer.crt ${quote(uri)}`,
		'axios-mtls inspect issuer.crt',
		withCa(context, 'issuer.crt'),
	];
}

// Security: without --proxy, which may hold a password.
function words({cert, key, pfx, passphraseFile, ca, pin, crl, spiffeId}: Flags): string {
	const pairs: [string, string | undefined][] = [
		['--cert', cert],
		['--key', key],
		['--pfx', pfx],
		['--passphrase-file', passphraseFile],
		...(ca ?? []).map((it): [string, string] => ['--ca', it]),
		...(pin ?? []).map((it): [string, string] => ['--pin', it]),
		...(crl ?? []).map((it): [string, string] => ['--crl', it]),
		['--spiffe-id', spiffeId],
	];
	return pairs
		.map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${quote(value)}`))
		.join('');
}
