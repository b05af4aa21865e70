import type {Writable} from 'node:stream';

/** All that a command knows of the world around it, so that a test can be that world. */
export interface Io {
	readonly stdout: Writable;
	readonly stderr: Writable;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Whether stdout is a terminal that wants colours. */
	readonly colors: boolean;
	/** Resolves when the user wants it to end (SIGINT, SIGTERM), or nobody reads on. Listens from the call on. */
	stopped(): Promise<void>;
}

/** Writes one line to stdout. */
export function say(io: Io, line = ''): void {
	io.stdout.write(`${line}\n`);
}

/**
 * Text of a stranger, fit for a terminal: control characters are escaped.
 *
 * Security: a certificate's subject or a reason phrase could otherwise move the cursor and rewrite
 * the verdict above it.
 */
export function printable(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
		const code = character.charCodeAt(0);
		return code < 0x100
			? `\\x${code.toString(16).padStart(2, '0')}`
			: `\\u${code.toString(16).padStart(4, '0')}`;
	});
}
