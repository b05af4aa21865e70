/** Percent-encoded text as axios reads it: where a % stands for nothing, all is what it says. */
export function decodePercent(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
