/*
 * Files share a process: what one of them has replaced must not be there for the next.
 */
import {afterAll, vi} from 'vitest';

afterAll(() => {
	vi.unstubAllEnvs();
	vi.unstubAllGlobals();
	vi.restoreAllMocks();
	vi.useRealTimers();
});
