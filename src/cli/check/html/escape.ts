import {printable} from '../../shared/io.ts';

/** Untrusted text as text of a page, also inside an attribute in double quotes. */
export function escapeHtml(text: string): string {
	return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A text cut to `length` characters; its whole belongs in a `<title>` beside it. */
export function shorten(text: string, length: number): string {
	return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
