import type {CheckArguments} from '../commands.ts';
import {shortName} from '../shared/format-certificate.ts';
import {quote} from '../shared/sample-commands.ts';
import type {CheckFailure, CheckReport} from './report.ts';
import {hostPort} from './steps.ts';
import type {HostPort} from './tcp-probe.ts';

type Flags = Pick<
	CheckArguments,
	'cert' | 'key' | 'pfx' | 'passphraseFile' | 'ca' | 'pin' | 'crl' | 'spiffeId'
>;

type Told = Omit<CheckReport, 'next'>;

/** What the makers of commands see. */
interface Case {
	readonly report: Told;
	readonly flags: Flags;
	readonly place: HostPort;
	/** `axios-mtls check` with the flags of before, some of them others. */
	again(changed?: Flags, url?: string): string;
}

/** Commands that bring the user on: after a failure to its cause, after an answer to the answer. */
export function nextCommands(report: Told, flags: Flags, place: HostPort): string[] {
	const again: Case['again'] = (changed = {}, url = report.url) =>
		`axios-mtls check ${quote(url)}${words({...flags, ...changed})}`;
	const it: Case = {report, flags, place, again};
	const kind = report.failure?.kind;
	if (kind === undefined) return well(it);
	return (byKind[kind] ?? openssl)(it);
}

function well({report: {url, clientCertificate}, flags, again}: Case): string[] {
	if (clientCertificate.ours === null && clientCertificate.requested) {
		return [again({cert: 'client.crt', key: 'client.key'})];
	}
	const {pfx, pin, crl, spiffeId, ...rest} = flags;
	// `get` has not these four.
	if (pfx ?? pin ?? crl ?? spiffeId) return [];
	return [`axios-mtls get ${quote(url)}${words(rest)}`];
}

const openssl = ({place: {host, port}}: Case, more = '') => [
	`openssl s_client -connect ${quote(hostPort(host, port))} -servername ${quote(host)} -showcerts${more} </dev/null`,
];

const inspectOurs = ({flags: {cert, key, pfx, passphraseFile}}: Case): string[] => {
	const file = pfx ?? cert;
	if (file === undefined) return [];
	const options = {
		...(pfx === undefined && key !== undefined && {key}),
		...(passphraseFile !== undefined && {passphraseFile}),
	};
	return [`axios-mtls inspect ${quote(file)}${words(options)}`];
};

const otherCa = (it: Case) => [it.again({ca: [...(it.flags.ca ?? ['default']), 'corp-ca.pem']})];
const plainHttp = ({report: {url}}: Case) => [
	`curl --head ${quote(url.replace(/^https:/, 'http:'))}`,
];
const proxyLogin = (it: Case) => [`${it.again()} --proxy http://USER:PASSWORD@proxy:3128`];
const proxyAsk = ({report: {url}}: Case) => [
	'env | grep -i _proxy',
	`NO_PROXY='*' axios-mtls check ${quote(url)}`,
];

const byKind: Readonly<Partial<Record<CheckFailure['kind'], (it: Case) => string[]>>> = {
	expired: (it) => ['date -u', ...openssl(it)],
	'not-yet-valid': (it) => ['date -u', ...openssl(it)],
	'wrong-name': (it) => withOtherName(it),
	'self-signed': otherCa,
	'untrusted-issuer': (it) => [...inspectCas(it), ...otherCa(it)],
	'missing-intermediate': (it) => fetchIssuer(it),
	// Not the pin that the server shows: to believe it is what pins are there to prevent.
	'pin-mismatch': (it) => openssl(it),
	'spiffe-mismatch': (it) => openssl(it),
	'client-certificate-required': (it) =>
		it.flags.cert === undefined && it.flags.pfx === undefined
			? [it.again({cert: 'client.crt', key: 'client.key'})]
			: inspectOurs(it),
	'client-certificate-refused': (it) => [...inspectOurs(it), ...openssl(it)],
	'protocol-mismatch': (it) => openssl(it, ' -tls1_2'),
	'not-tls': plainHttp,
	'proxy-unreachable': proxyAsk,
	'proxy-auth-required': proxyLogin,
	'proxy-refused': proxyAsk,
	'proxy-timeout': proxyAsk,
	'proxy-bad-reply': proxyAsk,
	network: ({report, place}) =>
		report.steps.some(({id, state}) => id === 'address' && state === 'bad')
			? [`getent hosts ${quote(place.host)}`]
			: [`nc -vz ${quote(place.host)} ${place.port}`],
	timeout: ({again, place}) => [
		`nc -vz ${quote(place.host)} ${place.port}`,
		`${again()} --timeout 120`,
	],
};

// Security: a name of the certificate is the stranger's word; it is quoted, and a `*` names no host.
function withOtherName({report, again, place}: Case): string[] {
	const names = report.chain[0]?.altNames ?? [];
	const name = names.find((it) => it.startsWith('DNS:') && /^DNS:[\w.-]+$/.test(it));
	if (name === undefined) return [];
	const url = URL.parse(report.url);
	if (url === null) return [];
	url.hostname = shortName(name);
	return [again({}, url.href), `getent hosts ${quote(place.host)}`];
}

function inspectCas({flags: {ca = []}}: Case): string[] {
	const files = ca.filter((it) => !['default', 'system', 'bundled'].includes(it));
	return files.map((file) => `axios-mtls inspect ${quote(file)}`);
}

function fetchIssuer(it: Case): string[] {
	const uri = it.report.chain.at(-1)?.caIssuers[0];
	// Security: curl reads a word that begins with a dash as an option.
	if (uri === undefined || !/^https?:\/\//.test(uri)) return openssl(it);
	return [
		`curl --output issuer.crt ${quote(uri)}`,
		'axios-mtls inspect issuer.crt',
		it.again({ca: [...(it.flags.ca ?? ['default']), 'issuer.crt']}),
	];
}

// --proxy is left out: it may hold a password.
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
