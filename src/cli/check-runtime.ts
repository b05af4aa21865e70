// The first import of the command line, which shows the sentence without a stack.
import {unsupportedRuntime} from '../runtime/unsupported-runtime.ts';
import {exitCodes} from './shared/exit-codes.ts';

const problem = unsupportedRuntime(process.versions);
if (problem !== undefined) {
	process.stderr.write(`${problem}\n`);
	process.exit(exitCodes.internal);
}
