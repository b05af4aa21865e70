import {readFileSync, statSync} from 'node:fs';
import type {ClientConfig, MtlsOptions} from '../../index.ts';
import {MAX_TIMER_MS} from '../../util/clock.ts';
import {UsageError} from './exit-codes.ts';
import {readPassphrase} from './flag-values.ts';
import {type ClientFlags, type Flag, flagOf, flagRows} from './flags.ts';
import type {Io} from './io.ts';

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

/** The options of a client that flags stand for, besides those that the command itself reads. */
export type FlaggedOptions = Pick<
	ClientConfig,
	'proxy' | 'httpVersion' | 'allowInsecureRedirects'
> & {mtls: MtlsOptions};

/**
 * The options of a client that the command line stands for. The passphrase is that of
 * `--passphrase-file`, else of the environment.
 *
 * @throws {UsageError} for a value that cannot be read.
 */
export function readClientOptions(flags: ClientFlags, io: Io): FlaggedOptions {
	const passphrase = io.env.AXIOS_MTLS_PASSPHRASE;
	const options: Tree = {mtls: passphrase === undefined ? {} : {passphrase}};
	for (const [name, flag] of flagRows) {
		const given = flags[name];
		if (given === undefined || flag.ownUse) continue;
		set(options, flag.option, optionValue(flag, given, flagOf(name)));
	}
	// The table says which options there are; a value of the wrong type is refused by the library.
	return options as unknown as FlaggedOptions;
}

type Given = Exclude<ClientFlags[keyof ClientFlags], undefined>;

function optionValue(row: Flag, given: Given, flag: string): unknown {
	const {on = true, repeatable} = row;
	if (given === true || given === false) return given && on;
	if (typeof given === 'string') return textValue(row, given, flag);
	const values = given.map((text) => textValue(row, text, flag));
	// One alone is no list, so no message speaks of its place in one.
	return values.length === 1 && repeatable === 'one-or-list' ? values[0] : values;
}

function textValue({read, argument}: Flag, text: string, flag: string): unknown {
	if (read !== undefined) return read(text, flag);
	return argument === '<file>' ? contentOfPipe(text) : text;
}

// A pipe, such as `<(vault read …)` of bash, can be read once, and a command reads its files several times.
function contentOfPipe(path: string): string | Buffer {
	try {
		return statSync(path).isFIFO() ? readFileSync(path) : path;
	} catch {
		// The library says what is wrong with the file.
		return path;
	}
}

interface Tree {
	[name: string]: unknown;
}

/** Sets `mtls.proxy.ca` of `options`. */
function set(options: Tree, path: string, value: unknown): void {
	const names = path.split('.');
	const last = names.pop() ?? '';
	let tree = options;
	for (const name of names) {
		tree[name] ??= {};
		tree = tree[name] as Tree;
	}
	tree[last] = value;
}

/** The passphrase of `--passphrase-file`, or of the environment. */
export function findPassphrase(
	{passphraseFile}: Pick<ClientFlags, 'passphraseFile'>,
	io: Io,
): string | undefined {
	return passphraseFile === undefined
		? io.env.AXIOS_MTLS_PASSPHRASE
		: readPassphrase(passphraseFile, '--passphrase-file');
}
