/*
 * Seen: with `mtls: [A, B]` a server of A answered 307 to `B/transfer?to=mallory`, and the POST arrived
 * at B as tenant B. Why: the `origins` of each identity said both where it is used and what a redirect
 * may reach with it. Now a redirect from elsewhere arrives as nobody's, without certificate and cookies,
 * unless the identity names that origin in `allowRedirectsFrom`.
 */
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {type ClientConfig, createClient, type MtlsOptions} from '../../src/index.ts';
import type {Credential, MtlsServer, RequestHandler} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startH2Server} from '../support/h2-server.ts';

let fixture: Fixture;
let bob: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	bob = await fixture.pki.client({commonName: 'bob'});
});

function several(mtls: readonly MtlsOptions[], config: ClientConfig = {}) {
	const client = createClient({mtls, logger: false, proxy: false, ...config});
	onTestFinished(() => client.mtls.close({deadlineMs: 0}));
	return client;
}

const as = ({cert, key}: Credential, ...origins: string[]): MtlsOptions => ({
	cert,
	key,
	ca: fixture.pki.ca,
	origins,
});

/** Believed, and nobody is shown anything there. */
const trusted = (...origins: string[]): MtlsOptions => ({ca: fixture.pki.ca, origins});

/** Asks for a certificate, and does what it is told to with `status` for who has none. */
function bankOf(status: number): RequestHandler {
	return async (_, response, {connection, ended}) => {
		await ended;
		const {subject} = connection.clientCertificate ?? {};
		response.setHeader('set-cookie', 'bank=from-the-answer');
		response.writeHead(subject === undefined ? status : 200).end(`done as ${subject}`);
		return true;
	};
}

const asked = ({requests}: MtlsServer) =>
	requests.map(({method, url, headers, connection}) => ({
		method,
		url,
		cookie: headers.cookie,
		as: connection.clientCertificate?.subject,
	}));

/** A server of alice, which sends on to `location`, and one of bob. */
async function tenants(status = 401, redirectStatus = 307, location = '/transfer?to=mallory') {
	const two = await fixture.server({clientAuth: 'request', handler: bankOf(status)});
	const one = await fixture.server({
		handler: pages({'/pay': redirect(two.url(location), redirectStatus)}),
	});
	return {one, two};
}

