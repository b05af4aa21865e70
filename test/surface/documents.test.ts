/*
 * The examples of the README and of docs/ are run: each as an app that has installed the package, with
 * the files that they name in its directory, behind a proxy that leads every name under .example to a
 * server of ours. Those of docs/migrating/ need other programs: test/interop/guides.interop.test.ts.
 *
 * A block of text behind an example, with one paragraph between them at most, is what it logs; its dates
 * are any. `<!-- test: continues -->` above an example makes it a part of the one before; with
 * `<!-- test: skip REASON -->` it is skipped, which the report says.
 */
// Slow: it starts a process for each example.
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createTestPki, startMtlsServer, type TestPki} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {startH2Server} from '../support/h2-server.ts';
import {pfxOf} from '../support/pfx-writer.ts';
import {closedPort} from '../support/plain-server.ts';
import {makeConsumer} from './consumer.ts';
import {documentAt, documents} from './documents.ts';
import {type Example, examplesOf, saidToPrint} from './examples.ts';

const pages = documents.filter(({path}) => !path.startsWith('docs/migrating/'));
const examples = pages.flatMap(({path, text}) =>
	examplesOf(text).map((example) => ({path, logs: loggedBy(example.code, text), ...example})),
);

function loggedBy(code: string, text: string): string[] {
	const [, rest = ''] = text.split(code);
	return /^```\n\n(?:\S.*\n\n)?```text\n([\s\S]*?)\n```/.exec(rest)?.[1]?.split('\n') ?? [];
}

const anyDate = (line: string) => line.replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE');
const bin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));

const p12Password = 'open sesame';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

test.each(pages)('each block of code of $path names its language', ({text}) => {
	const languages = [...text.matchAll(/^```(.*)\n[\s\S]*?^```$/gm)].map(([, name = '']) => name);
	const known = ['ts', 'js', 'sh', 'json', 'text'];
	// A drawing of characters has none.
	expect(languages.filter((name) => name && !known.includes(name))).toEqual([]);
});

test.for(examples)(
	'the example at $path:$line runs and prints what it says',
	async (example, {skip}) => {
		if (example.skip !== undefined) return skip(example.skip);
		const {code, stdout, stderr, hosts} = await runExample(example);

		const logged = example.logs.map(anyDate);
		const printed = stderr.split('\n').map(anyDate);
		expect({code, stderr: logged.length === 0 ? stderr : ''}).toEqual({code: 0, stderr: ''});
		expect(printed.filter((line) => logged.includes(line))).toEqual(logged);
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

test('the examples of the README and of docs have no type errors', async () => {
	using app = makeConsumer(['redis']);
	const files = examples.map(({path, line, code}) => {
		const name = `${path.replaceAll('/', '-')}-${line}.ts`;
		// A top-level import or export makes a file a module, which `await` needs.
		app.write(name, `${code}\nexport {};\n`);
		return name;
	});

	expect(await app.tsc(...files)).toEqual({code: 0, stdout: '', stderr: ''});
});

test('the commands of docs/cli.md on this machine work one after the other', async () => {
	using app = makeConsumer();
	const {text} = documentAt('docs/cli.md');
	const commands = [...text.matchAll(/^axios-mtls (.+?) *(?:#.*)?$/gm)]
		.map(([, line = '']) => line)
		.filter((line) => !line.includes('.example'));
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
	app.write('client.p12', pfxOf(client.cert, client.key, {passphrase: p12Password}));
	app.write('example.ts', code);
	const names = [...new Set(code.match(/[a-z.]+\.example\b/g))];
	const credential = await pki.server({names});
	const server = code.includes('httpVersion: 2')
		? await startH2Server(pki, {credential})
		: await startMtlsServer({pki, credential});
	onTestFinished(() => server.close());
	await using proxy = await startConnectProxy({
		route: (host, port) =>
			host.endsWith('.example') ? {host: '127.0.0.1', port: server.port} : {host, port},
	});
	const outcome = await app.node('example.ts', {
		HTTPS_PROXY: proxy.url,
		P12_PASSWORD: p12Password,
	});
	return {...outcome, hosts: [...new Set(proxy.tunnels.map(({target}) => target))]};
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill();
	await once(child, 'close');
}
