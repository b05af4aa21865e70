/*
 * Cookie files in the hands of processes that are killed, and of two at a time.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readdirSync} from 'node:fs';
import {dirname} from 'node:path';
import {createInterface} from 'node:readline';
import {setImmediate} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {expect, onTestFinished, test} from 'vitest';
import {fileJar} from '../../../src/index.ts';
import {iterations} from '../../support/iterations.ts';
import {tempFile} from '../../support/temp-file.ts';

const url = 'https://a.test/';
const script = fileURLToPath(new URL('../../support/child-jar.ts', import.meta.url));

function start(path: string, work: string, argument = ''): ChildProcess {
	const child = spawn(process.execPath, [script, path, work, argument], {
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	return child;
}

test.each([
	['jar.cookies', iterations({usual: 30, long: 500})],
	['jar.json', iterations({usual: 30, long: 50})],
] as const)(
	'kill -9 leaves the old file or the new one: %s, in %i saves',
	{timeout: 180_000},
	async (name, savesInAll) => {
		const path = tempFile(name);
		let [saved, interrupted] = [0, 0];
		while (saved < savesInAll || interrupted < 3) {
			const child = start(path, 'save for ever');
			const told = await killAfter(child, 1 + Math.floor(Math.random() * 25));
			if (existsSync(`${path}.lock`)) interrupted += 1;

			// 50 cookies of one number: that of the last save that was told, or of the next.
			const pairs = fileJar(path, {logger: false}).getCookieStringSync(url).split('; ');
			const numbers = new Set(pairs.map((pair) => Number(pair.split('=')[1])));
			expect(pairs).toHaveLength(50);
			expect(numbers.size).toBe(1);
			const [number = 0] = numbers;
			expect(number).toBeGreaterThanOrEqual(told);
			expect(number).toBeLessThanOrEqual(told + 1);
			saved = number;
		}
		const jar = fileJar(path, {logger: false});
		await jar.setCookie('last=1', url);
		await jar.save();
		expect(readdirSync(dirname(path))).toEqual([name]);
	},
);

/** Kills a child some time after its `count`th save; the number of the last save that it told. */
async function killAfter(child: ChildProcess, count: number): Promise<number> {
	if (child.stdout === null) throw new Error('no stdout');
	const lines: string[] = [];
	const reader = createInterface(child.stdout);
	const started = once(reader, 'line');
	const enough = new Promise<void>((resolve, reject) => {
		reader.on('line', (line) => {
			// The first takes as long as it takes to start.
			if (lines.push(line) > count) resolve();
		});
		child.once('exit', () => reject(new Error('the child ended by itself')));
	});
	await started;
	const begin = performance.now();
	await enough;
	// Anywhere in the next save, which takes about as long as the last ones.
	const moment = performance.now() + (Math.random() * (performance.now() - begin)) / count;
	while (performance.now() < moment) await setImmediate();
	const closed = Promise.all([once(child, 'close'), once(reader, 'close')]);
	child.kill('SIGKILL');
	await closed;
	return Number(lines.at(-1));
}

test.each(['jar.cookies', 'jar.json'])(
	'two processes with 1,000 cookies each leave 2,000 in one file: %s',
	{timeout: 120_000},
	async (name) => {
		const path = tempFile(name);
		const children = ['a', 'b'].map((prefix) => start(path, 'save many', prefix));
		const ends = await Promise.all(children.map((child) => once(child, 'exit')));
		expect(ends).toEqual([
			[0, null],
			[0, null],
		]);
		const pairs = fileJar(path).getCookieStringSync(url).split('; ');
		const expected = Array.from({length: 1_000}, (_, index) => [`a${index}=1`, `b${index}=1`]);
		expect(new Set(pairs)).toEqual(new Set(expected.flat()));
		expect(pairs).toHaveLength(2_000);
		expect(readdirSync(dirname(path))).toEqual([name]);
	},
);

test.each([
	['end', 0, 'a=1'],
	['exit', 0, 'a=1'],
	['exit while saving', 0, 'a=1'],
	['exit while two save', 0, 'a=1; b=1'],
	['throw', 1, 'a=1'],
])(
	'what was not saved yet is saved in a process that comes to its %s',
	async (work, code, cookies) => {
		const path = tempFile('jar');
		const [exitCode] = await once(start(path, work), 'exit');
		expect(exitCode).toBe(code);
		expect(fileJar(path).getCookieStringSync(url).split('; ').sort().join('; ')).toBe(cookies);
		expect(readdirSync(dirname(path))).toEqual(['jar']);
	},
);
