/*
 * The parser cases of the IETF working group http-state (https://github.com/abarth/http-state,
 * tests/data/parser): what a server sets, and the Cookie header of the request after it. They go
 * byte by byte over real connections, because header parsers have a say in it too.
 */

import {CookieJar} from 'tough-cookie';
import {expect, onTestFinished, test, vi} from 'vitest';
import {createClient, type MtlsClient} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {startRawServer} from '../support/raw-server.ts';
import cases from './fixtures/http-state.json' with {type: 'json'};

interface Case {
	readonly name: string;
	/** Values of `Set-Cookie`, a character for each byte. */
	readonly set: readonly string[];
	/** Where the answer redirects to. @defaultValue `/cookie-parser-result?NAME` */
	readonly location?: string;
	/** What comes of it; none without. */
	readonly cookie?: string;
}

const all: readonly Case[] = cases;

/** The cases that we do not pass, and why. */
const notPassed: Readonly<Record<string, string>> = {
	'disabled-chromium0022':
		'a NUL in a header: the HTTP parsers of Node and undici refuse the answer',
	'disabled-chromium0023':
		'a CR in a header: the HTTP parsers of Node and undici refuse the answer',
	// curl does not either, nor does the URL parser of browsers decode a path.
	'disabled-path0029':
		'`/f%6Fo` is to match `Path=/foo`: RFC 6265 5.1.4 compares the path as it is written',
};

/** What they end with: a code, or the cookies of the second request. */
const ends = {
	'disabled-chromium0022': expect.stringMatching(/^HPE_/),
	'disabled-chromium0023': expect.stringMatching(/^HPE_/),
	'disabled-path0029': undefined,
};

/** Those that say `Secure` expect nothing over http, and would over https. */
const secure = all.filter(({set}) => set.some((line) => /;\s*secure\b/i.test(line)));

vi.setConfig({testTimeout: 30_000});

/** Answers the cases; `cookies` is what the requests after them said. */
function bookkeeper(locate: (location: string) => string) {
	const cookies = new Map<string, string | undefined>();
	const answer = (head: string) => {
		const [path = '', name = ''] = /^GET (\S+)/.exec(head)?.[1]?.split('?') ?? [];
		const found = all.find((one) => one.name === name);
		if (path !== '/cookie-parser' || found === undefined) {
			cookies.set(name, /^cookie: ?(.*)$/im.exec(head)?.[1]);
			return ['HTTP/1.1 204 No Content'];
		}
		const location = locate(found.location ?? `/cookie-parser-result?${name}`);
		const lines = found.set.map((line) => `Set-Cookie: ${line}`);
		return ['HTTP/1.1 302 Found', ...lines, `Location: ${location}`, 'Content-Length: 0'];
	};
	return {cookies, answer};
}

/** The cases are of 2011, and hold dates. */
function setClock(): void {
	vi.useFakeTimers({now: new Date('2012-01-01T00:00:00Z'), toFake: ['Date']});
	onTestFinished(() => {
		vi.useRealTimers();
	});
}

/** The cases whose second request said something else than is expected, with what it said. */
async function failuresOf(
	asked: readonly Case[],
	client: MtlsClient,
	origin: string,
	cookies: Map<string, string | undefined>,
): Promise<Record<string, unknown>> {
	setClock();
	const failures: Record<string, unknown> = {};
	for (const {name, cookie} of asked) {
		const own = client.create({jar: true});
		const error = await own.get(`${origin}/cookie-parser?${name}`).then(
			() => undefined,
			(reason: Error & {code?: string}) => reason.code,
		);
		if (error !== undefined) failures[name] = error;
		else if (!cookies.has(name) || cookies.get(name) !== cookie) failures[name] = cookies.get(name);
	}
	return failures;
}

test('the corpus has 222 cases, of which 8 are outside the core', () => {
	expect(all).toHaveLength(222);
	expect(all.filter(({name}) => /^(disabled|optional)-/.test(name))).toHaveLength(8);
	expect(secure).toHaveLength(15);
});

test("all http-state cases but those listed pass over http and axios's exchange", async () => {
	const {cookies, answer} = bookkeeper((location) => location.replace(':8888', `:${port}`));
	const port = await startRawServer(answer);
	const lookup = (
		_host: string,
		_options: object,
		done: (e: null, address: string, family: 4) => void,
	) => done(null, '127.0.0.1', 4);
	const client = createClient({lookup: lookup as never, proxy: false, logger: false});
	onTestFinished(() => client.mtls.close());
	const failures = await failuresOf(all, client, `http://home.example.org:${port}`, cookies);
	expect(Object.keys(failures)).toEqual(Object.keys(notPassed));
	expect(failures).toEqual(ends);
});

test('all http-state cases but those listed pass over https and the connections of the client', async () => {
	const {cookies, answer} = bookkeeper((location) =>
		location.replace(/^http:(.*):8888/, 'https:$1'),
	);
	const pki = await createTestPki();
	const {cert, key} = await pki.server({names: ['*.example.org', '*.home.example.org']});
	const port = await startRawServer(answer, {cert, key});
	await using proxy = await startConnectProxy({route: () => ({host: '127.0.0.1', port})});
	const client = createClient({
		mtls: {ca: pki.ca},
		proxy: {host: '127.0.0.1', port: proxy.port},
		logger: false,
	});
	onTestFinished(() => client.mtls.close());
	const asked = all.filter((one) => !secure.includes(one));
	const failures = await failuresOf(asked, client, 'https://home.example.org', cookies);
	expect(Object.keys(failures)).toEqual(Object.keys(notPassed));
	expect(failures).toEqual(ends);
});

test('tough-cookie alone passes all http-state cases, also those that never reach it over HTTP', async () => {
	setClock();
	const failures: Record<string, unknown> = {};
	for (const {name, set, location, cookie} of all) {
		const from = `http://home.example.org:8888/cookie-parser?${name}`;
		const jar = new CookieJar();
		for (const line of set) await jar.setCookie(line, from, {ignoreError: true});
		const to = new URL(location ?? `/cookie-parser-result?${name}`, from);
		const said = (await jar.getCookieString(to.href)) || undefined;
		if (said !== cookie) failures[name] = said;
	}
	expect(failures).toEqual({});
});
