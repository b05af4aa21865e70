import pc from 'picocolors';
import {type Io, print, printable} from '../shared/io.ts';
import {paragraph, wrap} from '../shared/wrap.ts';

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
		for (const line of wrap(text)) print(this.#io, this.#colors.bold(line));
	}

	step(title: string): void {
		this.#steps += 1;
		print(this.#io);
		const lines = paragraph(`${this.#steps}. ${title}`, {hanging: 3});
		for (const line of lines) print(this.#io, this.#colors.bold(line));
	}

	/** A line that is not checked. */
	note(text: string): void {
		for (const line of paragraph(printable(text), {indent: 3})) print(this.#io, line);
	}

	/** Prints `claim` as a fact when `seen` is `expected`, else as a failure. */
	check<T extends string | number | boolean | undefined>(
		claim: string,
		seen: T,
		expected: T,
	): void {
		if (seen === expected) {
			this.#item(this.#colors.green('✓'), claim);
			return;
		}
		this.fail(`${claim}: expected ${expected}, but saw ${seen}`);
	}

	fail(text: string): void {
		this.#failures += 1;
		this.#item(this.#colors.red('✗'), text);
	}

	#item(mark: string, text: string): void {
		const [first = '', ...others] = wrap(printable(text), {indent: 5});
		print(this.#io, `   ${mark} ${first}`);
		for (const line of others) print(this.#io, line);
	}

	/** The message of an expected error. */
	quote(lines: readonly string[]): void {
		for (const line of lines) {
			for (const each of paragraph(printable(line), {indent: 5, hanging: 2})) {
				print(this.#io, this.#colors.dim(each));
			}
		}
	}
}
