import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {TestProject} from 'vitest/node';

declare module 'vitest' {
	interface ProvidedContext {
		/** One folder for the whole run, empty until a test needs the apps in it. */
		appsFolder: string;
	}
}

/** Makes a folder that all test files of a run share, and removes it when the last one has ended. */
export default function setup(project: TestProject): () => void {
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-apps-'));
	project.provide('appsFolder', folder);
	return () => rmSync(folder, {recursive: true, maxRetries: 5});
}
