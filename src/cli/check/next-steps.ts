import {isIP} from 'node:net';
import {authorityOf} from '../../util/url.ts';
import type {ClientFlags, FlagName} from '../shared/flags.ts';
import {shortName} from '../shared/format-certificate.ts';
import type {Io} from '../shared/io.ts';
import {commandLine, quote, withoutFlags, withoutIdentity} from '../shared/sample-commands.ts';
import type {CheckFailure, CheckReport, StepId} from './report.ts';
import type {ProxyFacts} from './requests.ts';
import type {SpokenProtocol} from './spoken-protocol.ts';
import type {HostPort} from './tcp-probe.ts';

/** What the commands are made from. */
export interface NextInput {
	readonly report: Omit<CheckReport, 'next'>;
	/** Made by `commandUrl`. */
	readonly url: string;
	/** Those that the user gave. */
	readonly flags: ClientFlags;
	readonly server: HostPort;
	readonly proxy: ProxyFacts | undefined;
	/** What the port speaks, where that is not TLS. */
	readonly spoken: SpokenProtocol | undefined;
	readonly program: Io['program'];
}

interface Context extends NextInput {
	/** The same check with some flags changed. */
	recheck(changed?: ClientFlags, url?: string): string;
	/**
	 * The same check with some flags changed, and without the client certificate.
	 *
	 * Security: for what an unverified server names or asks for, which may be an attacker.
	 */
	recheckUnidentified(changed: ClientFlags): string;
	/** The same check without some flags. */
	recheckWithout(...names: readonly FlagName[]): string;
}

/**
 * Commands to try next, for a POSIX shell, each on one line: they test what is in doubt after a failure, or
 * continue after a success. All have the flags that the user gave. What is to be done before the next
 * command is a comment of the shell.
 */
export function nextCommands(input: NextInput): string[] {
	const {report, flags} = input;
	const check = (given: ClientFlags, url = input.url) => commandLine(input, ['check', url], given);
	const context: Context = {
		...input,
		recheck: (changed, url) => check({...flags, ...changed}, url),
		recheckUnidentified: (changed) => check({...withoutIdentity(flags), ...changed}),
		recheckWithout: (...names) => check(withoutFlags(flags, ...names)),
	};
	const kind = report.failure?.kind;
	if (kind === undefined) return afterSuccess(context);
	return (byKind[kind] ?? openssl)(context);
}

/** Names of files that the user has to replace. */
const theirs = {cert: 'YOUR-CERTIFICATE.pem', key: 'YOUR-KEY.pem'};

const get = (context: Context) => commandLine(context, ['get', context.url], context.flags);

function afterSuccess(context: Context): string[] {
	const {ours, requested} = context.report.clientCertificate;
	return ours === null && requested ? [context.recheck(theirs)] : [get(context)];
}

/** `openssl s_client` to the server; none where it cannot go the same way. */
function client({server: {host, port}, proxy}: Context, more = ''): string[] {
	const at = quote(authorityOf(host, port));
	const name = isIP(host) ? '' : ` -servername ${quote(host)}`;
	// It knows no other proxies.
	if (proxy !== undefined && proxy.scheme !== 'http') return [];
	const way = proxy === undefined ? '' : ` -proxy ${quote(authorityOf(proxy.host, proxy.port))}`;
	return [`openssl s_client -connect ${at}${name}${way}${more} </dev/null`];
}

const openssl = (context: Context) => client(context, ' -showcerts');

const savedChain = 'server-chain.pem';

/** Saves what the server presents, and prints its fingerprints, which are to be compared by another way. */
function saveChain(context: Context): string[] {
	const pem = `sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' >${savedChain}`;
	const save = client(context, ' -showcerts').map((command) => `${command} 2>/dev/null | ${pem}`);
	return save.length === 0 ? [] : [...save, commandLine(context, ['inspect', savedChain])];
}