describe.each(exchanges)('over %s', (_, options) => {
	test("a POST that is redirected to another identity's origin arrives without certificate, and the failure says why", async () => {
		const {one, two} = await tenants();
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], options);
		const error = await mtlsFailureOf(client.post(one.url('/pay'), 'amount=1'));
		expect(asked(two)).toEqual([
			{method: 'POST', url: '/transfer?to=mallory', cookie: undefined, as: undefined},
		]);
		expect(error).toMatchObject({
			code: 'ERR_BAD_REQUEST',
			status: 401,
			summary: `localhost:${two.port} wants a client certificate and was shown none (it answered 401 after asking for one)`,
			response: {status: 401, data: 'done as undefined'},
			failure: {
				kind: 'client-certificate-required',
				side: 'client',
				certain: false,
				host: 'localhost',
				port: two.port,
				url: expect.stringContaining(two.url('/transfer')),
				redirectedFrom: one.origin,
				identity: null,
				reasons: [
					expect.stringContaining(`a redirect from ${one.origin} led to ${two.origin}, for which`),
				],
				hint: `if the server at ${one.origin} may have this client send requests to ${two.origin} with that certificate, add '${one.origin}' to \`allowRedirectsFrom\` of the entry of \`mtls\` for ${two.origin}`,
			},
		});
	});

	test('a redirect that is allowed arrives as the identity that is used there', async () => {
		const {one, two} = await tenants();
		const client = several(
			[as(fixture.alice, one.origin), {...as(bob, two.origin), allowRedirectsFrom: [one.origin]}],
			{...options, jar: true},
		);
		client.mtls.jar?.setCookieSync('bank=1', two.url());
		const {data, tls} = await client.post(one.url('/pay'), 'amount=1');
		expect(data).toBe('done as bob');
		expect(tls?.identity?.subject).toBe('CN=bob');
		expect(asked(two)).toEqual([
			{method: 'POST', url: '/transfer?to=mallory', cookie: 'bank=1', as: 'bob'},
		]);
		expect(client.mtls.jar?.getCookieStringSync(two.url())).toBe('bank=from-the-answer');
	});

	test('the cookies of the other are neither sent nor changed', async () => {
		const {one, two} = await tenants(200);
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], {
			...options,
			jar: true,
		});
		client.mtls.jar?.setCookieSync('bank=1; Path=/transfer', two.url('/transfer'));
		const {data} = await client.post(one.url('/pay'), 'amount=1');
		expect(data).toBe('done as undefined');
		expect(asked(two)).toMatchObject([{cookie: undefined, as: undefined}]);
		expect(client.mtls.jar?.getCookieStringSync(two.url('/transfer'))).toBe('bank=1');

		// What the app asks for itself is its own.
		await client.post(two.url('/transfer'), 'amount=1');
		expect(asked(two)[1]).toMatchObject({cookie: 'bank=1', as: 'bob'});
	});

	test('a redirect target that insists on a certificate ends the handshake, and the failure says why', async () => {
		const two = await fixture.server();
		const one = await fixture.server({handler: pages({'/pay': redirect(two.url('/echo'), 307)})});
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], options);
		const error = await mtlsFailureOf(client.post(one.url('/pay'), 'amount=1'));
		expect(error.failure).toMatchObject({
			kind: 'client-certificate-required',
			port: two.port,
			redirectedFrom: one.origin,
			identity: null,
			hint: expect.stringContaining(one.origin),
		});
		expect(two.requests).toEqual([]);
		expect(two.connections.map(({clientCertificate}) => clientCertificate)).toEqual([undefined]);
	});

	test('a connection that bob was shown on is not used for it', async () => {
		const {one, two} = await tenants(200);
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], options);
		await client.get(two.url('/own'));
		await client.post(one.url('/pay'), 'amount=1');
		await client.get(two.url('/own'));
		expect(asked(two).map(({as}) => as)).toEqual(['bob', undefined, 'bob']);
		expect(two.handshakes).toEqual({full: 2, resumed: 0});
	});
});

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		[400, true],
		[401, true],
		[403, true],
		[404, false],
		[500, false],
	])('a response of %i without certificate is a refusal: %s', async (status, isRefusal) => {
		const {one, two} = await tenants(status, 302);
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], options);
		const error = await failureOf(client.get(one.url('/pay')));
		expect(error).toMatchObject({name: isRefusal ? 'MtlsError' : 'AxiosError', status});
		const quiet = await client.get(one.url('/pay'), {validateStatus: null});
		expect(quiet.status).toBe(status);
	});

	test('a 401 after a redirect to an origin without identity is not a refusal', async () => {
		const {one, two} = await tenants(401, 302);
		const client = several([as(fixture.alice, one.origin), trusted(two.origin)], options);
		expect(await failureOf(client.get(one.url('/pay')))).toMatchObject({
			name: 'AxiosError',
			status: 401,
		});
	});

	test('redirects among the origins of one identity keep certificate and cookies', async () => {
		const second = await fixture.server({clientAuth: 'request', handler: bankOf(401)});
		const first = await fixture.server({handler: pages({'/': redirect(second.url('/next'))})});
		const two = await fixture.server();
		const client = several([as(fixture.alice, first.origin, second.origin), as(bob, two.origin)], {
			...options,
			jar: true,
		});
		client.mtls.jar?.setCookieSync('bank=1', second.url());
		expect((await client.get(first.url('/'))).data).toBe('done as alice');
		expect(asked(second)).toMatchObject([{cookie: 'bank=1', as: 'alice'}]);
	});

	test('cookies follow a redirect without certificate as they do with a single identity', async () => {
		const {one, two} = await tenants(200, 302);
		const client = several([as(fixture.alice, one.origin), trusted(two.origin)], {
			...options,
			jar: true,
		});
		client.mtls.jar?.setCookieSync('bank=1', two.url());
		await client.get(one.url('/pay'));
		expect(asked(two)).toMatchObject([{cookie: 'bank=1', as: undefined}]);
		expect(client.mtls.jar?.getCookieStringSync(two.url())).toBe('bank=from-the-answer');
	});

	test('beforeRedirect presents no certificate that a redirect would not', async () => {
		const two = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const one = await fixture.server({handler: pages({'/pay': redirect('/next')})});
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], {
			...options,
			jar: true,
		});
		client.mtls.jar?.setCookieSync('bank=1', two.url());
		const {data} = await client.get(one.url('/pay'), {
			beforeRedirect(next) {
				next.port = two.port;
			},
		});
		expect(data).toBe('done as undefined');
		expect(asked(two)).toEqual([{method: 'GET', url: '/next', cookie: undefined, as: undefined}]);
	});
});

test('a redirect over HTTP/2 between two identities presents no certificate, unless it is allowed', async () => {
	const two = await startH2Server(fixture.pki, {
		clientAuth: 'request',
		pages: {'/transfer': ({stream}) => stream.respond({':status': 401}, {endStream: true})},
	});
	const one = await startH2Server(fixture.pki, {
		pages: {
			'/pay': ({stream}) =>
				stream.respond({':status': 307, location: two.url('/transfer')}, {endStream: true}),
		},
	});
	const seen = () =>
		two.requests.map(({headers, connection}) => [
			connection.clientCertificate?.subject,
			headers.cookie,
		]);
	const ask = async (allowed: Pick<MtlsOptions, 'allowRedirectsFrom'>) => {
		const client = several([as(fixture.alice, one.origin), {...as(bob, two.origin), ...allowed}], {
			httpVersion: 2,
			jar: true,
		});
		client.mtls.jar?.setCookieSync('bank=1', two.url());
		return failureOf(client.post(one.url('/pay'), 'amount=1'));
	};
	expect(await ask({})).toMatchObject({
		name: 'MtlsError',
		failure: {kind: 'client-certificate-required', redirectedFrom: one.origin},
	});
	expect(seen()).toEqual([[undefined, undefined]]);
	expect(await ask({allowRedirectsFrom: [one.origin]})).toMatchObject({name: 'AxiosError'});
	expect(seen()[1]).toEqual(['bob', 'bank=1']);
});

