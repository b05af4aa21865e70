/** The frame at which the stack of an error leaves us: axios awaits its adapter there. */
const axiosFrame = /\n\s+at async Axios\.request /g;

/** After it axios inlines the stack of a cause, and looks for that again, word by word. */
const causeBegins = '\nCaused by: ';

/**
 * Leaves the frames of the caller out of an error's stack: axios adds them itself to each error of its
 * adapter. Where it takes ours for less than the whole, as it does on a deep stack, of which V8 keeps ten
 * frames, a reader would find the same lines twice.
 */
export function removeCallerFrames<E extends Error>(error: E): E {
	const stack: unknown = error.stack;
	if (typeof stack !== 'string') return error;
	const end = stack.indexOf(causeBegins);
	const own = end === -1 ? stack : stack.slice(0, end);
	// The last: an app's own jar or login may have sent a request in between.
	const found = Array.from(own.matchAll(axiosFrame)).at(-1);
	if (found === undefined) return error;
	// Of an error that is frozen it stays as it is.
	Reflect.set(error, 'stack', own.slice(0, found.index) + stack.slice(own.length));
	return error;
}
