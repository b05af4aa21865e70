/** Of this process, after the garbage is gone: Node needs `--expose-gc`. */
export function usedMemory() {
	// The buffers that the first has found are freed beside it, and by the beginning of the second.
	global.gc?.();
	global.gc?.();
	const {heapUsed, external, rss} = process.memoryUsage();
	return {heap: heapUsed + external, resident: rss};
}
