import {certs} from './certs.ts';
import {check} from './check/check.ts';
import type {Invocation} from './commands.ts';
import {parseArguments} from './commands.ts';
import {demo} from './demo/demo.ts';
import {get} from './get.ts';
import {inspect} from './inspect/inspect.ts';
import {serve} from './serve.ts';
import {type ExitCode, exitCodes} from './shared/exit-codes.ts';
import type {Io} from './shared/io.ts';
import {reportError} from './shared/report-error.ts';

/**
 * Runs a command line; prints every error and throws none.
 *
 * @param argv - Without the first two words of `process.argv`.
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
	let invocation: Invocation | undefined;
	try {
		invocation = parseArguments(argv, io.program);
		return await start(invocation, io);
	} catch (error) {
		return reportError(error, {what: argv[0] ?? '', ...flagsOf(invocation)}, io);
	}
}

function flagsOf(invocation: Invocation | undefined) {
	const hasFlags = invocation?.command === 'get' || invocation?.command === 'check';
	return hasFlags ? {flags: invocation} : {};
}

async function start(invocation: Invocation, io: Io): Promise<ExitCode> {
	switch (invocation.command) {
		case 'get':
			return get(invocation, io);
		case 'check':
			return check(invocation, io);
		case 'inspect':
			return inspect(invocation, io);
		case 'certs':
			return certs(invocation, io);
		case 'serve':
			return serve(invocation, io);
		case 'demo':
			return demo(io);
		case 'help':
			io.stdout.write(invocation.text);
			return exitCodes.answered;
	}
}
