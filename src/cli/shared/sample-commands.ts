import {join} from 'node:path';
import {type ClientFlags, type FlagName, flagOf, flagRows} from './flags.ts';
import type {Io} from './io.ts';

/** The files that `certs` makes and `serve` reads. */
export const fileNames = {
	ca: 'ca.crt',
	caKey: 'ca.key',
	server: 'server.crt',
	serverKey: 'server.key',
	client: 'client.crt',
	clientKey: 'client.key',
} as const;

/** The port of `serve` without `--port`. */
export const defaultPort = 8443;

/**
 * A command of this program for a POSIX shell, on one line: `npx axios-mtls check https://… --cert …`. It
 * can be pasted and run as it is, with the flags that the user gave; `foldCommand` breaks it into lines.
 *
 * Security: user and password in `--proxy` are replaced with the words USER and PASSWORD; a user alone may
 * be a token.
 *
 * @param program - That of {@link Io}.
 * @param words - The command and its arguments, not quoted.
 */
export function commandLine(
	{program}: Pick<Io, 'program'>,
	words: readonly string[],
	flags: ClientFlags = {},
): string {
	return [program, ...words.map(quote), ...flagWords(flags)].join(' ');
}

/** Flags as words of a shell, in the order of the table. */
function flagWords(flags: ClientFlags): string[] {
	return flagRows.flatMap(([name]) => {
		const given = flags[name];
		if (given === undefined || given === false) return [];
		if (given === true) return [flagOf(name)];
		const values = typeof given === 'string' ? [given] : given;
		const printed = name === 'proxy' ? values.map(withoutLogin) : values;
		return printed.flatMap((value) => [flagOf(name), quote(value)]);
	});
}

function withoutLogin(proxy: string): string {
	const hasScheme = proxy.includes('://');
	const url = URL.parse(hasScheme ? proxy : `http://${proxy}`);
	if (url === null) return 'http://proxy:3128';
	if (url.username) url.username = 'USER';
	if (url.password) url.password = 'PASSWORD';
	return url.href.replace(/\/$/, '').slice(hasScheme ? 0 : 'http://'.length);
}

/** The flags that `get` and `check` have, without some of them. */
export function withoutFlags(flags: ClientFlags, ...names: readonly FlagName[]): ClientFlags {
	return Object.fromEntries(
		Object.entries(flags).filter(([name]) => !names.includes(name as FlagName)),
	);
}

/** The flags of the client certificate. That of the proxy is not shown to the server. */
const identityFlags: readonly FlagName[] = [
	'cert',
	'key',
	'pfx',
	'passphraseFile',
	'alias',
	'allowExpired',
	'allowAnyPurpose',
	'origin',
	'requireClientAuth',
];

/**
 * Security: the flags for a command that connects to a party which the user did not name, or which trusts
 * what a server says of itself. They show it no client certificate.
 */
export function withoutIdentity(flags: ClientFlags): ClientFlags {
	return withoutFlags(flags, ...identityFlags);
}

/** Commands that send a request to `origin` with the files of `dir`. */
export function commandsToTry(io: Pick<Io, 'program'>, dir: string, origin: string): string[] {
	const {cert, key, ca} = clientFiles(dir);
	const url = `${origin}/whoami`;
	return [
		commandLine(io, ['get', url], {cert, key, ca: [ca]}),
		`curl ${url} --cert ${quote(cert)} --key ${quote(key)} --cacert ${quote(ca)}`,
	];
}

/** A login with curl, which follows the redirect and sends the cookie of the response. */
export function loginToTry(dir: string, origin: string): string {
	const {cert, key, ca} = clientFiles(dir);
	return (
		`curl ${origin}/login --cert ${quote(cert)} --key ${quote(key)} --cacert ${quote(ca)} ` +
		`--location --cookie '' --data 'user=${login.user}&password=${login.password}'`
	);
}

function clientFiles(dir: string) {
	return {
		cert: join(dir, fileNames.client),
		key: join(dir, fileNames.clientKey),
		ca: join(dir, fileNames.ca),
	};
}

/** The one user of the servers of `serve` and `demo`. */
export const login = {user: 'alice', password: 'wonderland'} as const;

/** One word for a POSIX shell. */
export function quote(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
