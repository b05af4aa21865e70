/** Adds to the message of an error, and to its stack, which holds the message that it was made with. */
export function appendMessage(error: Error, text: string): void {
	const {message, stack} = error;
	error.message = message + text;
	// The first line alone: below it may stand the stack of a cause with the same message.
	const at = typeof stack === 'string' && message !== '' ? stack.indexOf(message) : -1;
	if (typeof stack !== 'string' || at === -1 || stack.slice(0, at).includes('\n')) return;
	const end = at + message.length;
	// Does not throw for a stack that cannot be written.
	Reflect.set(error, 'stack', stack.slice(0, end) + text + stack.slice(end));
}
