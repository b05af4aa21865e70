import type {Writable} from 'node:stream';
import {escapeJson, escapeControls as printable} from '../../util/escape-controls.ts';
import {foldCommand, wrap} from './wrap.ts';

export {printable};

/** The streams and the environment of a command; a test brings its own. */
export interface Io {
	readonly stdout: Writable;
	readonly stderr: Writable;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** What starts this program, in printed commands: `axios-mtls`, `npx axios-mtls`. */
	readonly program: string;
	/** Whether stdout is a terminal that wants colours. */
	readonly colors: boolean;
	/** Resolves on SIGINT, on SIGTERM and when stdout is closed; listens once it is called. */
	stopped(): Promise<void>;
}

/** Writes one line to stdout. */
export function print(io: Io, line = ''): void {
	io.stdout.write(`${line}\n`);
}

/** Writes a command for a POSIX shell to stdout, in lines that fit. */
export function printCommand(io: Io, command: string): void {
	for (const line of foldCommand(printable(command))) print(io, line);
}

/** Writes a paragraph to stdout, in lines that fit. */
export function printText(io: Io, text: string): void {
	for (const line of wrap(text)) print(io, line);
}

/** Writes a value as JSON to stdout, which may be a terminal. */
export function printJson(io: Io, value: unknown): void {
	print(io, escapeJson(JSON.stringify(value, null, 2)));
}

/** Security: a query may hold a token, and user and password stand before the host. */
export function withoutSecrets({origin, pathname}: URL): string {
	return `${origin}${pathname}`;
}
