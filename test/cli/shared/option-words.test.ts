import {globSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';
import type {ClientFlags} from '../../../src/cli/shared/flags.ts';
import {
	flagToRepair,
	optionsWithoutFlag,
	optionWriter,
} from '../../../src/cli/shared/option-words.ts';

const src = fileURLToPath(new URL('../../../src/', import.meta.url));

/** First words of the paths of options. */
const optionNames =
	/^(mtls|proxy|jar|cookies|session|timeouts|timeout|allowInsecureRedirects|httpVersion|http2Options|httpAgent|httpsAgent|maxRedirects|lookup)\b/;

/** Each code span of the sentences in the sources of the library that is an option. */
function optionSpans(): Map<string, string> {
	const spans = new Map<string, string>();
	const rooms = '{failures,tls,connection,exchange,request,cookies,login,logging,util,client}';
	for (const path of globSync(`${rooms}/**/*.ts`, {cwd: src})) {
		const code = readFileSync(src + path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
		// In a template a backtick is escaped; between quotes it is not.
		const inTemplates = [...code.matchAll(/\\`((?:[^`\\]|\$\{[^}]*\})+)\\`/g)];
		const inQuotes = [...code.matchAll(/(['"])(?:(?!\1)[^\n\\])*\1/g)].flatMap(([text]) => [
			...text.matchAll(/`([^`]+)`/g),
		]);
		for (const [, span = ''] of [...inTemplates, ...inQuotes]) {
			for (const mtls of ['mtls', 'mtls.proxy']) {
				const written = span
					.replace(/\$\{(?:\w+\.)*mtls\}/g, mtls)
					.replace(/\$\{[\w.]+\}/g, '0')
					// A command has no list of several certificates.
					.replace(/^mtls\[0\]/, 'mtls');
				if (optionNames.test(written)) spans.set(written, path);
			}
		}
	}
	return spans;
}

test('each option that a sentence of the library names has a flag, or a reason why not', () => {
	const spans = optionSpans();
	expect(spans.size).toBeGreaterThan(25);
	const write = optionWriter();
	const unsolved = [...spans].filter(([span]) => {
		const path = span.split(':')[0] ?? '';
		const [whole = ''] = path.split('.');
		const reason =
			optionsWithoutFlag[path] ??
			optionsWithoutFlag[path.replace('mtls.proxy.', 'mtls.')] ??
			(whole === 'mtls' ? undefined : optionsWithoutFlag[whole]);
		return reason === undefined && !write(`\`${span}\``).includes('--');
	});
	expect(unsolved).toEqual([]);
});

test('no option has both a flag and a reason why it has none', () => {
	const write = optionWriter();
	for (const [option, reason] of Object.entries(optionsWithoutFlag)) {
		expect(write(`\`${option}\``)).toBe(`\`${option}\``);
		expect(reason).not.toBe('');
	}
});

const sentences: readonly (readonly [given: ClientFlags, library: string, shell: string])[] = [
	[{}, 'give it as `mtls.ca`', 'give it as `--ca`'],
	[{}, "set `mtls.maxVersion: 'TLSv1.2'`", 'set `--tls-max TLSv1.2`'],
	[
		{},
		"`mtls.ciphers: 'DEFAULT@SECLEVEL=0'` lowers it",
		'`--ciphers DEFAULT@SECLEVEL=0` lowers it',
	],
	[{}, "`mtls.ciphers: 'A B'`", "`--ciphers 'A B'`"],
	[{}, 'set `allowInsecureRedirects: true`', 'set `--insecure-redirects`'],
	[{}, '`allowExpired: true` sends it', '`--allow-expired` sends it'],
	[{}, '`mtls.allowExpired: true` sends it', '`--allow-expired` sends it'],
	[{}, 'send the request with `httpVersion: 2`', 'send the request with `--http2`'],
	[{}, 'send the request with `httpVersion: 1`', 'send the request without `--http2`'],
	[{}, 'add it to `mtls.proxy.ca`', 'add it to `--proxy-ca`'],
	[{}, 'add B to `mtls.origins`', 'add B to `--origin`'],
	[{}, 'add `mtls.origins`', 'add `--origin`'],
	[{}, '`mtls.cert` and `mtls.key`', '`--cert` and `--key`'],
	[{pfx: 'a'}, 'as `mtls.cert` and `mtls.key`', 'as `--pfx`'],
	[{pfx: 'a'}, 'no `mtls.cert` is set', 'no `--pfx` is set'],
	[{pfx: 'a'}, 'as `mtls.proxy.cert` and `mtls.proxy.key`', 'as `--proxy-cert` and `--proxy-key`'],
	[{proxyPfx: 'a'}, 'as `mtls.proxy.cert` and `mtls.proxy.key`', 'as `--proxy-pfx`'],
	[{proxyPfx: 'a'}, '`mtls.cert` and `mtls.key`', '`--cert` and `--key`'],
	// Not options.
	[{}, '`openssl s_client -connect a:1`', '`openssl s_client -connect a:1`'],
	[{}, '`Location`', '`Location`'],
	[{}, "`mtls.verify: 'report'`", "`mtls.verify: 'report'`"],
	[{}, 'the key mtls.ca', 'the key mtls.ca'],
	// A proxy of the command line, and one of the environment.
	[{proxy: 'p'}, 'check the host and port in `proxy`', 'check the host and port in `--proxy`'],
	[{proxy: 'p'}, "leave `proxy` out for 'a'", "leave `--proxy` out for 'a'"],
	[{proxy: 'p'}, 'put it into `proxy.auth`', 'put it into `--proxy`'],
	[{}, 'put it into the URL of HTTPS_PROXY', 'put it into the URL of HTTPS_PROXY'],
	[{}, "add 'a' to NO_PROXY", "add 'a' to NO_PROXY"],
];

describe('a sentence of the library', () => {
	test.each(sentences)('with %o: %s', (given, library, shell) => {
		expect(optionWriter(given)(library)).toBe(shell);
	});
});

test.each([
	['mtls.cert', {}, '--cert'],
	['mtls.cert', {pfx: 'a'}, '--pfx'],
	['mtls.proxy.cert', {pfx: 'a'}, '--proxy-cert'],
	['mtls.pins', {}, '--pin'],
	['mtls.passphrase', {}, '--passphrase-file or AXIOS_MTLS_PASSPHRASE'],
	['mtls.passphrase', {passphraseFile: 'a'}, '--passphrase-file'],
	['mtls.proxy.passphrase', {}, '--proxy-passphrase-file'],
	['jar', {}, '--jar'],
	['proxy.protocol', {}, '--proxy'],
	['HTTPS_PROXY', {}, 'HTTPS_PROXY'],
	['mtls.identity', {}, 'mtls.identity'],
] as const)('the fault of %s with the flags %o is repaired by %s', (option, given, flag) => {
	expect(flagToRepair(option, given)).toBe(flag);
});
