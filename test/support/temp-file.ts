import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from './on-test-finished.ts';

/** The path of a file, not yet there, in a folder of its own that ends with the test. */
export function tempFile(name: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-jar-'));
	onTestFinished(() => rmSync(folder, {recursive: true}));
	return join(folder, name);
}
