import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';

/**
 * A child process that answers one question at a time.
 *
 * @typedef {object} Child
 * @property {(question: object) => Promise<any>} ask
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a script of this folder, pinned to a core where there is one to pin to.
 *
 * @param {string} script
 * @param {{core?: number | undefined, nodeOptions?: string[], env?: Record<string, string>}} [options]
 * @returns {Child}
 */
export function startChild(script, {core, nodeOptions = [], env = {}} = {}) {
	const path = fileURLToPath(new URL(script, import.meta.url));
	const node = [process.execPath, ...nodeOptions, path];
	// Pinned before it starts, so that its garbage collector and compiler threads are pinned too.
	const [command, ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node];
	const child = spawn(command, args, {
		stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
		env: {...cleanEnvironment(), ...env},
	});
	const gone = once(child, 'exit').then(([code, signal]) => {
		throw new Error(`${script}: ended with ${signal ?? `code ${code}`} before it answered`);
	});
	gone.catch(() => {});

	return {
		async ask(question) {
			const answered = once(child, 'message');
			child.send(question);
			const [{result, error}] = await Promise.race([answered, gone]);
			if (error !== undefined) throw new Error(`${script}: ${error}`);
			return result;
		},
		async stop() {
			if (child.connected) child.disconnect();
			await gone.catch(() => {});
		},
	};
}

/**
 * The other end: answers every question of the parent, and ends with it.
 *
 * @param {(question: any) => unknown} answer
 */
export function answerParent(answer) {
	process.on('message', async (question) => {
		try {
			process.send?.({result: await answer(question)});
		} catch (error) {
			process.send?.({error: error instanceof Error ? error.stack : String(error)});
		}
	});
	process.on('disconnect', () => process.exit(0));
}

// A proxy, another trust store or Node options of the shell would be measured along.
function cleanEnvironment() {
	const foreign = /^(https?|no|all)_proxy$|^NODE_/i;
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
