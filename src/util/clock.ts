/** In ms. More than this is no delay that a timer can keep: Node's fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
