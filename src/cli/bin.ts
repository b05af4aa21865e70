#!/usr/bin/env node
import './check-runtime.ts';
import pc from 'picocolors';
import {run} from './run.ts';
import {exitCodes} from './shared/exit-codes.ts';
import {programName} from './shared/program-name.ts';

const {stdout, stderr} = process;

// `| head -1` closes the pipe when it has read enough, which is no failure.
const outputClosed = new Promise<void>((resolve) => {
	const onError = (error: NodeJS.ErrnoException) => {
		if (error.code === 'EPIPE') return resolve();
		stderr.write(`axios-mtls: cannot write the output: ${error.code ?? error.message}\n`);
		process.exit(exitCodes.internal);
	};
	stdout.on('error', onError);
	stderr.on('error', onError);
});

process.exitCode = await run(process.argv.slice(2), {
	stdout,
	stderr,
	env: process.env,
	program: programName({script: process.argv[1], env: process.env, cwd: process.cwd()}),
	// picocolors also colours a pipe when CI or FORCE_COLOR is set.
	colors: stdout.isTTY === true && pc.isColorSupported,
	stopped: () =>
		Promise.race([
			outputClosed,
			new Promise<void>((resolve) => {
				// Once: a second Ctrl-C ends the process even when closing hangs.
				process.once('SIGINT', () => resolve());
				process.once('SIGTERM', () => resolve());
			}),
		]),
});
