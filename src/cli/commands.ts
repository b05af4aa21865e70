import {Command, CommanderError, Option} from 'commander';
import manifest from '../../package.json' with {type: 'json'};
import {closest} from '../util/check-options.ts';
import * as help from './help.ts';
import {positionalArguments} from './positional-args.ts';
import {UsageError} from './shared/exit-codes.ts';
import {type ClientFlags, type Flag, type FlagName, flagOf, flagRows} from './shared/flags.ts';
import {lineWidth} from './shared/wrap.ts';

export interface GetArguments extends ClientFlags {
	readonly command: 'get';
	readonly url: string;
}

export interface CheckArguments extends ClientFlags {
	readonly command: 'check';
	readonly url: string;
	readonly json?: boolean;
	readonly html?: string;
}

export interface InspectArguments {
	readonly command: 'inspect';
	readonly file: string;
	readonly key?: string;
	readonly passphraseFile?: string;
}

export interface CertsArguments {
	readonly command: 'certs';
	readonly dir: string;
	readonly force?: boolean;
}

export interface ServeArguments {
	readonly command: 'serve';
	readonly dir: string;
	readonly port: string;
}

/** A parsed command line. Its values are still text, which each command parses. */
export type Invocation =
	| GetArguments
	| CheckArguments
	| InspectArguments
	| CertsArguments
	| ServeArguments
	| {readonly command: 'demo'}
	| {readonly command: 'help'; readonly text: string};

/**
 * Reads a command line, without the first two words of `process.argv`.
 *
 * @param name - What starts this program, for the help.
 * @throws {UsageError} for a command, option or number of arguments that does not exist.
 */
export function parseArguments(argv: readonly string[], name = 'axios-mtls'): Invocation {
	let invocation: Invocation | undefined;
	let printed = '';
	const program = makeProgram(name, (parsed) => {
		invocation = parsed;
	});
	const names = commandNames(program);
	const words = argv.length === 0 ? ['--help'] : positionalArguments(argv, names, seeHelp(name));
	const [first, topic] = words;
	// commander would print the help of the program.
	if (first === 'help' && topic !== undefined && !names.includes(topic)) {
		throw noSuchCommand(topic, program);
	}
	for (const command of [program, ...program.commands]) {
		command.exitOverride().configureOutput({
			writeOut: (text) => {
				printed += text;
			},
			// The thrown error has the same message.
			writeErr: () => {},
			getOutHelpWidth: () => lineWidth,
			getOutHasColors: () => false,
		});
	}
	try {
		program.parse(words, {from: 'user'});
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		if (error.exitCode !== 0) throw usageError(error, words, program);
	}
	return invocation ?? {command: 'help', text: printed};
}

function makeProgram(name: string, onParsed: (invocation: Invocation) => void): Command {
	const examples = (text: string) => help.forProgram(text, name);
	const program = new Command(name)
		.usage('<command> [options]')
		.version(manifest.version, '-V, --version')
		.helpCommand(true)
		.addHelpText('before', examples(help.rootExamples))
		.addHelpText('after', helpBelow())
		// Without this action commander would print the help on stderr and fail.
		.argument('[command...]')
		.action(([word = '--']: string[]) => {
			throw noSuchCommand(word, program);
		});

	program
		.command('get')
		.summary('request a URL with a client certificate')
		.argument('<url>', 'https://host[:port]/path')
		.addHelpText('before', examples(help.getExamples))
		.addHelpText('after', helpBelow('get'))
		.action((url: string, options: ClientFlags) => onParsed({command: 'get', url, ...options}));

	program
		.command('check')
		.summary('make a handshake and report each step')
		.argument('<url>', 'https://host[:port]/path')
		.option('--json', 'print one JSON object, for machines')
		.option('--html <file>', 'write the report as a page, with drawings of the chain')
		.addHelpText('before', examples(help.checkExamples))
		.addHelpText('after', `${help.jsonHelp}\n${helpBelow('check')}`)
		.action((url: string, options: Omit<CheckArguments, 'command' | 'url'>) =>
			onParsed({command: 'check', url, ...options}),
		);

	for (const command of program.commands) {
		for (const [name, flag] of flagRows) command.addOption(toOption(name, flag));
	}

	program
		.command('inspect')
		.summary('show what is in a certificate, key, PKCS#12 or bundle')
		.argument('<file>', 'PEM, DER or PKCS#12')
		.option('--key <file>', 'does this key fit?')
		.option('--passphrase-file <file>', 'its first line opens the key or the PKCS#12')
		.addHelpText('before', examples(help.inspectExamples))
		.addHelpText('after', helpBelow('inspect'))
		.action((file: string, options: Omit<InspectArguments, 'command' | 'file'>) =>
			onParsed({command: 'inspect', file, ...options}),
		);

	program
		.command('certs')
		.summary('make a CA, a server and a client certificate')
		.argument('<dir>', 'created if it does not exist')
		.option('--force', 'overwrite')
		.addHelpText('before', examples(help.certsExamples))
		.addHelpText('after', helpBelow('certs'))
		.action((dir: string, options: {force?: boolean}) =>
			onParsed({command: 'certs', dir, ...options}),
		);

	program
		.command('serve')
		.summary('run a server that requires a client certificate')
		.argument('<dir>', 'where `axios-mtls certs` has put its files')
		.option('--port <number>', '0 for any free one', '8443')
		.addHelpText('before', examples(help.serveExamples))
		.addHelpText('after', helpBelow('serve'))
		.action((dir: string, options: {port: string}) =>
			onParsed({command: 'serve', dir, ...options}),
		);

	program
		.command('demo')
		.summary('run all of it in this process')
		.addHelpText('before', examples(help.demoExamples))
		.addHelpText('after', helpBelow('demo'))
		.action(() => onParsed({command: 'demo'}));

	return program;
}

