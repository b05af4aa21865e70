import type {Io} from './io.ts';

/** A line on a terminal that says what takes so long. */
export interface Progress {
	/** Says something else from now on. */
	update(text: string): void;
	/** Removes the line. What is printed next begins where it began. */
	stop(): void;
}

/** Shorter work shows nothing. */
const delayMs = 400;
const everyMs = 1000;

const eraseLine = '\r\u001b[K';

/**
 * Shows on stderr that a command works, and for how many seconds: on a terminal alone, and not before
 * 400 ms. Stop it before anything else is printed.
 */
export function startProgress({stderr}: Pick<Io, 'stderr'>, text: string): Progress {
	const {isTTY, columns = 80} = stderr as Partial<NodeJS.WriteStream>;
	if (isTTY !== true) return {update() {}, stop() {}};
	const begin = performance.now();
	let current = text;
	let isShown = false;
	const show = () => {
		const seconds = Math.floor((performance.now() - begin) / 1000);
		const time = seconds === 0 ? '' : ` ${seconds} s`;
		// A line that wraps could not be erased.
		stderr.write(eraseLine + `${current} …${time}`.slice(0, columns - 1));
		isShown = true;
	};
	let interval: NodeJS.Timeout | undefined;
	const timer = setTimeout(() => {
		show();
		interval = setInterval(show, everyMs);
	}, delayMs);
	return {
		update(next) {
			current = next;
			if (isShown) show();
		},
		stop() {
			clearTimeout(timer);
			clearInterval(interval);
			if (isShown) stderr.write(eraseLine);
			isShown = false;
		},
	};
}
