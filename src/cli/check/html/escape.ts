import {printable} from '../../shared/io.ts';

/** Text of a stranger as text of a page, also inside an attribute in double quotes. */
export function escapeHtml(text: string): string {
	return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A text that fits `length` characters; the whole of it belongs in a `<title>` beside it. */
export function shorten(text: string, length: number): string {
	return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
