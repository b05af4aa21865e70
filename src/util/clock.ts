/** In ms. More than this is no delay that a timer can keep: Node's fire at once. */
export const longestDelayMs = 2 ** 31 - 1;
