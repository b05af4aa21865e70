import type {AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import type {ClientConfig} from '../../src/index.ts';
import type {MtlsServer} from '../../src/testing/index.ts';
import {createFixture, exchanges, type Fixture, pages, redirect} from '../support/fixture.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** A server, and a client with the cookie `line` of it. */
async function start(line = 'XSRF-TOKEN=t0ken', config: ClientConfig = {}) {
	const routes: Record<string, ReturnType<typeof redirect>> = {};
	const server = await fixture.server({handler: pages(routes)});
	const client = fixture.client({baseURL: server.origin, jar: true, ...config});
	await client.mtls.jar?.setCookie(line, server.origin);
	return {server, client, routes};
}

/** What each request for `path` said in its `X-XSRF-TOKEN`. */
function tokens({requests}: MtlsServer, path = '/echo', name = 'x-xsrf-token') {
	return requests.filter(({url}) => url === path).map(({headers}) => headers[name]);
}

describe.each(exchanges)('over %s', (_, options) => {
	test('the cookie is said in the header, on the wire alone', async () => {
		const {server, client} = await start();
		const {config} = await client.post('/echo', 'x', options);
		expect(tokens(server)).toEqual(['t0ken']);
		expect(server.requests[0]?.headers.cookie).toBe('XSRF-TOKEN=t0ken');
		expect(config.headers.has('X-XSRF-TOKEN')).toBe(false);
	});

	test('the XSRF token is decoded as in axios, and cannot end its line', async () => {
		for (const [text, token] of [
			['a%20b%2Bc', 'a b+c'],
			['50%', '50%'],
			['a=b==', 'a=b=='],
			['x%0d%0aX-Evil:%201', 'xX-Evil: 1'],
		]) {
			const {server, client} = await start(`XSRF-TOKEN=${text}`);
			await client.get('/echo', options);
			expect(tokens(server)).toEqual([token]);
			expect(server.requests[0]?.headers).not.toHaveProperty('x-evil');
		}
	});

	test('a redirect keeps it on the origin, and drops it on the way to another', async () => {
		const {server, client, routes} = await start();
		const stranger = await fixture.recordingServer();
		routes['/stay'] = redirect('/echo', 307);
		routes['/leave'] = redirect(stranger.url('/caught'), 307);
		await client.post('/stay', 'x', options);
		await client.post('/leave', 'x', {...options, withXSRFToken: true});
		await client.post('/leave', 'x', {...options, headers: {'X-XSRF-TOKEN': 'own'}});
		expect(tokens(server, '/stay')).toEqual(['t0ken']);
		expect(tokens(server, '/echo')).toEqual(['t0ken']);
		expect(tokens(server, '/leave')).toEqual(['t0ken', 'own']);
		expect(tokens(stranger, '/caught')).toEqual([undefined, undefined]);
	});

	test('a redirect back from another origin does not get the XSRF header', async () => {
		const {server, client, routes} = await start();
		const stranger = await fixture.recordingServer({
			handler: pages({'/forge': redirect(server.url('/echo'), 307)}),
		});
		routes['/leave'] = redirect(stranger.url('/forge'), 307);
		await client.post('/leave', 'x', options);
		expect(tokens(server, '/leave')).toEqual(['t0ken']);
		expect(tokens(server, '/echo')).toEqual([undefined]);
	});
});

describe('the header is set', () => {
	test.each<[string, AxiosRequestConfig]>([
		['by default', {}],
		['with `withXSRFToken: true`', {withXSRFToken: true}],
		['when the function says so', {withXSRFToken: ({url}) => url === '/echo'}],
		['when the function leaves it to the origin', {withXSRFToken: () => undefined}],
	])('the XSRF header is set %s', async (_, config) => {
		const {server, client} = await start();
		await client.get('/echo', config);
		expect(tokens(server)).toEqual(['t0ken']);
	});

	test('the XSRF header is set without a `baseURL` for any origin that the app requests', async () => {
		const {server, client} = await start();
		await client.create({proxy: false, baseURL: ''}).get(server.url('/echo'));
		expect(tokens(server)).toEqual(['t0ken']);
	});

	test('the XSRF header is set by the names that the app configures', async () => {
		const {server, client} = await start('csrftoken=django');
		await client.get('/echo', {xsrfCookieName: 'csrftoken', xsrfHeaderName: 'X-CSRFToken'});
		expect(tokens(server, '/echo', 'x-csrftoken')).toEqual(['django']);
	});

	// Seen: the cookie of the app, and in the header the token of the jar's, which no request said.
	// Servers compare the two, so that every such request was refused.
	test('the XSRF header has the token of the cookie that is sent, also where the app has set that itself', async () => {
		const {server, client} = await start();
		await client.get('/echo', {headers: {Cookie: 'a=1; XSRF-TOKEN=own%20one'}});
		await client.get('/echo', {headers: {Cookie: 'X-XSRF-TOKEN=no; xsrf-token=no'}});
		expect(tokens(server)).toEqual(['own one', 't0ken']);
	});

	test('the XSRF header has the token of the last login when a request is sent again after it', async () => {
		const members = await startSessionPages(fixture);
		const client = fixture.client({
			baseURL: members.server.origin,
			jar: true,
			session: {
				login: async (using) => {
					await loginAndGet.login(using);
					const line = `XSRF-TOKEN=of-login-${members.logins}`;
					await using.mtls.jar?.setCookie(line, members.server.origin);
				},
			},
		});
		await client.post('/a', 'x');
		members.end();
		await client.post('/a', 'x');
		expect(tokens(members.server, '/a')).toEqual(['of-login-1', 'of-login-1', 'of-login-2']);
	});
});

describe('the header is not set', () => {
	test.each<[string, AxiosRequestConfig]>([
		['with `withXSRFToken: false`', {withXSRFToken: false}],
		['when the function says so', {withXSRFToken: () => false}],
		['with a mistake in the option', {withXSRFToken: 'true' as unknown as boolean}],
		['without a name of the header', {xsrfHeaderName: ''}],
		['without a name of the cookie', {xsrfCookieName: ''}],
		['without such a cookie', {xsrfCookieName: 'XSRF-TOKE'}],
		['when the app has switched it off', {headers: {'X-XSRF-TOKEN': false}}],
	])('the XSRF header is not set %s', async (_, config) => {
		const {server, client} = await start();
		await client.get('/echo', config);
		expect(tokens(server)).toEqual([undefined]);
	});

	test.each(['XSRF-TOKEN=t0ken; HttpOnly', 'XSRF-TOKEN=', 'XSRF-TOKEN=t0ken; Path=/elsewhere'])(
		'the XSRF header is not set from %s',
		async (line) => {
			const {server, client} = await start(line);
			await client.get('/echo');
			expect(tokens(server)).toEqual([undefined]);
		},
	);

	test('the XSRF header does not replace one that the app has set', async () => {
		const {server, client} = await start();
		await client.get('/echo', {headers: {'x-xsrf-token': 'own'}});
		expect(tokens(server)).toEqual(['own']);
	});

	test('the XSRF header is not set without a jar', async () => {
		const {server, client} = await start();
		await client.get('/echo', {jar: false, headers: {Cookie: 'XSRF-TOKEN=own'}});
		expect(tokens(server)).toEqual([undefined]);
	});

	test('the XSRF header is set at another origin than that of `baseURL` only with `withXSRFToken: true`', async () => {
		const {server, client} = await start();
		const other = await fixture.server();
		// Cookies know no ports (RFC 6265 §8.5): the other server gets the cookie itself.
		for (const config of [{}, {withXSRFToken: true}, {withXSRFToken: () => undefined}]) {
			await client.get(other.url('/echo'), config);
		}
		expect(tokens(other)).toEqual([undefined, 't0ken', undefined]);
		expect(tokens(server)).toEqual([]);
	});
});
