/*
 * The examples of the README are run: each as an app that has installed the package, with the files
 * that they name in its directory, behind a proxy that leads every name under .example to a server
 * of ours.
 *
 * `<!-- test: continues -->` above an example makes it a part of the one before; with
 * `<!-- test: skip REASON -->` it is skipped, which the report says.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createTestPki, startMtlsServer, type TestPki} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {closedPort} from '../support/plain-server.ts';
import {makeConsumer} from './consumer.ts';
import {type Example, examplesOf, saidToPrint} from './examples.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const examples = examplesOf(readme);
const bin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

test('the README has examples, and each of its blocks of code names its language', () => {
	expect(examples.length).toBeGreaterThan(0);
	const languages = [...readme.matchAll(/^```(.*)\n[\s\S]*?^```$/gm)].map(([, name = '']) => name);
	expect(languages.filter((name) => !['ts', 'sh', 'json'].includes(name))).toEqual([]);
});

test.for(examples)(
	'the example at README.md:$line runs and prints what it says',
	async (example, ctx) => {
		if (example.skip !== undefined) return ctx.skip(example.skip);
		const {code, stdout, stderr, hosts} = await runExample(example);

		expect({code, stderr}).toEqual({code: 0, stderr: ''});
		const said = saidToPrint(example);
		expect(stdout.split('\n').filter((line) => said.includes(line))).toEqual(said);
		// An example that names a host has talked to it, and to no other.
		const named = /https:\/\/([a-z.]+\.example)/.exec(example.code)?.[1];
		expect(hosts).toEqual(named === undefined ? [] : [`${named}:443`]);
	},
);

test('a comment above an example continues the one before it, or skips it with a reason', () => {
	const block = (code: string) => `\`\`\`ts\n${code}\n\`\`\`\n`;
	const text = [
		block('const a = 1;'),
		`<!-- test: continues -->\n\n${block('console.log(a); // 1')}`,
		`<!-- test: skip needs a fleet -->\n${block('b();')}`,
	].join('\ntext\n');

	expect(examplesOf(text)).toEqual([
		{language: 'ts', line: 2, code: 'const a = 1;\n\nconsole.log(a); // 1\n'},
		{language: 'ts', line: 15, code: 'b();\n', skip: 'needs a fleet'},
	]);
	const code = 'f(); // no\nconsole.log(a); // 1';
	expect(saidToPrint({language: 'ts', code})).toEqual(['1']);
	expect(saidToPrint({language: 'py', code: '# no\nprint(a)  # 1'})).toEqual(['1']);
	expect(saidToPrint({language: 'sh', code: '# no\nls # 1'})).toEqual(['1']);
	expect(() => examplesOf(`<!-- test: skip -->\n${block('c();')}`)).toThrow('line 3');
});

test('the examples of the README have no type errors', async () => {
	using app = makeConsumer(['redis']);
	const files = examples.map(({line, code}) => {
		// A top-level import or export makes a file a module, which `await` needs.
		app.write(`line-${line}.ts`, `${code}\nexport {};\n`);
		return `line-${line}.ts`;
	});

	expect(await app.tsc(...files)).toEqual({code: 0, stdout: '', stderr: ''});
});

test('the commands of the README work one after the other', async () => {
	using app = makeConsumer();
	const commands = [...readme.matchAll(/^axios-mtls (.+?) *(?:#.*)?$/gm)].map(
		([, line = '']) => line,
	);
	const port = String(await closedPort());
	expect(commands.map((line) => line.split(' ')[0])).toContain('serve');

	for (const line of commands) {
		const argv = line.replace(/\b8443\b/, port).split(' ');
		const child = spawn(process.execPath, [bin, ...argv], {
			cwd: app.dir,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: {PATH: process.env.PATH ?? ''},
		});
		onTestFinished(() => stop(child));
		if (argv[0] === 'serve') await once(createInterface(child.stdout), 'line');
		else {
			child.stdout.resume();
			const [code] = await once(child, 'close');
			expect(code, line).toBe(0);
		}
	}
});

async function runExample({code}: Example) {
	using app = makeConsumer();
	const client = await pki.client();
	app.write('client.crt', client.cert);
	app.write('client.key', client.key);
	app.write('ca.crt', pki.ca);
	app.write('example.ts', code);
	const names = [...new Set(code.match(/[a-z.]+\.example\b/g))];
	await using server = await startMtlsServer({pki, credential: await pki.server({names})});
	await using proxy = await startConnectProxy({
		route: (host, port) =>
			host.endsWith('.example') ? {host: '127.0.0.1', port: server.port} : {host, port},
	});
	const outcome = await app.node('example.ts', {HTTPS_PROXY: proxy.url});
	return {...outcome, hosts: [...new Set(proxy.tunnels.map(({target}) => target))]};
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill();
	await once(child, 'close');
}
