import {
	cpSync,
	existsSync,
	globSync,
	mkdirSync,
	readFileSync,
	renameSync,
	watch,
	writeFileSync,
} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {inject} from 'vitest';
import {type App, npmInstall, openApp, packInto} from '../surface/consumer.ts';
import {registryPackages} from './registry-packages.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** The names of the sample apps: the folders of `examples/` that have a package.json. */
export const sampleApps = globSync('*/package.json', {cwd: examples}).map(dirname).sort();

/**
 * Makes an app that has installed the packed package and the packages of `registryPackages`. It has no
 * `"type": "module"`.
 */
export async function makeSharedApp(name: string): Promise<App> {
	const app = openApp(join(await installAll(), name));
	app.write('package.json', '{"private": true}');
	return app;
}

/** Gives a copy of a sample app that has installed the packed package and what it needs. */
export async function openSampleApp(name: string): Promise<App> {
	return openApp(join(await installAll(), 'apps', name));
}

/**
 * Installs all of it in one folder. The first test file of a run that asks for it does, the others wait for
 * that.
 */
async function installAll(): Promise<string> {
	const dir = inject('appsFolder');
	const ended = join(dir, 'ended.txt');
	// Made in one step: one process alone succeeds.
	if (isMade(join(dir, 'apps'))) {
		const error = await install(dir).then(
			() => '',
			(thrown) => String(thrown),
		);
		writeFileSync(`${ended}.new`, error);
		renameSync(`${ended}.new`, ended);
	} else await isThere(dir, ended);
	const error = readFileSync(ended, 'utf8');
	if (error) throw new Error(error);
	return dir;
}

async function install(dir: string): Promise<void> {
	const tarball = await packInto(dir);
	for (const name of sampleApps) {
		const app = join(dir, 'apps', name);
		cpSync(join(examples, name), app, {
			recursive: true,
			// Whoever has run the app in place has these.
			filter: (path) => !['node_modules', 'package-lock.json', 'dist'].includes(basename(path)),
		});
		const file = join(app, 'package.json');
		const packageJson = JSON.parse(readFileSync(file, 'utf8'));
		packageJson.dependencies['axios-mtls'] = `file:${tarball}`;
		writeFileSync(file, JSON.stringify(packageJson));
	}
	const dependencies = {'axios-mtls': `file:${tarball}`, ...registryPackages};
	writeFileSync(
		join(dir, 'package.json'),
		JSON.stringify({private: true, workspaces: ['apps/*'], dependencies}),
	);
	await npmInstall(dir, '--no-package-lock');
}

function isMade(folder: string): boolean {
	try {
		mkdirSync(folder);
		return true;
	} catch {
		return false;
	}
}

function isThere(dir: string, file: string): Promise<void> {
	return new Promise((resolve) => {
		const look = () => {
			if (!existsSync(file)) return;
			watcher.close();
			resolve();
		};
		const watcher = watch(dir, look);
		look();
	});
}
