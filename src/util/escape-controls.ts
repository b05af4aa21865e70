/**
 * Text of a stranger, fit for a terminal and a log: what would not be seen is escaped.
 *
 * Security: a certificate's subject or a reason phrase could otherwise move the cursor and rewrite the
 * verdict above it, begin a line of its own, or turn the order of what is read around.
 */
export function escapeControls(text: string): string {
	return text.replace(unseen, (character) => {
		const hex = (character.codePointAt(0) ?? 0).toString(16);
		if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
		return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
	});
}

/**
 * JSON fit for a terminal: the same value, and nothing unseen in it but its own line ends.
 *
 * Security: `JSON.stringify` escapes neither the control characters from U+007F on nor those that turn
 * the direction of writing.
 */
export function escapeJson(json: string): string {
	return json.replace(unseen, (character) => {
		if (character === '\n') return character;
		const units = character
			.split('')
			.map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
		return units.map((unit) => `\\u${unit}`).join('');
	});
}

// Control characters, those that format (the bidirectional ones among them), line and paragraph
// separators, and halves of surrogate pairs.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
