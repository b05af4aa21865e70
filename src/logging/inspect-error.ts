/*
 * What `console.error(error)` and `util.inspect` print of an error: at most 25 lines, the app's own line
 * first among the frames, and no secret.
 */
import {type InspectOptions, type InspectOptionsStylized, inspect} from 'node:util';
import type {MtlsFailure} from '../facts.ts';
import {isError} from '../util/is-error.ts';
import {failureLines, oneLine} from './failure-lines.ts';

/** The part of an error that may be printed besides its name, message and stack. */
interface Printable {
	readonly failure: MtlsFailure | undefined;
	/** Other fields. */
	readonly facts: Readonly<Record<string, unknown>>;
	readonly stack: unknown;
}

/** Makes the text as `inspect.custom` does: with the depth that is left. */
export function inspectError(
	error: Error & {readonly summary?: string; readonly code?: unknown},
	{failure, facts, stack}: Printable,
	depth: number,
	options: InspectOptionsStylized,
): string {
	const {name, code} = error;
	const message = textOf(error.message);
	const {summary = message} = error;
	if (depth < 0) return options.stylize(`[${name}: ${oneLine(summary)}]`, 'special');
	const frames = shortFrames(stack);
	if (failure === undefined) {
		const head = [`${name}: ${message.trimEnd()}`, ...frames].join('\n');
		return Object.keys(facts).length === 0 ? head : `${head} ${inspectFacts(facts, options)}`;
	}
	const lines = [
		...failureLines(failure, typeof code === 'string' ? code : undefined),
		`url: ${oneLine(failure.url)}`,
		...causeLine(error.cause),
	];
	return [`${name}: ${oneLine(summary)}`, ...lines.map((line) => `  ${line}`), ...frames].join(
		'\n',
	);
}

/** Apps replace messages, also by an object: `error.message = error.response.data`. */
function textOf(message: unknown): string {
	if (typeof message === 'string') return message;
	return message === undefined ? '' : inspect(message, {depth: 2, breakLength: Infinity});
}

function inspectFacts(facts: object, {colors, compact, breakLength}: InspectOptions): string {
	const given = Object.entries({colors, compact, breakLength});
	const own = Object.fromEntries(given.filter(([, value]) => value !== undefined));
	return inspect(facts, {...own, depth: 6, maxArrayLength: 10});
}

/** The error of Node or OpenSSL that was classified: it quotes nothing of the app. */
function causeLine(cause: unknown): string[] {
	if (!isError(cause)) return [];
	const {name, message, code} = cause as NodeJS.ErrnoException;
	const withCode = code === undefined || message.includes(code) ? '' : ` (${code})`;
	return [`caused by: ${oneLine(`${name}: ${message}${withCode}`)}`];
}

const maxFrames = 4;

/** The frames of the app, or where there are none the first ones. Those of a cause are left out. */
function shortFrames(stack: unknown): string[] {
	if (typeof stack !== 'string') return [];
	const own = stack.split('\nCaused by: ')[0] ?? '';
	const frames = own.split('\n').filter((line) => /^\s+at /.test(line));
	const root = rootOfPackage();
	const outside = frames.filter((frame) => !isLibrary.test(frame));
	const ofApp = outside.filter((frame) => root === undefined || !frame.includes(root));
	const found = [ofApp, outside, frames].find(({length}) => length > 0) ?? [];
	return found.slice(0, maxFrames).map((frame) => `    ${frame.trim()}`);
}

/** Node's own frames, and those of packages. */
const isLibrary = /[ (](node:|native$|<anonymous>$)|[\\/]node_modules[\\/]/;

/** The folder of this package, where it was not installed as one: `…/src/` or `…/dist/`. */
function rootOfPackage(): string | undefined {
	const frame = new Error().stack?.split('\n')[1] ?? '';
	return /((?:file:\/\/)?[^\s()]*[\\/](?:src|dist)[\\/])/.exec(frame)?.[1];
}
