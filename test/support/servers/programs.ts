/*
 * Servers of other makes, started as a child of the test with a directory of their own.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {onTestFinished, type TestContext} from 'vitest';
import {closedPort} from '../plain-server.ts';

// Where Debian keeps its servers, which is not in everybody's PATH.
const serverFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * The path of a program. A machine without it skips the test; on CI, where `.ci/run` installs it,
 * the test fails.
 */
export function needs({skip}: TestContext, ...names: readonly string[]): string {
	const folders = [...(process.env.PATH ?? '').split(delimiter), ...serverFolders];
	const path = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
	if (path !== undefined) return path;
	const reason = `${names.join(' or ')} is not installed`;
	if (process.env.CI) throw new Error(reason);
	return skip(reason);
}

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** A directory with the files of a test; ends with it. */
export function makeDir(files: Readonly<Record<string, string>>): string {
	const dir = mkdtempSync(join(tmpdir(), 'axios-mtls-interop-'));
	onTestFinished(() => rmSync(dir, {recursive: true}));
	// A server that drops root's rights goes on to read its pages.
	chmodSync(dir, 0o755);
	for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
	return dir;
}

/** A server that was started for one test. */
export interface Program {
	readonly port: number;
	signal(name: NodeJS.Signals): void;
	/** Ends it and resolves when it has gone, so that its log is complete. A second call waits too. */
	stop(): Promise<void>;
}

/** Another process may take a port between our look and the server's. */
const attempts = 5;

/** A server that is this slow to start will not start. */
const startDeadlineMs = 10_000;

/**
 * Starts a program that stays in the foreground, and waits until it accepts connections on `port`
 * of 127.0.0.1. It ends with the test.
 *
 * @throws what it wrote, when it ends instead.
 */
export async function startProgram(
	path: string,
	argvFor: (port: number) => readonly string[],
	/** Where it has been before. */
	fixedPort?: number,
): Promise<Program> {
	for (let attempt = 1; ; attempt++) {
		const port = fixedPort ?? (await closedPort());
		const child = spawn(path, argvFor(port), {stdio: ['ignore', 'pipe', 'pipe'], env: {}});
		const ended = outputOf(child);
		const stop = async () => {
			child.kill();
			await ended;
		};
		onTestFinished(stop);
		const failure = await readiness(port, ended);
		if (failure === undefined) {
			return {
				port,
				signal(name) {
					child.kill(name);
				},
				stop,
			};
		}
		if (attempt === attempts || !/in use/i.test(failure)) throw new Error(`${path}: ${failure}`);
	}
}

/** `undefined` once somebody listens on `port`, or why the program does not. */
async function readiness(port: number, ended: Promise<string>): Promise<string | undefined> {
	let failure: string | undefined;
	ended.then((reason) => {
		failure = reason;
	});
	const deadline = performance.now() + startDeadlineMs;
	while (!(await accepts(port))) {
		if (failure !== undefined) return failure;
		if (performance.now() > deadline) return `no port after ${startDeadlineMs} ms`;
		await setTimeout(10);
	}
	return failure;
}

/** What a process has written, once it has ended. */
async function outputOf(child: ChildProcess): Promise<string> {
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on('data', (chunk) => {
			output += chunk;
		});
	}
	try {
		const [code, signal] = await once(child, 'close');
		return `ended with ${signal ?? code}: ${output}`;
	} catch (error) {
		return String(error);
	}
}

function accepts(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		socket.once('error', () => resolve(false));
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
	});
}
