import {readFileSync} from 'node:fs';
import type {MtlsOptions} from '../../index.ts';
import {MAX_TIMER_MS} from '../../util/clock.ts';
import type {CheckArguments} from '../commands.ts';
import {UsageError} from './exit-codes.ts';
import {fileErrorCode} from './files.ts';
import type {Io} from './io.ts';

type MtlsArguments = Partial<
	Pick<
		CheckArguments,
		'cert' | 'key' | 'pfx' | 'passphraseFile' | 'allowExpired' | 'ca' | 'pin' | 'crl' | 'spiffeId'
	>
>;

/** The URL of `get`. It may be http without a client certificate. */
export function parseUrl(text: string, hasCertificate: boolean): URL {
	const url = URL.parse(text);
	if (url === null || !/^https?:$/.test(url.protocol)) {
		throw new UsageError('get', 'the URL must begin with https://');
	}
	if (hasCertificate && url.protocol === 'http:') {
		throw new UsageError('get', 'a certificate cannot be shown over http://', 'use https://');
	}
	return url;
}

/** `--timeout` in milliseconds. */
export function parseTimeout(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const milliseconds = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0;
	if (milliseconds < 1 || milliseconds > MAX_TIMER_MS) {
		throw new UsageError('--timeout', `'${text}' is not a number of seconds above 0`);
	}
	return milliseconds;
}

/** The `mtls` option that the command line stands for. */
export function readMtlsOptions(options: MtlsArguments, io: Io): MtlsOptions {
	const {cert, key, pfx, ca, pin, crl, spiffeId, allowExpired} = options;
	const passphrase = findPassphrase(options, io);
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

/** The passphrase of `--passphrase-file`, or of the environment. */
export function findPassphrase(
	{passphraseFile}: Pick<MtlsArguments, 'passphraseFile'>,
	io: Io,
): string | undefined {
	return passphraseFile === undefined
		? io.env.AXIOS_MTLS_PASSPHRASE
		: readPassphrase(passphraseFile);
}

// The first line without its line end, which an editor adds.
function readPassphrase(path: string): string {
	try {
		return readFileSync(path, 'utf8').split(/\r?\n/)[0] ?? '';
	} catch (error) {
		throw new UsageError('--passphrase-file', `cannot read '${path}': ${fileErrorCode(error)}`);
	}
}

/** `--proxy` as a client takes it. Security: the text may hold a password, so no message repeats it. */
export function parseProxy(text: string): string {
	if (URL.canParse(text.includes('://') ? text : `http://${text}`)) return text;
	throw new UsageError('--proxy', 'not a URL', 'expected http://[user:password@]host:port');
}
