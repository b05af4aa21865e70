import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import packageJson from '../../package.json' with {type: 'json'};

const root = fileURLToPath(new URL('../../', import.meta.url));

/** How a process ended. */
interface Outcome {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** A directory outside of the package, in which the package is installed as an app has it. */
export interface App {
	readonly dir: string;
	/** Writes a file, and makes its folders. */
	write(name: string, content: string | Uint8Array): void;
	/** Runs a program in the directory. */
	run(
		program: string,
		argv: readonly string[],
		env?: Readonly<Record<string, string>>,
	): Promise<Outcome>;
	/** Runs `node` on a file of the directory. */
	node(file: string, env?: Readonly<Record<string, string>>): Promise<Outcome>;
	/** Checks the types of files of the directory; also of the declarations that they import. */
	tsc(...files: string[]): Promise<Outcome>;
	/** The same with TypeScript 5, whose `--module` and `--moduleResolution` are given. */
	tsc5(...argv: string[]): Promise<Outcome>;
}

/** An app that is removed when it is disposed of. */
export interface Consumer extends App, Disposable {}

/** Makes an app that has installed this package with its peers, and no other but `more`. */
export function makeConsumer(more: readonly string[] = []): Consumer {
	const app = makeApp();
	link(app, 'axios-mtls', root);
	for (const name of ['axios-cookiejar-support', ...peers, ...more]) link(app, name);
	return app;
}

/** The same after `npm install --omit=optional`, and `more`. */
export function makeConsumerWithoutOptional(more: readonly string[] = []): Consumer {
	const app = makeApp();
	// A copy, because Node looks for dependencies from where a link leads to.
	const installed = join(app.dir, 'node_modules/axios-mtls');
	for (const name of ['package.json', 'dist', 'redis', 'testing']) {
		cpSync(join(root, name), join(installed, name), {recursive: true});
	}
	for (const name of [...Object.keys(packageJson.dependencies), ...peers, ...more]) link(app, name);
	return app;
}

const peers = ['axios', 'tough-cookie', '@types/node'];

function link({dir}: Consumer, name: string, from = join(root, 'node_modules', name)): void {
	const path = join(dir, 'node_modules', name);
	mkdirSync(dirname(path), {recursive: true});
	symlinkSync(from, path, 'junction');
}

/** Packs the package into a folder; returns the path of the tarball. */
export async function packInto(dir: string): Promise<string> {
	assertBuilt();
	// Without its scripts: a build would take dist/ away from the tests beside this one.
	const argv = ['pack', '--ignore-scripts', '--json', '--pack-destination', dir];
	const packed = await succeed(root, 'npm', argv);
	return join(dir, JSON.parse(packed)[0].filename);
}

/** Installs packages, or adds them to those that are there, without running their scripts. */
export function npmInstall(cwd: string, ...argv: string[]): Promise<string> {
	const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
	return succeed(cwd, 'npm', ['install', ...quiet, ...argv]);
}

/**
 * Runs a program of the developer, with the environment, which may name the registry.
 *
 * @throws where it fails, with what it printed.
 */
export async function succeed(
	cwd: string,
	program: string,
	argv: readonly string[],
	env: Readonly<Record<string, string>> = {},
): Promise<string> {
	const {code, stdout, stderr} = await run(cwd, program, argv, {...process.env, ...env});
	if (code === 0) return stdout;
	throw new Error(`${program} ${argv.join(' ')} failed: ${stdout}${stderr}`);
}

/** An app in a folder of its own that has installed nothing. */
export function makeApp(): Consumer {
	assertBuilt();
	const dir = mkdtempSync(join(tmpdir(), 'axios-mtls-app-'));
	const app = openApp(dir);
	app.write('package.json', '{"private": true, "type": "module"}');
	return {...app, [Symbol.dispose]: () => rmSync(dir, {recursive: true})};
}

function assertBuilt(): void {
	if (existsSync(join(root, 'dist/index.js'))) return;
	throw new Error('dist/ is not there: run `npm run build`, or `npm test`, which does');
}

/** Works in a folder as in an app. */
export function openApp(dir: string): App {
	const write = (name: string, content: string | Uint8Array) => {
		mkdirSync(dirname(join(dir, name)), {recursive: true});
		writeFileSync(join(dir, name), content, {mode: 0o600});
	};
	return {
		dir,
		write,
		run: (program, argv, env) => run(dir, program, argv, env),
		node: (file, env) => run(dir, process.execPath, [file], env),
		tsc: (...files) =>
			run(dir, process.execPath, [
				join(root, 'node_modules/typescript/bin/tsc'),
				...[...flags, '--module', 'nodenext', '--allowImportingTsExtensions', '--ignoreConfig'],
				...files,
			]),
		tsc5: (...argv) =>
			run(dir, process.execPath, [
				join(root, 'node_modules/typescript-5/bin/tsc'),
				...flags,
				...argv,
			]),
	};
}

// Strict, and with `skipLibCheck` off: a conflict between the declarations of two packages is an
// error in one of theirs.
const flags = [
	...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'],
	...['--target', 'es2023', '--lib', 'es2023,esnext.disposable,dom'],
	...['--types', 'node', '--skipLibCheck', 'false'],
];

async function run(
	cwd: string,
	program: string,
	argv: readonly string[],
	env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
	const child = spawn(program, argv, {
		cwd,
		// A group of its own, to end what it has started too.
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {
			PATH: process.env.PATH ?? '',
			// What vitest.config.ts has set.
			NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
			...env,
		},
	});
	// A test that waits for it has failed by then.
	const tooLong = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 300_000);
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => {
		stdout += chunk;
	});
	child.stderr.on('data', (chunk) => {
		stderr += chunk;
	});
	const [code] = await once(child, 'close').finally(() => clearTimeout(tooLong));
	return {code, stdout, stderr};
}
