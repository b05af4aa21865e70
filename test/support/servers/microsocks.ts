import type {TestContext} from 'vitest';
import {needs, type Program, startProgram} from './programs.ts';

/** Starts microsocks, for whoever logs in as `alice` with `wonderland`; ends with the test. */
export function startMicrosocks(ctx: TestContext): Promise<Program> {
	const path = needs(ctx, 'microsocks');
	return startProgram(path, (port) => [
		'-i',
		'127.0.0.1',
		'-p',
		String(port),
		'-u',
		'alice',
		'-P',
		'wonderland',
	]);
}
