import {inspect} from 'node:util';

/** All the ways in which a value ends up in a log or on a terminal, in one text. */
export function printedForms(value: unknown): string {
	return [
		String(value),
		json(value),
		...[value, {value}].flatMap((shown) => [
			inspect(shown, {depth: 8}),
			inspect(shown, {depth: 8, showHidden: true}),
		]),
		...(value instanceof Error ? [value.message, value.stack] : []),
	].join('\n');
}

function json(value: unknown): string {
	try {
		return JSON.stringify(value) ?? '';
	} catch {
		// A structure that refers to itself has no JSON, so there is none to leak.
		return '';
	}
}

/** The lines of a PEM that are its secret, cut so that no line end of a print splits them. */
export function pemMarks(pem: string): string[] {
	return pem
		.split('\n')
		.filter((line) => /^[A-Za-z0-9+/]{24,}={0,2}$/.test(line))
		.map((line) => line.slice(0, 24));
}
