/*
 * The library names its options in code spans: `mtls.ca`, or with a value `mtls.maxVersion: 'TLSv1.2'`.
 * The command line prints the flags instead.
 */
import {type ClientFlags, clientFlags, flagOf, flagOfOption} from './flags.ts';
import {quote} from './sample-commands.ts';

/** Writes a sentence of the library with flags instead of options. */
export type OptionWriter = (sentence: string) => string;

/** Options that sentences name and that no flag sets, with the reason. */
export const optionsWithoutFlag: Readonly<Record<string, string>> = {
	mtls: 'the client of a command always has it',
	'mtls.allowRedirectsFrom': 'only for a list of several certificates; a command has one',
	'mtls.identity': 'a function',
	'mtls.reload': 'a command ends before a file changes',
	'mtls.secureContext': 'an object',
	'mtls.verify': 'a command prints why a server cannot be verified, and ends',
	'mtls.proxy.spiffeId': 'no option: a proxy is known by its host name',
	'mtls.proxy.requireClientAuth': 'no option: a proxy need not ask for a certificate',
	cookies: 'lists of domains, for a client of many servers',
	http2Options: 'an object',
	httpAgent: 'an object',
	httpsAgent: 'an object',
	session: 'a function logs in',
	'session.isExpired': 'a function',
	lookup: 'a function',
};

/** Parts of an option that one flag sets as a whole. */
const partsOf: Readonly<Record<string, string>> = {
	'proxy.auth': 'proxy',
	'proxy.host': 'proxy',
	'proxy.port': 'proxy',
	'proxy.protocol': 'proxy',
	'proxy.headers': 'proxy',
	'timeouts.connectMs': 'timeout',
	'timeouts.handshakeMs': 'timeout',
	'timeouts.firstByteMs': 'timeout',
	'timeouts.requestMs': 'timeout',
};

/** Makes a writer for a command line with these flags. */
export function optionWriter(given: ClientFlags = {}): OptionWriter {
	return (sentence) =>
		sentence
			.replace(/`(mtls(?:\.proxy)?)\.cert` (?:and|or) `\1\.key`/g, (both, owner: string) => {
				const isPfx = owner === 'mtls' ? given.pfx : given.proxyPfx;
				return isPfx === undefined ? both : `\`${owner}.pfx\``;
			})
			.replace(/with `httpVersion: 1`/g, 'without `--http2`')
			.replace(span, (whole, option: string, literal?: string) => {
				const words = inFlags(option, literal, given);
				return words === undefined ? whole : `\`${words}\``;
			})
			// Security: the certificate may come from an address that the unverified server names.
			.replace(
				/(add it to `--(?:proxy-)?ca`, beside its root, until it does)/,
				'$1 (compare its fingerprint by another way first)',
			);
}

/** A code span that is an option, with or without a value. */
const span = /`([a-zA-Z][\w]*(?:\.[a-zA-Z]\w*)*)(?:: ([^`]+))?`/g;

function inFlags(option: string, literal: string | undefined, given: ClientFlags) {
	const path = pathOf(option, given);
	const name = path === undefined ? undefined : flagOfOption(path);
	if (name === undefined) return undefined;
	const flag = flagOf(name);
	if (literal === undefined) return flag;
	const {argument, on = true} = clientFlags[name];
	if (argument === undefined) {
		return literal === String(on) ? flag : `no ${flag}`;
	}
	return `${flag} ${quote(literal.replace(/^'(.*)'$/, '$1'))}`;
}

/** The dotted path of an option that has a flag; the library leaves `mtls.` out where it is plain. */
function pathOf(option: string, given: ClientFlags): string | undefined {
	const path = [option, partsOf[option] ?? '', `mtls.${option}`].find(
		(each) => flagOfOption(each) !== undefined,
	);
	// The certificate and key of a PKCS#12 are faulted under the names of their own.
	if (given.pfx !== undefined && (path === 'mtls.cert' || path === 'mtls.key')) return 'mtls.pfx';
	const isProxyFile = path === 'mtls.proxy.cert' || path === 'mtls.proxy.key';
	return given.proxyPfx !== undefined && isProxyFile ? 'mtls.proxy.pfx' : path;
}

/**
 * The flag to repair for the option of an MtlsConfigError: `--cert`. Any other option is returned as it
 * is, such as HTTPS_PROXY.
 */
export function flagToRepair(option: string, given: ClientFlags = {}): string {
	if (option === 'mtls.passphrase' && given.passphraseFile === undefined) {
		return '--passphrase-file or AXIOS_MTLS_PASSPHRASE';
	}
	return inFlags(option, undefined, given) ?? option;
}
