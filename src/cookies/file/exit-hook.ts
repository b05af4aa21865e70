/** What has something to write before the process ends. */
interface Unsaved {
	/** Gives back what others wait for. */
	abortSave(): void;
	saveAtExit(): void;
}

const waiting = new Set<Unsaved>();

/** Has `unsaved` saved when the process ends by itself or by `process.exit()`. */
export function watchExit(unsaved: Unsaved): void {
	if (waiting.size === 0) process.on('exit', saveAll);
	waiting.add(unsaved);
}

/** Nothing is listened to while nothing waits. */
export function unwatchExit(unsaved: Unsaved): void {
	if (waiting.delete(unsaved) && waiting.size === 0) process.off('exit', saveAll);
}

function saveAll(): void {
	// All of them first: two may be in each other's way, and nothing that was begun goes on now.
	for (const unsaved of waiting) unsaved.abortSave();
	for (const unsaved of waiting) unsaved.saveAtExit();
}
