import pc from 'picocolors';
import {type Io, print, printable} from '../shared/io.ts';

/** Numbered steps on stdout, and whether each of them went as it should. */
export class Report {
	readonly #io: Io;
	readonly #colors: ReturnType<typeof pc.createColors>;
	#steps = 0;
	#surprises = 0;

	constructor(io: Io) {
		this.#io = io;
		this.#colors = pc.createColors(io.colors);
	}

	get steps(): number {
		return this.#steps;
	}

	/** Facts that were not as expected, so far. */
	get surprises(): number {
		return this.#surprises;
	}

	title(text: string): void {
		print(this.#io, this.#colors.bold(text));
	}

	step(title: string): void {
		this.#steps += 1;
		print(this.#io);
		print(this.#io, this.#colors.bold(`${this.#steps}. ${title}`));
	}

	/** A line that explains and claims nothing. */
	note(text: string): void {
		print(this.#io, text && `   ${printable(text)}`);
	}

	/** A fact: told as `claim` when `seen` is what was expected, and with what was seen when not. */
	check<T extends string | number | boolean | undefined>(
		claim: string,
		seen: T,
		expected: T,
	): void {
		if (seen === expected) {
			print(this.#io, `   ${this.#colors.green('✓')} ${printable(claim)}`);
			return;
		}
		this.surprise(`${claim}: expected ${expected}, but saw ${seen}`);
	}

	/** Something that should not have come. */
	surprise(text: string): void {
		this.#surprises += 1;
		print(this.#io, `   ${this.#colors.red('✗')} ${printable(text)}`);
	}

	/** What failed as it should, word for word. */
	quote(lines: readonly string[]): void {
		for (const line of lines) print(this.#io, this.#colors.dim(`     ${printable(line)}`));
	}
}
