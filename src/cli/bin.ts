#!/usr/bin/env node
import pc from 'picocolors';
import {run} from './run.ts';
import {exitCodes} from './shared/exit-codes.ts';

const {stdout, stderr} = process;

// `| head -1` goes away when it has seen enough. That is no failure, and no reason for a stack trace.
const readerGone = new Promise<void>((resolve) => {
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
	// picocolors also colours a pipe when CI or FORCE_COLOR is set.
	colors: stdout.isTTY === true && pc.isColorSupported,
	stopped: () =>
		Promise.race([
			readerGone,
			new Promise<void>((resolve) => {
				// Once: a second Ctrl-C ends the process even where closing hangs.
				process.once('SIGINT', () => resolve());
				process.once('SIGTERM', () => resolve());
			}),
		]),
});
