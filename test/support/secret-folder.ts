import {mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from './on-test-finished.ts';

/** A folder as Kubernetes mounts a secret: each name leads by way of `..data` to the files of now. */
export interface SecretFolder {
	/** Where `name` is to be read, whatever version it has. */
	path(name: string): string;
	/** Puts these files in the place of the last ones, all at once. */
	swap(files: Readonly<Record<string, string | Buffer>>): void;
	/** Writes one file where it stands. */
	write(name: string, content: string | Buffer): void;
}

export function makeSecretFolder(files: Readonly<Record<string, string | Buffer>>): SecretFolder {
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
	onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
	let version = 0;
	const write = (path: string, content: string | Buffer) =>
		writeFileSync(path, content, {mode: 0o600});
	const swap: SecretFolder['swap'] = (next) => {
		version += 1;
		mkdirSync(join(folder, `..${version}`));
		for (const [name, content] of Object.entries(next)) {
			write(join(folder, `..${version}`, name), content);
		}
		symlinkSync(`..${version}`, join(folder, '..data_tmp'));
		renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
		rmSync(join(folder, `..${version - 1}`), {recursive: true, force: true});
	};
	swap(files);
	for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name));
	return {
		path: (name) => join(folder, name),
		swap,
		write: (name, content) => write(join(folder, '..data', name), content),
	};
}