function inspectCertificate(context: Context): string[] {
	const {cert, key, pfx, passphraseFile} = context.flags;
	const file = pfx ?? cert;
	if (file === undefined) return [];
	const flags = {
		...(pfx === undefined && key !== undefined && {key}),
		...(passphraseFile !== undefined && {passphraseFile}),
	};
	return [commandLine(context, ['inspect', file], flags)];
}

// A comment is not folded, so it has to fit one line.
const compareFirst = '# go on only if its SHA-256 is the one that its operator tells you';

const trusting = ({flags, recheckUnidentified}: Context, ca: string) => [
	compareFirst,
	recheckUnidentified({ca: [...(flags.ca ?? ['default']), ca]}),
];

function inspectCas(context: Context): string[] {
	const files = (context.flags.ca ?? []).filter(
		(it) => !['default', 'system', 'bundled'].includes(it),
	);
	return files.map((file) => commandLine(context, ['inspect', file]));
}

// Security: the name comes from a server that was not verified; only a host name is printed. A `*` is none.
function withOtherName({report, recheckUnidentified, server}: Context): string[] {
	const names = report.chain[0]?.altNames ?? [];
	const name = names.find((it) => /^DNS:[\w.-]+$/.test(it));
	if (name === undefined) return [];
	return [
		'# go on only if its operator tells you this name, too',
		recheckUnidentified({servername: shortName(name)}),
		...(isIP(server.host) ? [] : [`getent hosts ${quote(server.host)}`]),
	];
}

