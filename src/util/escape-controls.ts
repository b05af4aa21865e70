/**
 * Escapes invisible characters in the text of a peer, for a terminal and a log.
 *
 * Security: a certificate's subject or a reason phrase could otherwise move the cursor and overwrite
 * the lines above it, begin a line of its own, or reverse the direction of the text.
 */
export function escapeControls(text: string): string {
	return text.replace(invisible, (character) => {
		const hex = (character.codePointAt(0) ?? 0).toString(16);
		if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
		return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
	});
}

/**
 * Escapes invisible characters in JSON, for a terminal: the value is the same, line ends stay.
 *
 * Security: `JSON.stringify` escapes neither the control characters from U+007F on nor those that
 * change the direction of the text.
 */
export function escapeJson(json: string): string {
	return json.replace(invisible, (character) => {
		if (character === '\n') return character;
		const units = character
			.split('')
			.map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
		return units.map((unit) => `\\u${unit}`).join('');
	});
}

// Control characters, format characters (the bidirectional ones among them), line and paragraph
// separators, and lone surrogates.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
