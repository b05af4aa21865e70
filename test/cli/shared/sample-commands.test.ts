import {execFileSync} from 'node:child_process';
import {expect, test} from 'vitest';
import {parseArguments} from '../../../src/cli/commands.ts';
import type {ClientFlags} from '../../../src/cli/shared/flags.ts';
import {flagRows} from '../../../src/cli/shared/flags.ts';
import {
	commandLine,
	withoutFlags,
	withoutIdentity,
} from '../../../src/cli/shared/sample-commands.ts';

const io = {program: 'npx axios-mtls'};
const url = 'https://api.bank.example/';

/** The words that a shell reads, without the name of the program. */
function wordsOf(command: string): string[] {
	const text = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], {encoding: 'utf8'});
	return text.split('\0').slice(2, -1);
}

/** A value for each flag of the table. */
const every = Object.fromEntries(
	flagRows.map(([name, {argument, repeatable}]) => {
		if (argument === undefined) return [name, true];
		const values = [`my ${name}`, "-it's $HOME"];
		return [name, name === 'proxy' ? 'http://p:3128' : repeatable ? values : values[0]];
	}),
) as ClientFlags;

test.each(['get', 'check'] as const)(
	'a printed command of %s has each flag that was given, and can be pasted',
	(command) => {
		const line = commandLine(io, [command, url], every);
		expect(line).toMatch(new RegExp(`^npx axios-mtls ${command} ${url} `));
		expect(parseArguments(wordsOf(line))).toEqual({command, url, ...every});
	},
);

test('a printed command has no flag that was not given', () => {
	expect(commandLine(io, ['get', url])).toBe(`npx axios-mtls get ${url}`);
	expect(commandLine({program: 'axios-mtls'}, ['inspect', 'my file'], {key: 'k'})).toBe(
		"axios-mtls inspect 'my file' --key k",
	);
	expect(commandLine(io, ['get', url], {location: false})).toBe(`npx axios-mtls get ${url}`);
});

test.each([
	['http://user:top-secret@p:3128', 'http://USER:PASSWORD@p:3128'],
	['user:top-secret@p:3128', 'USER:PASSWORD@p:3128'],
	['socks5h://user:top-secret@p:1080', 'socks5h://USER:PASSWORD@p:1080'],
	['http://ghp_token@p:3128', 'http://USER@p:3128'],
	['socks5://:top-secret@p:1080', 'socks5://:PASSWORD@p:1080'],
	['p:3128', 'p:3128'],
])('the proxy %s stands in a printed command as %s', (proxy, printed) => {
	const line = commandLine(io, ['get', url], {proxy});
	expect(line).toBe(`npx axios-mtls get ${url} --proxy ${printed}`);
});

test('flags are left out of a command by their names', () => {
	const flags = {cert: 'c', key: 'k', ca: ['ca']};
	expect(withoutFlags(flags, 'cert', 'key')).toEqual({ca: ['ca']});
	expect(withoutFlags(flags)).toEqual(flags);
});

test('flags without the identity keep what decides about the server, and the proxy with its certificate', () => {
	const left = Object.keys(withoutIdentity(every));
	expect(flagRows.map(([name]) => name).filter((name) => !left.includes(name))).toEqual([
		'cert',
		'key',
		'pfx',
		'passphraseFile',
		'alias',
		'allowExpired',
		'allowAnyPurpose',
		'origin',
		'requireClientAuth',
	]);
	expect(withoutIdentity(every)).toMatchObject({proxyCert: every.proxyCert, ca: every.ca});
});