describe('a way over several servers', () => {
	/** Sends `/` on to wherever `next` says. */
	async function hop(next: {url: string}, clientAuth: 'require' | 'request' = 'request') {
		return fixture.server({
			clientAuth,
			handler: (request, response) => {
				if (request.url !== '/') return false;
				redirect(next.url)(request, response);
				return true;
			},
		});
	}

	test('a redirect without certificate stays without one, also between origins of another identity', async () => {
		const last = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const two = await hop({url: last.url('/end')});
		const one = await hop({url: two.url('/')});
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin, last.origin)]);
		const {data} = await client.get(one.url('/'));
		expect(data).toBe('done as undefined');
		expect(asked(two)).toMatchObject([{as: undefined}]);
	});

	test('a redirect within an identity goes on with the certificate where it was allowed in', async () => {
		const last = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const two = await hop({url: last.url('/end')});
		const one = await hop({url: two.url('/')});
		const client = several([
			as(fixture.alice, one.origin),
			{...as(bob, two.origin, last.origin), allowRedirectsFrom: [one.origin]},
		]);
		expect((await client.get(one.url('/'))).data).toBe('done as bob');
		expect(asked(two)).toMatchObject([{as: 'bob'}]);
	});

	test('a redirect over an unlisted origin presents no certificate afterwards, whatever is allowed', async () => {
		const two = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const stranger = await hop({url: two.url('/transfer')});
		const one = await hop({url: stranger.url('/')});
		const other = await fixture.server();
		// The stranger is believed, so that it is asked at all; and named, though it came to us by alice's.
		const client = several([
			as(fixture.alice, one.origin),
			as(await fixture.pki.client({commonName: 'carol'}), stranger.origin, other.origin),
			{...as(bob, two.origin), allowRedirectsFrom: [one.origin, stranger.origin]},
		]);
		expect((await client.get(one.url('/'))).data).toBe('done as undefined');
		expect(asked(stranger)).toMatchObject([{as: undefined}]);
		// The app itself asks it: then its redirects are those that are allowed.
		expect((await client.get(stranger.url('/'))).data).toBe('done as bob');
	});

	test('a redirect from an origin without identity presents no certificate', async () => {
		const two = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const front = await hop({url: two.url('/transfer')});
		const client = several([trusted(front.origin), as(bob, two.origin)]);
		expect((await client.get(front.url('/'))).data).toBe('done as undefined');
	});

	test('a redirect back to the requested origin presents its certificate', async () => {
		const back = {url: ''};
		const two = await hop(back);
		const one = await hop({url: two.url('/')}, 'require');
		back.url = one.url('/whoami');
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)]);
		expect((await client.get(one.url('/'))).data).toMatchObject({client: 'alice'});
		expect(asked(two)).toMatchObject([{as: undefined}]);
	});

	test.each([
		['https://localhost:PORT', 'bob'],
		['https://*.test', undefined],
		['https://localhost', undefined],
		['https://127.0.0.1:PORT', undefined],
	])('the option allowRedirectsFrom %s makes a redirect %s', async (pattern, expected) => {
		const two = await fixture.server({clientAuth: 'request', handler: bankOf(200)});
		const one = await hop({url: two.url('/transfer')});
		const allowRedirectsFrom = [pattern.replace('PORT', String(one.port))];
		const client = several([
			as(fixture.alice, one.origin),
			{...as(bob, two.origin), allowRedirectsFrom},
		]);
		expect((await client.get(one.url('/'))).data).toBe(`done as ${expected}`);
	});
});

test('the 401 of another identity does not make a session log in again', async () => {
	const {one, two} = await tenants(401, 302);
	let logins = 0;
	const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], {
		baseURL: one.origin,
		jar: true,
		session: {
			login: () => {
				logins += 1;
				return Promise.resolve();
			},
		},
	});
	await mtlsFailureOf(client.get('/pay'));
	await mtlsFailureOf(client.get('/pay'));
	expect(logins).toBe(1);
	expect(asked(two)).toHaveLength(2);
});

test.each([
	[
		'a single identity',
		(it: MtlsOptions) => ({...it, allowRedirectsFrom: []}),
		'mtls.allowRedirectsFrom',
	],
	[
		'a path',
		(it: MtlsOptions) => [{...it, allowRedirectsFrom: ['https://a.test/x']}],
		'mtls[0].allowRedirectsFrom',
	],
	[
		'plain http',
		(it: MtlsOptions) => [{...it, allowRedirectsFrom: ['http://a.test']}],
		'mtls[0].allowRedirectsFrom',
	],
	[
		'no list',
		(it: MtlsOptions) => [{...it, allowRedirectsFrom: true as never}],
		'mtls[0].allowRedirectsFrom',
	],
])('the option allowRedirectsFrom of %s is refused', (_, mtls, option) => {
	expect(() =>
		createClient({mtls: mtls(as(fixture.alice, 'https://a.test')), logger: false}),
	).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option}));
});
