import {readFileSync} from 'node:fs';
import type {ClientConfig, MtlsOptions} from '../../index.ts';
import type {GetArguments} from '../commands.ts';
import {UsageError} from './exit-codes.ts';
import {fileErrorCode} from './files.ts';
import type {Io} from './io.ts';

/** Options that say who we are and whom we believe. */
type IdentityArguments = Partial<
	Pick<GetArguments, 'cert' | 'key' | 'ca' | 'passphraseFile' | 'allowExpired'>
> & {
	readonly pfx?: string;
	readonly pin?: readonly string[];
	readonly crl?: readonly string[];
	readonly spiffeId?: string;
};

/** The URL of a `get`; over http only where no certificate is to be shown. */
export function parseUrl(text: string, withIdentity: boolean): URL {
	const url = URL.parse(text);
	if (url === null || !/^https?:$/.test(url.protocol)) {
		throw new UsageError('get', 'the URL must begin with https://');
	}
	if (withIdentity && url.protocol === 'http:') {
		throw new UsageError('get', 'a certificate cannot be shown over http://', 'use https://');
	}
	return url;
}

/** `--timeout` in milliseconds. */
export function parseDeadline(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const milliseconds = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0;
	// A timer above 2^31 - 1 ms fires at once.
	if (milliseconds < 1 || milliseconds > 2 ** 31 - 1) {
		throw new UsageError('--timeout', `'${text}' is not a number of seconds above 0`);
	}
	return milliseconds;
}

/** Who we are and whom we believe, as far as the options say. */
export function identityOf(options: IdentityArguments, io: Io): MtlsOptions {
	const {cert, key, pfx, ca, pin, crl, spiffeId, allowExpired} = options;
	const passphrase = passphraseOf(options, io);
	return {
		...(cert !== undefined && {cert}),
		...(key !== undefined && {key}),
		...(pfx !== undefined && {pfx}),
		...(ca !== undefined && {ca}),
		...(pin !== undefined && {pins: pin}),
		...(crl !== undefined && {crl}),
		...(spiffeId !== undefined && {spiffeId}),
		...(passphrase !== undefined && {passphrase}),
		...(allowExpired && {allowExpired}),
	};
}

/** The passphrase of a file, or of the environment. */
export function passphraseOf(
	{passphraseFile}: Pick<IdentityArguments, 'passphraseFile'>,
	io: Io,
): string | undefined {
	return passphraseFile === undefined
		? io.env.AXIOS_MTLS_PASSPHRASE
		: readPassphrase(passphraseFile);
}

// The first line without its end: an editor adds one, and a passphrase has none.
function readPassphrase(path: string): string {
	try {
		return readFileSync(path, 'utf8').split(/\r?\n/)[0] ?? '';
	} catch (error) {
		throw new UsageError('--passphrase-file', `cannot read '${path}': ${fileErrorCode(error)}`);
	}
}

/** `--proxy` as axios takes it. Security: the text may hold a password, so no message repeats it. */
export function parseProxy(text: string): NonNullable<ClientConfig['proxy']> {
	const url = URL.parse(text.includes('://') ? text : `http://${text}`);
	if (url === null || url.hostname === '') {
		throw new UsageError('--proxy', 'not a URL', 'expected http://[user:password@]host:port');
	}
	const {protocol, hostname, port, username, password} = url;
	return {
		protocol,
		host: hostname,
		port: Number(port) || (protocol === 'https:' ? 443 : 80),
		...((username || password) && {auth: {username: decode(username), password: decode(password)}}),
	};
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// A stray % is what it says.
		return text;
	}
}