const helpBelow = (...command: Parameters<typeof help.exitCodesHelp>) =>
	`${help.environmentHelp(...command)}\n${help.exitCodesHelp(...command)}`;

function seeHelp(name: string): string {
	return `\`${name} --help\` shows examples`;
}

function noSuchCommand(word: string, program: Command): UsageError {
	const near = closest(word, commandNames(program));
	return new UsageError(word, 'no such command', didYouMean(near) ?? seeHelp(program.name()));
}

function didYouMean(word: string | undefined): string | undefined {
	return word === undefined ? undefined : `did you mean ${word}?`;
}

const hints: readonly [RegExp, string][] = [
	[
		/^--?pass/,
		'other users can read a passphrase on the command line: use --passphrase-file, or AXIOS_MTLS_PASSPHRASE',
	],
	[
		/^(-k|--insecure|--no-check-certificate)$/,
		'there is no such switch: name the CA of the server with --ca',
	],
	[/^--proxy-insecure$/, 'there is no such switch: name the CA of the proxy with --proxy-ca'],
];

/** The flags of curl and wget that have another name here. */
const flagsOfOthers: Readonly<Record<string, string>> = {
	'--cacert': '--ca',
	'--capath': '--ca',
	'--ca-certificate': '--ca',
	'--ca-native': '--ca system',
	'--certificate': '--cert',
	'-E': '--cert',
	'--private-key': '--key',
	'--crlfile': '--crl',
	'--pinnedpubkey': '--pin',
	'--tlsv1.2': '--tls-min TLSv1.2',
	'--tlsv1.3': '--tls-min TLSv1.3',
	'--tls-max-version': '--tls-max',
	'--curves': '--ecdh-curve',
	'--proxy-cacert': '--proxy-ca',
	'-x': '--proxy',
	'--cookie-jar': '--jar',
	'-c': '--jar',
	'-b': '--jar',
	'--max-time': '--timeout',
	'-m': '--timeout',
};

function likelyFlag(option: string, flags: readonly string[]): string | undefined {
	const meant = Object.hasOwn(flagsOfOthers, option) ? flagsOfOthers[option] : undefined;
	const [flag = ''] = meant?.split(' ') ?? [];
	return flags.includes(flag) ? meant : closest(option, flags);
}

function usageError(
	{code, message}: CommanderError,
	words: readonly string[],
	program: Command,
): UsageError {
	// Security: commander quotes the value too, and `--passphrase=...` is a likely mistake.
	const why =
		message
			.replace(/^error: /, '')
			.replace(/=[^']*'/, "'")
			.split(/[\n:]/)[0] ?? '';
	const option = code === 'commander.unknownOption' ? /'(-[^']*)'/.exec(why)?.[1] : undefined;
	const [first = ''] = words;
	const hint =
		option === undefined
			? undefined
			: (hints.find(([pattern]) => pattern.test(option))?.[1] ??
				didYouMean(likelyFlag(option, flagsOf(program, first))));
	return new UsageError(first, why, hint ?? seeHelp(program.name()));
}

/** The long flags of a command. */
function flagsOf(program: Command, name: string): string[] {
	const command = program.commands.find((each) => each.name() === name) ?? program;
	return command.options.flatMap(({long}) => long ?? []);
}

function toOption(name: FlagName, {short, argument, help: text, group, repeatable}: Flag): Option {
	const flag = [short && `-${short}, `, flagOf(name), argument && ` ${argument}`].join('');
	const option = new Option(flag, text).helpGroup(group);
	return repeatable ? option.argParser(collect) : option;
}

function commandNames(program: Command): string[] {
	return program.commands.map((command) => command.name());
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
	return [...(earlier ?? []), value];
}
