/** Of this process, after the garbage is gone: Node needs `--expose-gc`. */
export function usedMemory() {
	global.gc?.();
	const {heapUsed, external, rss} = process.memoryUsage();
	return {heap: heapUsed + external, resident: rss};
}
