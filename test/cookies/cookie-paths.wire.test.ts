/*
 * Cookies under percent-encoded paths. RFC 6265 §5.1.4 compares the path of a request as it is
 * written; what is compared here is what the server has got.
 */
import {readFileSync} from 'node:fs';
import axios, {type AxiosInstance} from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {CookieJar, MemoryCookieStore} from 'tough-cookie';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {fileJar, withMtls} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture} from '../support/fixture.ts';
import {startRawServer} from '../support/raw-server.ts';
import {RemoteStore} from '../support/remote-store.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** What reached the server, each as path and `Cookie` header. */
interface Bank {
	readonly origin: string;
	readonly seen: [path: string, cookie: string | undefined][];
}

interface Answer {
	readonly cookies: readonly string[];
	readonly location?: string;
}

/** Answers the paths of `answers`, as they are written, and any other with nothing. */
async function startBank(
	protocol: string,
	answers: Readonly<Record<string, Answer>>,
): Promise<Bank> {
	const seen: Bank['seen'] = [];
	const credential = protocol === 'https' ? await fixture.pki.server() : undefined;
	const port = await startRawServer((head) => {
		const path = /^\S+ (\S+)/.exec(head)?.[1] ?? '';
		seen.push([path, /^cookie: ?(.*)$/im.exec(head)?.[1]]);
		const {cookies, location} = answers[path] ?? {cookies: []};
		return [
			location === undefined ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 302 Found',
			...cookies.map((line) => `Set-Cookie: ${line}`),
			...(location === undefined ? [] : [`Location: ${location}`]),
			'Content-Length: 0',
		];
	}, credential && {cert: credential.cert, key: credential.key});
	return {origin: `${protocol}://localhost:${port}`, seen};
}

const jars: readonly [string, () => CookieJar][] = [
	['of ours', () => fixture.client({jar: true}).mtls.jar as CookieJar],
	['of the app', () => new CookieJar()],
	['with a store of the app', () => new CookieJar(new (class extends MemoryCookieStore {})())],
	['with an asynchronous store', () => new CookieJar(new RemoteStore())],
	['of a file', () => fileJar(tempFile('jar'), {logger: false})],
	['of a JSON file', () => fileJar(tempFile('jar.json'), {logger: false})],
];

/** A client of `jar`; `wrapped` is one of axios-cookiejar-support that has been given to us. */
function clientOf(jar: CookieJar, options: object, wrapped = false): AxiosInstance {
	if (!wrapped) return fixture.client({...options, jar});
	const {cert, key} = fixture.alice;
	const client = withMtls(wrapper(axios.create({...options, jar, proxy: false})), {
		mtls: {cert, key, ca: fixture.pki.ca},
		logger: false,
	});
	onTestFinished(() => client.mtls.close());
	return client;
}

const makers = [
	...jars.map(([title, make]) => [title, make, false] as const),
	['of axios-cookiejar-support', () => new CookieJar(), true] as const,
];

