import {readFileSync} from 'node:fs';
import {Command, CommanderError} from 'commander';
import * as help from './help.ts';
import {legacyArguments} from './legacy.ts';
import {UsageError} from './usage-error.ts';

export interface GetArguments {
	readonly command: 'get';
	readonly url: string;
	readonly cert?: string;
	readonly key?: string;
	readonly ca?: readonly string[];
	readonly passphraseFile?: string;
	readonly jar?: string;
	readonly location?: boolean;
	readonly proxy?: string;
	readonly timeout?: string;
	readonly allowExpired?: boolean;
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

/** What a command line asks for. The values are still text: each command reads its own. */
export type Invocation =
	| GetArguments
	| CertsArguments
	| ServeArguments
	| {readonly command: 'demo'}
	| {readonly command: 'help'; readonly text: string};

/**
 * Reads a command line, without the first two words of `process.argv`.
 *
 * @throws {UsageError} for a command, option or number of arguments that does not exist.
 */
export function parseArguments(argv: readonly string[]): Invocation {
	let invocation: Invocation | undefined;
	let printed = '';
	const program = makeProgram((parsed) => {
		invocation = parsed;
	});
	const words = argv.length === 0 ? ['--help'] : legacyArguments(argv, commandNames(program));
	for (const command of [program, ...program.commands]) {
		command.exitOverride().configureOutput({
			writeOut: (text) => {
				printed += text;
			},
			// The error that is thrown says the same.
			writeErr: () => {},
			getOutHelpWidth: () => 88,
			getOutHasColors: () => false,
		});
	}
	try {
		program.parse(words, {from: 'user'});
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		if (error.exitCode !== 0) throw usageError(error, words);
	}
	return invocation ?? {command: 'help', text: printed};
}

function makeProgram(found: (invocation: Invocation) => void): Command {
	const program = new Command('axios-mtls')
		.usage('<command> [options]')
		.version(packageVersion(), '-V, --version')
		.helpCommand(true)
		.addHelpText('before', help.rootExamples)
		.addHelpText('after', `${help.environmentHelp}\n${help.exitCodesHelp}`)
		// Without an action of its own commander would print the help on stderr and fail.
		.argument('[command...]')
		.action(([word = '--']: string[]) => {
			throw new UsageError(word, 'no such command', seeHelp);
		});

	program
		.command('get')
		.summary('ask a URL with a client certificate')
		.argument('<url>', 'https://host[:port]/path')
		.option('--cert <file>', 'our certificate with its intermediates, PEM')
		.option('--key <file>', 'its private key, PEM')
		.option('--ca <file>', 'whom to trust, PEM; also default, system, bundled; repeatable', collect)
		.option('--passphrase-file <file>', 'its first line opens the key')
		.option('--allow-expired', 'show our certificate even when its time is over')
		.option('--jar <file>', 'keep cookies in this file between runs')
		.option('-L, --location', 'follow redirects')
		.option('--proxy <url>', 'http://[user:password@]host:port')
		.option('--timeout <seconds>', 'for the whole of it')
		.addHelpText('before', help.getExamples)
		.addHelpText('after', `${help.environmentHelp}\n${help.exitCodesHelp}`)
		.action((url: string, options: Omit<GetArguments, 'command' | 'url'>) =>
			found({command: 'get', url, ...options}),
		);

	program
		.command('certs')
		.summary('make a CA, a server and a client certificate')
		.argument('<dir>', 'made when it is not there')
		.option('--force', 'overwrite')
		.addHelpText('before', help.certsExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action((dir: string, options: {force?: boolean}) =>
			found({command: 'certs', dir, ...options}),
		);

	program
		.command('serve')
		.summary('run a server that insists on a client certificate')
		.argument('<dir>', 'where `axios-mtls certs` has put its files')
		.option('--port <number>', '0 for any free one', '8443')
		.addHelpText('before', help.serveExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action((dir: string, options: {port: string}) => found({command: 'serve', dir, ...options}));

	program
		.command('demo')
		.summary('see it all at work, in this process')
		.addHelpText('before', help.demoExamples)
		.addHelpText('after', help.exitCodesHelp)
		.action(() => found({command: 'demo'}));

	return program;
}

const seeHelp = '`axios-mtls --help` shows examples';

const hints: readonly [RegExp, string][] = [
	[
		/^--?pass/,
		'a passphrase on the command line can be read by others: use --passphrase-file, or AXIOS_MTLS_PASSPHRASE',
	],
	[/^(-k|--insecure)$/, 'there is no such switch: name the CA of the server with --ca'],
];

function usageError({code, message}: CommanderError, words: readonly string[]): UsageError {
	// Security: commander repeats the value too, and `--passphrase=...` is a likely mistake.
	const why =
		message
			.replace(/^error: /, '')
			.replace(/=[^']*'/, "'")
			.split(/[\n:]/)[0] ?? '';
	const option = /'(-[^']*)'/.exec(why)?.[1];
	const hint =
		code === 'commander.unknownOption' && hints.find(([it]) => it.test(option ?? ''))?.[1];
	return new UsageError(words[0] ?? '', why, hint || seeHelp);
}

function commandNames(program: Command): string[] {
	return program.commands.map((command) => command.name());
}

function collect(value: string, earlier: readonly string[] = []): string[] {
	return [...earlier, value];
}

// The same place seen from src/cli and from dist/cli.
function packageVersion(): string {
	const {version}: {version: string} = JSON.parse(
		readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
	);
	return version;
}
