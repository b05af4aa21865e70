import pc from 'picocolors';
import {type Io, print, printable} from '../shared/io.ts';

/** Numbered steps on stdout, and how many of their facts were not as expected. */
export class Report {
	readonly #io: Io;
	readonly #colors: ReturnType<typeof pc.createColors>;
	#steps = 0;
	#failures = 0;

	constructor(io: Io) {
		this.#io = io;
		this.#colors = pc.createColors(io.colors);
	}

	get steps(): number {
		return this.#steps;
	}

	get failures(): number {
		return this.#failures;
	}

	title(text: string): void {
		print(this.#io, this.#colors.bold(text));
	}

	step(title: string): void {
		this.#steps += 1;
		print(this.#io);
		print(this.#io, this.#colors.bold(`${this.#steps}. ${title}`));
	}

	/** A line that is not checked. */
	note(text: string): void {
		print(this.#io, text && `   ${printable(text)}`);
	}

	/** Prints `claim` as a fact when `seen` is `expected`, else as a failure. */
	check<T extends string | number | boolean | undefined>(
		claim: string,
		seen: T,
		expected: T,
	): void {
		if (seen === expected) {
			print(this.#io, `   ${this.#colors.green('✓')} ${printable(claim)}`);
			return;
		}
		this.fail(`${claim}: expected ${expected}, but saw ${seen}`);
	}

	fail(text: string): void {
		this.#failures += 1;
		print(this.#io, `   ${this.#colors.red('✗')} ${printable(text)}`);
	}

	/** The message of an expected error. */
	quote(lines: readonly string[]): void {
		for (const line of lines) print(this.#io, this.#colors.dim(`     ${printable(line)}`));
	}
}
