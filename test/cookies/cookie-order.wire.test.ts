import axios, {type AxiosInstance} from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {CookieJar} from 'tough-cookie';
import {beforeAll, describe, expect, test} from 'vitest';
import {createFixture, exchanges, type Fixture} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** The `Cookie` header of a request by `make`'s client, for a jar with `lines` and the app's `own`. */
async function said(
	make: (jar: CookieJar) => AxiosInstance,
	lines: readonly string[],
	own: string,
): Promise<string | undefined> {
	const server = await startPlainHttp();
	const jar = new CookieJar();
	for (const line of lines) await jar.setCookie(line, `${server.origin}/app/`);
	await make(jar).get(`${server.origin}/app/page`, {headers: {Cookie: own}});
	return server.requests[0]?.headers.cookie;
}

const theirs = (jar: CookieJar) => wrapper(axios.create({jar, proxy: false}));

// Seen: a jar with `key1` and an app with `key2` said `key2; key1`, and both peers `key1; key2`:
// axios-cookiejar-support, and http-cookie-agent below it.
describe.each(exchanges)('over %s', (_, options) => {
	const ours = (jar: CookieJar) => fixture.client({...options, jar});

	test.each([
		['key1=value1; key2=value2', ['key1=value1'], 'key2=value2'],
		['deep=1; wide=2; b=3; a=4', ['wide=2; Path=/', 'deep=1'], 'b=3; a=4'],
		['a=1; b=x=y; c="d e"', ['a=1'], 'b=x=y; c="d e"'],
	])(
		"the jar's cookies come first in the Cookie header as %s, as in the peer package",
		async (header, lines, own) => {
			expect(await said(theirs, lines, own)).toBe(header);
			expect(await said(ours, lines, own)).toBe(header);
		},
	);

	test("the app's value wins by name, as it does with the peer", async () => {
		const lines = ['a=jar', 'b=jar', 'c=jar'];
		const own = 'd=mine; b=mine';
		expect(await said(ours, lines, own)).toBe('a=jar; c=jar; d=mine; b=mine');
		// It puts the app's in the place of the jar's; a server is not to rely on the order (RFC 6265 §4.2.2).
		const sorted = (await said(theirs, lines, own))?.split('; ').sort();
		expect((await said(ours, lines, own))?.split('; ').sort()).toEqual(sorted);
	});
});
