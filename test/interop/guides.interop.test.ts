/*
 * The guides of docs/migrating/: what they show of others and of us is run, block by block, and prints
 * what it says.
 */
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Guide, openGuide} from '../support/servers/guide.ts';
import {examplesOf, saidToPrint} from '../surface/examples.ts';

const folder = fileURLToPath(new URL('../../docs/migrating/', import.meta.url));
const guides = readdirSync(folder).map((name) => {
	const text = readFileSync(folder + name, 'utf8');
	return {name, text, blocks: examplesOf(text, ['ts', 'js', 'py', 'sh'])};
});

test('every package that people migrate from has a guide', () => {
	expect(guides.map(({name}) => name)).toEqual([
		'axios-cookiejar-support.md',
		'curl.md',
		'http-cookie-agent.md',
		'python.md',
		'request-and-superagent.md',
	]);
});

describe.each(guides)('$name', ({text, blocks}) => {
	let guide: Guide;
	let isBroken = false;
	beforeAll(async () => {
		guide = await openGuide();
	});
	afterAll(() => guide[Symbol.asyncDispose]());

	test('each block of code in the guides names a language that is run, or shows a change', () => {
		const languages = [...text.matchAll(/^```(.*)\n[\s\S]*?^```$/gm)].map(([, name = '']) => name);
		expect(languages.filter((name) => name !== 'diff')).toEqual(
			blocks.map(({language}) => language),
		);
		expect(blocks.some(({language}) => language === 'ts')).toBe(true);
	});

	test.for(blocks)(
		'the $language of line $line runs and prints what it says',
		async (block, ctx) => {
			// A block goes on with the files of the one before.
			if (isBroken) return ctx.skip('a block before it could not be run');
			isBroken = true;
			const {code, stdout, stderr, requests} = await guide.run(ctx, block);
			isBroken = false;

			expect({code, stderr}).toEqual({code: 0, stderr: ''});
			expect(stdout.split('\n').filter(Boolean)).toEqual(saidToPrint(block));
			// What is ours, or has been given our files, has shown the certificate.
			if (block.code.includes('client.crt')) {
				expect(requests.length).toBeGreaterThan(0);
				for (const {connection} of requests) expect(connection.clientCertificate).toBeDefined();
			}
		},
	);
});

test('the code of the guides has no type errors', async () => {
	await using guide = await openGuide();
	const codes = guides.flatMap(({name, text}) =>
		examplesOf(text).map(({line, code}) => [`${name}-${line}.ts`, code] as const),
	);
	expect(await guide.tsc(new Map(codes))).toEqual({code: 0, stdout: '', stderr: ''});
});

test("the examples of axios-cookiejar-support's own README work with the changes of the guide", async (ctx) => {
	const [guide] = guides;
	const readme = new URL('../../node_modules/axios-cookiejar-support/README.md', import.meta.url);
	const lines =
		/^```diff\n([\s\S]*?)^```$/m
			.exec(guide?.text ?? '')?.[1]
			?.trim()
			.split('\n') ?? [];
	const changes = lines.flatMap((line, index) =>
		line.startsWith('-') ? [[line.slice(1), lines[index + 1]?.slice(1) ?? ''] as const] : [],
	);
	expect(changes).toHaveLength(2);
	const blocks = examplesOf(readFileSync(readme, 'utf8'), ['js']);
	expect(blocks.length).toBeGreaterThan(0);

	await using bank = await openGuide();
	for (const {line, code} of blocks) {
		let changed = code;
		for (const [from, to] of changes) {
			expect(changed).toContain(from);
			changed = changed.replace(from, to);
		}
		const shown = `${changed}\nconsole.log((await jar.getCookies('https://example.com')).length);`;
		const outcome = await bank.run(ctx, {language: 'ts', line, code: shown});
		expect(outcome).toMatchObject({code: 0, stdout: '1\n', stderr: ''});
		expect(outcome.requests).toHaveLength(1);
	}
});
