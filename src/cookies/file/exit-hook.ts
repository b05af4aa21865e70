/** A cookie file with changes that must be written before the process ends. */
interface Unsaved {
	/** Releases the lock that others wait for. */
	abortSave(): void;
	saveAtExit(): void;
}

const pending = new Set<Unsaved>();

/** Saves `unsaved` when the process ends by itself or by `process.exit()`. */
export function watchExit(unsaved: Unsaved): void {
	if (pending.size === 0) process.on('exit', saveAll);
	pending.add(unsaved);
}

/** There is no listener while nothing is pending. */
export function unwatchExit(unsaved: Unsaved): void {
	if (pending.delete(unsaved) && pending.size === 0) process.off('exit', saveAll);
}

function saveAll(): void {
	// All of them first: two may wait for one lock, and asynchronous saves do not continue now.
	for (const unsaved of pending) unsaved.abortSave();
	for (const unsaved of pending) unsaved.saveAtExit();
}
