import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Writable} from 'node:stream';
import type {Io} from '../../src/cli/shared/io.ts';
import type {Credential, TestPki} from '../../src/testing/index.ts';

/** The surroundings of one command, and what the command left in them. */
export interface FakeIo extends Io {
	out(): string;
	err(): string;
	/** What is on stderr, each paragraph and each command on one line. */
	errText(): string;
	/** Ctrl-C. */
	stop(): void;
	/** Resolves with the first line of stdout, now or later, that matches. */
	lineOut(pattern: RegExp): Promise<string>;
}

export function fakeIo({
	env = {},
	colors = false,
	program = 'axios-mtls',
}: Partial<Pick<Io, 'env' | 'colors' | 'program'>> = {}): FakeIo {
	const stdout = new Recorder();
	const stderr = new Recorder();
	let stop = () => {};
	const stopped = new Promise<void>((resolve) => {
		stop = resolve;
	});
	return {
		stdout,
		stderr,
		env,
		colors,
		program,
		stopped: () => stopped,
		stop,
		out: () => stdout.text,
		err: () => stderr.text,
		errText: () => unfold(stderr.text),
		lineOut: (pattern) => stdout.line(pattern),
	};
}

/** Joins the lines of each paragraph and of each command, which are broken to fit a terminal. */
export function unfold(text: string): string {
	return text.replaceAll(/ \\\n +/g, ' ').replaceAll(/\n {4,}/g, ' ');
}

class Recorder extends Writable {
	text = '';
	readonly #waiting = new Set<() => void>();

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.text += chunk.toString();
		for (const look of this.#waiting) look();
		done();
	}

	line(pattern: RegExp): Promise<string> {
		return new Promise((resolve) => {
			const look = () => {
				const found = this.text.split('\n').find((line) => pattern.test(line));
				if (found === undefined) return;
				this.#waiting.delete(look);
				resolve(found);
			};
			this.#waiting.add(look);
			look();
		});
	}
}

/** A directory that goes away with the test. */
export interface TempDir extends Disposable {
	readonly path: string;
	/** Writes a file; returns its path. */
	write(name: string, content: string): string;
	/** The path of a file in it. */
	at(name: string): string;
}

export function tempDir(): TempDir {
	const path = mkdtempSync(join(tmpdir(), 'axios-mtls-cli-'));
	const at = (name: string) => join(path, name);
	return {
		path,
		at,
		write(name, content) {
			writeFileSync(at(name), content);
			return at(name);
		},
		[Symbol.dispose]: () => rmSync(path, {recursive: true}),
	};
}

/** The options of `get` for a client of `pki`, its files written to `dir`. */
export async function identityOptions(
	dir: TempDir,
	pki: TestPki,
	credential?: Credential,
): Promise<string[]> {
	const {cert, key} = credential ?? (await pki.client());
	return [
		`--cert=${dir.write('client.crt', cert)}`,
		`--key=${dir.write('client.key', key)}`,
		`--ca=${dir.write('ca.crt', pki.ca)}`,
	];
}
