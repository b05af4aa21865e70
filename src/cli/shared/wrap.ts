/** The width that every line keeps to, unless it is one word. */
export const lineWidth = 80;

export interface Wrapping {
	/** Spaces before the lines after the first. */
	readonly indent?: number;
	/** Columns that stand before the first line already. */
	readonly offset?: number;
	readonly width?: number;
}

/** Breaks a text at spaces into lines that fit. A word that does not fit has a line of its own. */
export function wrap(
	text: string,
	{indent = 0, offset = indent, width = lineWidth}: Wrapping = {},
): string[] {
	return fill(wordsOf(text, width - indent), {
		indent,
		room: width - indent,
		first: width - offset,
		end: '',
	});
}

/** A code span, such as a command, is one word if it fits into a line. */
function wordsOf(text: string, room: number): string[] {
	const words = text.match(/(?:`[^`]*`|[^\s`]|`)+/g) ?? [''];
	return words.flatMap((word) => (word.length <= room ? word : word.split(/\s+/)));
}

/**
 * The lines of a paragraph, with their indent.
 *
 * @param hanging - Further columns before all lines but the first.
 */
export function paragraph(
	text: string,
	{indent = 0, hanging = 0}: {readonly indent?: number; readonly hanging?: number} = {},
): string[] {
	const [first = '', ...others] = wrap(text, {indent: indent + hanging, offset: indent});
	return [' '.repeat(indent) + first, ...others];
}

/**
 * Breaks a command for a POSIX shell between its words, with a backslash at the end of each line, so that
 * it can be pasted as it is. Quoted words stay whole.
 */
export function foldCommand(command: string, indent = 2, width = lineWidth): string[] {
	const words = command.match(/(?:'[^']*'|\\.|"[^"]*"|[^\s'"\\])+/g) ?? [command];
	if (command.length + indent <= width) return [' '.repeat(indent) + command];
	const room = width - indent - 2;
	// An option stands on one line with its value.
	const units: string[] = [];
	for (const word of words) {
		const previous = units.at(-1);
		const isValue = previous !== undefined && /^--?[\w-]+$/.test(previous) && !word.startsWith('-');
		if (isValue && previous.length + 1 + word.length <= room - 2)
			units[units.length - 1] += ` ${word}`;
		else units.push(word);
	}
	const lines = fill(units, {indent: 2, room: room - 2, first: room, end: ' \\'});
	return lines.map((line) => ' '.repeat(indent) + line);
}

interface Room {
	readonly indent: number;
	/** Columns of the first line, and of each further one. */
	readonly first: number;
	readonly room: number;
	/** At the end of each line but the last. */
	readonly end: string;
}

function fill(words: readonly string[], {indent, first, room, end}: Room): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of words) {
		const left = (lines.length === 0 ? first : room) - line.length;
		if (line !== '' && word.length + 1 > left) {
			lines.push(line);
			line = word;
		} else {
			line = line === '' ? word : `${line} ${word}`;
		}
	}
	lines.push(line);
	return lines.map(
		(text, index) =>
			(index === 0 ? '' : ' '.repeat(indent)) + text + (index < lines.length - 1 ? end : ''),
	);
}
