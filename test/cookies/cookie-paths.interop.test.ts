/*
 * Cookies under encoded paths, and with odd names, beside real curl and Python.
 */
import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {startRawServer} from '../support/raw-server.ts';
import {makeDir, needs} from '../support/servers/programs.ts';

/** A server that sets `lines` for the first request and writes down the `Cookie` of each. */
async function startRecorder(lines: readonly string[]) {
	const seen: string[] = [];
	const port = await startRawServer((head) => {
		seen.push(/^cookie: ?(.*)$/im.exec(head)?.[1] ?? '');
		const set = seen.length === 1 ? lines.map((line) => `Set-Cookie: ${line}`) : [];
		return ['HTTP/1.1 200 OK', ...set, 'Content-Length: 0', 'Connection: close'];
	});
	return {seen, origin: `http://localhost:${port}`};
}

type Visit = (origin: string, paths: readonly string[]) => Promise<unknown>;

/** What each of `paths` is asked with, where `lines` came with the first. */
async function headersOf(visit: Visit, lines: readonly string[], paths: readonly string[]) {
	const {seen, origin} = await startRecorder(lines);
	await visit(origin, paths);
	return seen;
}

const oursIn: Visit = async (origin, paths) => {
	const client = createClient({jar: true, proxy: false, logger: false});
	for (const path of paths) await client.get(origin + path);
	await client.mtls.close();
};

const folders = [
	'/my%20app',
	'/my+app',
	'/%E2%82%AC',
	'/%e2%82%ac',
	'/a%2Fb',
	'/a%2fb',
	'/a%3Fb',
	'/a%3Bb',
	'/a%25b',
	'/a%2520b',
	'/a%41b',
	'/aAb',
	'/a%b',
	'/a%zzb',
	"/a'(b)*!~",
	'/a=b&c',
	'/a,b@c:d',
	'/caf%C3%A9/d%20e',
];
/** Each folder asks with what each folder sets: without a path, with its own, and decoded. */
function questionsOf(asked: readonly string[]) {
	return asked.map((folder) => {
		const plain = decodeURI(folder.replace(/%(?![\da-f]{2})/gi, '%25'));
		// Characters beyond ASCII are sent as UTF-8.
		const bytes = Buffer.from(`decoded=3; Path=${plain}`).toString('latin1');
		const lines = ['default=1', `named=2; Path=${folder}`, ...(plain === folder ? [] : [bytes])];
		return {lines, paths: [`${folder}/set`, ...asked.map((other) => `${other}/data`)]};
	});
}

const patience = {timeout: 120_000};

test(
	'curl sends the cookies of encoded paths where the library sends them',
	patience,
	async (ctx) => {
		const curl = needs(ctx, 'curl');
		const argv = ['-q', '-sf', '--noproxy', '*', '-g', '-b', ''];
		const curlIn: Visit = (origin, paths) =>
			promisify(execFile)(curl, [...argv, ...paths.map((path) => origin + path)], {env: {}});
		const sent = new Set<string>();
		for (const {lines, paths} of questionsOf(folders)) {
			const theirs = await headersOf(curlIn, lines, paths);
			const ours = await headersOf(oursIn, lines, paths);
			expect({lines, ours}).toEqual({lines, ours: theirs});
			sent.add(ours.join());
		}
		expect(sent.size).toBeGreaterThan(folders.length / 2);
	},
);

const visitAll = `
import http.cookiejar, json, sys, urllib.request as request
for origin, paths in json.load(sys.stdin):
    cookies = request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = request.build_opener(cookies, request.ProxyHandler({}))
    for path in paths:
        opener.open(origin + path).read()
`;

// Python escapes what it compares: `%2f` and `%2F` are one to it, and a space and `%20` in a `Path`.
test(
	'Python sends the cookies of encoded paths there too, where nothing has two spellings',
	patience,
	async (ctx) => {
		const python = needs(ctx, 'python3');
		const single = folders.filter((folder) => !/%([a-f\d]?[a-f]|zz|b|e)/.test(folder));
		expect(single).toHaveLength(folders.length - 4);
		const questions = questionsOf(single).map(({lines, paths}) => ({
			lines: lines.filter((line) => !line.startsWith('decoded')),
			paths,
		}));
		const servers = await Promise.all(questions.map(({lines}) => startRecorder(lines)));
		const input = JSON.stringify(
			servers.map(({origin}, index) => [origin, questions[index]?.paths]),
		);
		const running = promisify(execFile)(python, ['-c', visitAll], {env: {}});
		running.child.stdin?.end(input);
		await running;
		for (const [index, {lines, paths}] of questions.entries()) {
			const ours = await headersOf(oursIn, lines, paths);
			expect({lines, ours}).toEqual({lines, ours: servers[index]?.seen});
		}
	},
);

const names = [
	...Array.from("!#$%&'()*+-./:<>?@[]^_`{|}~", (mark) => `a${mark}b`),
	...Array.from('#$%&.@[', (mark) => `${mark}first`),
	'#HttpOnly_a.test',
	'__Secure',
	'with space',
	'"quoted"',
	'back\\slash',
	'com,ma',
	'caf\xe9',
	'\xe2\x82\xac',
	'__proto__',
	'constructor',
	'TRUE',
	'0',
];
const values = ['', '1', '"two words"', 'a=b', "a, 'b'", '\xe9\xff', '#', '0', 'TRUE'];

test('odd names and values go through a file to curl and back', async (ctx) => {
	const curl = needs(ctx, 'curl');
	const pairs = names.map((name, index) => `${name}=${values[index % values.length]}`);
	const {seen, origin} = await startRecorder(pairs.map((pair) => `${pair}; Path=/my%20app`));
	const dir = makeDir({});
	const [file, theirs] = [join(dir, 'cookies.txt'), join(dir, 'curls.txt')];
	const url = `${origin}/my%20app/page`;
	const warnings: unknown[] = [];
	const logger = {error: () => {}, warn: (fields: object) => warnings.push(fields)};

	const client = createClient({jar: file, proxy: false, logger});
	await client.get(url);
	await client.mtls.close();
	const argv = ['-q', '-sf', '--noproxy', '*', '-b', file, '-c', theirs, url];
	await promisify(execFile)(curl, argv, {env: {}});
	const again = createClient({jar: theirs, proxy: false, logger});
	await again.get(url);
	await again.mtls.close();

	// Every cookie fits into the file, which curl leaves readable.
	expect(warnings).toMatchObject([{event: 'file_exposed', path: theirs}]);
	const sets = seen.map((cookie) => (cookie === '' ? [] : cookie.split('; ').sort()));
	expect(sets).toEqual([[], [...pairs].sort(), [...pairs].sort()]);
});
