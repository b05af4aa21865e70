/*
 * Run as a process, or a worker, of its own: makes the error that KIND names and lets nobody catch it. As
 * a child with IPC it sends the error first, warns of it and prints a report of it.
 */
import {secret, wrappedError} from './wrapped-errors.ts';

const [kind = '', how = ''] = process.argv.slice(2);
const error =
	how === 'twin'
		? Object.assign(new Error('twin', {cause: new Error(secret)}), {told: [secret]})
		: (await wrappedError(kind)).error;
if (process.send !== undefined) {
	process.send(error);
	process.emitWarning(error);
	process.report.excludeEnv = true;
	console.log(JSON.stringify(process.report.getReport(error)));
}
if (how === 'rejected') void Promise.reject(error);
else throw error;