describe.each(exchanges)('over %s', (_, options) => {
	describe.each(['https', 'http'])('and %s', (protocol) => {
		// Seen: a server at `/my%20app/login` set `sid=1; Path=/my%20app`, and the next request of
		// `/my%20app/data` had no cookie; `Path=/my app` was sent where it should not be. Why:
		// tough-cookie decodes the path of the request, and of nothing else.
		test.each(makers)(
			'a jar %s compares paths as they are written',
			async (_title, make, wrapped) => {
				const bank = await startBank(protocol, {
					'/my%20app/login': {
						cookies: ['sid=1; Path=/my%20app', 'wrong=2; Path=/my app', 'all=3; Path=/'],
					},
				});
				const client = clientOf(make(), options, wrapped);
				const visited = [
					'/my%20app/login',
					'/my%20app/data?q=/my%20app/',
					'/my%20apps',
					'/my+app/x',
				];
				for (const path of visited) await client.get(bank.origin + path);
				expect(bank.seen).toEqual([
					['/my%20app/login', undefined],
					['/my%20app/data?q=/my%20app/', 'sid=1; all=3'],
					['/my%20apps', 'all=3'],
					['/my+app/x', 'all=3'],
				]);
			},
		);

		test.each(makers)(
			'a jar %s keeps the default path as it was written',
			async (_title, make, wrapped) => {
				const answers = {cookies: ['sid=1']};
				const bank = await startBank(protocol, {
					'/my%20app/login': answers,
					'/%E2%82%AC/login': answers,
					'/100%/login': answers,
				});
				const jar = make();
				const client = clientOf(jar, options, wrapped);
				for (const folder of ['/my%20app', '/%E2%82%AC', '/%e2%82%ac', '/100%']) {
					await client.get(`${bank.origin}${folder}/login`);
					await client.get(`${bank.origin}${folder}/data`);
				}
				expect(bank.seen.map(([path, cookie]) => `${path} ${cookie}`)).toEqual([
					'/my%20app/login undefined',
					'/my%20app/data sid=1',
					'/%E2%82%AC/login undefined',
					'/%E2%82%AC/data sid=1',
					'/%e2%82%ac/login undefined',
					'/%e2%82%ac/data undefined',
					'/100%/login undefined',
					'/100%/data sid=1',
				]);
			},
		);
	});

	test('a redirect to an encoded path sends what was set on the way', async () => {
		const bank = await startBank('https', {
			'/my%20app/login': {
				cookies: ['a=1', 'b=2; Path=/my%20app/in'],
				location: '/my%20app/in/home',
			},
			'/my%20app/in/home': {cookies: ['c=3'], location: '../caf\xe9 au lait/\u{7c}{x}'},
		});
		await clientOf(new CookieJar(), options).get(`${bank.origin}/my%20app/login`);
		expect(bank.seen.map(([, cookie]) => cookie)).toEqual([undefined, 'b=2; a=1', 'a=1']);
		expect(bank.seen.at(-1)?.[0]).toMatch(/^\/my%20app\/caf%C3%A9%20au%20lait\//);
	});

	// What a URL would escape, and Node does not, goes on the wire as the app has written it.
	test('a path that beforeRedirect has written is compared as the server gets it', async () => {
		const bank = await startBank('https', {
			'/login': {
				cookies: ['raw=1; Path=/{a}%20b', 'escaped=2; Path=/%7Ba%7D%20b'],
				location: '/next',
			},
		});
		await clientOf(new CookieJar(), {...options, beforeRedirect: rewrite}).get(
			`${bank.origin}/login`,
		);
		expect(bank.seen.at(-1)).toEqual(['/{a}%20b/home?q=/', 'raw=1']);
	});

	test('params after an encoded path do not change what is compared', async () => {
		const bank = await startBank('https', {
			'/my%20app/login?q=[1]': {cookies: ['sid=1', 'deep=2; Path=/my%20app/login']},
		});
		const client = clientOf(new CookieJar(), options);
		for (let count = 0; count < 2; count += 1) {
			await client.get('/my%20app/login', {
				baseURL: bank.origin,
				params: {q: '[1]'},
				paramsSerializer: {encode: (text: string) => text},
			});
		}
		expect(bank.seen).toEqual([
			['/my%20app/login?q=[1]', undefined],
			['/my%20app/login?q=[1]', 'deep=2; sid=1'],
		]);
	});
});

function rewrite(options: Record<string, unknown>): void {
	options.path = '/{a}%20b/home?q=/';
}

test('a cookie file holds the default path as it was written', async () => {
	const bank = await startBank('https', {
		'/my%20app/login': {cookies: ['a=1']},
		'/%E2%82%AC/login': {cookies: ['b=2']},
	});
	for (const name of ['jar', 'jar.json']) {
		const path = tempFile(name);
		const jar = fileJar(path, {logger: false});
		const client = clientOf(jar, {});
		await client.get(`${bank.origin}/my%20app/login`);
		await client.get(`${bank.origin}/%E2%82%AC/login`);
		await jar.save();
		const text = readFileSync(path, 'latin1');
		expect(text).toMatch(/\/my%20app["\t]/);
		expect(text).toMatch(/\/%E2%82%AC["\t]/);
		expect(text).not.toContain('my app');
	}
});