function fetchIssuer(context: Context): string[] {
	const uri = context.report.chain.at(-1)?.caIssuers[0];
	// Security: curl reads a word that begins with a dash as an option.
	if (uri === undefined || !/^https?:\/\//.test(uri)) return openssl(context);
	return [
		`curl --output issuer.crt ${quote(uri)}`,
		commandLine(context, ['inspect', 'issuer.crt']),
		...trusting(context, 'issuer.crt'),
	];
}

const wantsTls12 = ({report: {failure}}: Context) => /--tls-max TLSv1\.2/.test(failure?.hint ?? '');

function refusedCertificate(context: Context): string[] {
	const {clientCertificate} = context.report;
	if (clientCertificate.ours === null) return [context.recheck(theirs)];
	// For a server that asks after the handshake, which TLS 1.3 of Node does not answer.
	if (wantsTls12(context)) return [context.recheck({tlsMax: 'TLSv1.2'})];
	// It prints the CAs that the server accepts, also those of TLS 1.3.
	const cas = clientCertificate.acceptedIssuers === null ? client(context) : [];
	return [...inspectCertificate(context), ...cas];
}

function refusedByStatus(context: Context): string[] {
	const {ours, requested} = context.report.clientCertificate;
	if (ours === null && requested) return [context.recheck(theirs)];
	// The page may say why.
	return [get(context), ...inspectCertificate(context)];
}

/** Node's OpenSSL accepts these two only at security level 0. */
const oldVersions = {tlsMin: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0'};

function otherVersions(context: Context): string[] {
	const {flags, recheck, recheckUnidentified, recheckWithout} = context;
	if (flags.http2) return [recheckWithout('http2')];
	if (flags.tlsMin ?? flags.tlsMax) return [recheckWithout('tlsMin', 'tlsMax')];
	// Security: an attacker on the way can make this failure, to be met with weaker TLS.
	return wantsTls12(context) ? [recheck({tlsMax: 'TLSv1.2'})] : [recheckUnidentified(oldVersions)];
}

function otherCiphers({flags, recheckUnidentified, recheckWithout}: Context): string[] {
	if (flags.ciphers !== undefined) return [recheckWithout('ciphers')];
	// Anonymous ones have no certificate by which the server could be verified.
	return [recheckUnidentified({ciphers: 'ALL:!aNULL:@SECLEVEL=0'})];
}

function otherProtocol(context: Context): string[] {
	const {spoken, url} = context;
	if (spoken?.startTls !== undefined) return client(context, ` -starttls ${spoken.startTls}`);
	const isHttp = spoken === undefined || spoken.name === 'plain HTTP';
	return isHttp ? [`curl --head ${quote(url.replace(/^https:/, 'http:'))}`] : [];
}

function afterReset(context: Context): string[] {
	const {flags, recheck} = context;
	return [
		...(flags.tlsMax === undefined ? [recheck({tlsMax: 'TLSv1.2'})] : []),
		...client(context),
	];
}

function withoutProxy({flags, recheckWithout}: Context): string[] {
	const direct = `NO_PROXY='*' ${recheckWithout('proxy')}`;
	return flags.proxy === undefined ? ['env | grep -i _proxy', direct] : [direct];
}

function withProxyLogin({proxy, recheck}: Context): string[] {
	if (proxy === undefined) return [];
	return [
		recheck({proxy: `${proxy.scheme}://USER:PASSWORD@${authorityOf(proxy.host, proxy.port)}`}),
	];
}

function afterBadReply(context: Context): string[] {
	const {proxy, recheck} = context;
	if (proxy?.scheme !== 'http') return withoutProxy(context);
	// A proxy that is reached over TLS takes CONNECT for a broken handshake.
	const secure = `https://${authorityOf(proxy.host, proxy.port)}`;
	return [recheck({proxy: secure}), ...withoutProxy(context)];
}

const isBad = ({report}: Context, wanted: StepId) =>
	report.steps.some(({id, state}) => id === wanted && state === 'bad');

const isLoopback = (host: string) => /^(localhost|127\..*|::1)$/.test(host);

function afterNetworkError(context: Context): string[] {
	const {server, report, recheck} = context;
	// Which DNS servers this machine asks.
	if (isBad(context, 'address')) return ['cat /etc/resolv.conf'];
	if (/ECONNREFUSED/.test(report.summary)) {
		// Which ports are open instead.
		if (isLoopback(server.host)) return ['ss -ltn'];
		return server.port === 443 ? [] : [recheck({}, withoutPort(context.url))];
	}
	return isBad(context, 'connection') ? [`ping -c 3 ${quote(server.host)}`] : client(context);
}

function withoutPort(text: string): string {
	const url = new URL(text);
	url.port = '';
	return url.href;
}

/** Four times the default. */
const longTimeout = '120';

function afterTimeout(context: Context): string[] {
	if (isBad(context, 'address')) return ['cat /etc/resolv.conf'];
	if (isBad(context, 'connection')) return [`ping -c 3 ${quote(context.server.host)}`];
	if (isBad(context, 'tunnel')) return withoutProxy(context);
	const longer = context.recheck({timeout: longTimeout});
	// Its ClientHello fits in one packet.
	return isBad(context, 'protocol')
		? [...client(context, ' -groups X25519:P-256'), longer]
		: [longer];
}

const byKind: Readonly<Partial<Record<CheckFailure['kind'], (context: Context) => string[]>>> = {
	expired: (context) => ['date -u', ...openssl(context)],
	'not-yet-valid': (context) => ['date -u', ...openssl(context)],
	'wrong-name': withOtherName,
	'self-signed': (context) => [...saveChain(context), ...trusting(context, savedChain)],
	'untrusted-issuer': (context) => [...inspectCas(context), ...saveChain(context)],
	'missing-intermediate': fetchIssuer,
	// Never suggests the server's own pin: a pin must not come from the server that it checks.
	'pin-mismatch': openssl,
	'spiffe-mismatch': openssl,
	'client-auth-not-requested': ({recheckWithout}) => [recheckWithout('requireClientAuth')],
	'client-certificate-required': refusedCertificate,
	'client-certificate-refused': refusedCertificate,
	'http-refusal': refusedByStatus,
	'protocol-mismatch': otherVersions,
	'cipher-mismatch': otherCiphers,
	'legacy-renegotiation': (context) => client(context, ' -legacy_server_connect'),
	'not-tls': otherProtocol,
	reset: afterReset,
	'proxy-unreachable': withoutProxy,
	'proxy-auth-required': withProxyLogin,
	'proxy-refused': withoutProxy,
	'proxy-timeout': withoutProxy,
	'proxy-bad-reply': afterBadReply,
	network: afterNetworkError,
	timeout: afterTimeout,
};
