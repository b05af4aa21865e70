/*
 * Seen: `blue = red.create({mtls: blueCertificate})` sent the cookies of red's session, so that a server
 * answered blue, who had never logged in, with the account of red.
 */
import axios from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {
	type ClientConfig,
	CookieJar,
	createClient,
	type MtlsOptions,
	withMtls,
} from '../../src/index.ts';
import {refusalBy} from '../support/config-refusal.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {respondWith, startH2Server} from '../support/h2-server.ts';
import {pfxOf} from '../support/pfx-writer.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
let blue: Required<Pick<MtlsOptions, 'cert' | 'key' | 'ca'>>;
beforeAll(async () => {
	fixture = await createFixture();
	const {cert, key} = await fixture.pki.client({commonName: 'blue'});
	blue = {cert, key, ca: fixture.pki.ca};
});

/** Makes an instance of `parent`, whose connections end with the test. */
function childOf(parent: ReturnType<Fixture['client']>, config: ClientConfig) {
	const child = parent.create({proxy: false, ...config});
	onTestFinished(() => child.mtls.close({deadlineMs: 0}));
	return child;
}

/** A server that sets the cookie `session` at `/login`, with the name of the client. */
async function startServer(http2: boolean) {
	if (!http2) {
		return fixture.server({
			// Without a certificate too, for the instances that have only a CA.
			clientAuth: 'request',
			handler: ({url}, response, {connection}) => {
				if (url !== '/login') return false;
				response.setHeader('set-cookie', cookieFor(connection.clientCertificate?.subject));
				response.end();
				return true;
			},
		});
	}
	return startH2Server(fixture.pki, {
		clientAuth: 'request',
		pages: {
			'/login': (request) => {
				const {stream, connection} = request;
				stream.respond({
					':status': 200,
					'set-cookie': cookieFor(connection.clientCertificate?.subject),
				});
				stream.end();
			},
			'/echo': respondWith,
		},
	});
}

function cookieFor(subject: string | undefined): string {
	return `session=${subject}; Path=/; Secure; HttpOnly`;
}

const transports = [
	...exchanges.map(([name, options]) => [name, options, false] as const),
	...exchanges.map(
		([name, options]) => [`${name}, HTTP/2`, {...options, httpVersion: 2}, true] as const,
	),
];

describe.each(transports)('over %s', (_, options, http2) => {
	test('an instance with credentials of its own sends and gets no cookie of its parent', async () => {
		const server = await startServer(http2);
		const red = fixture.client({...options, jar: true});
		await red.get(server.url('/login'));
		const other = childOf(red, {...options, mtls: blue});

		await other.get(server.url('/echo'));
		expect(server.requests.at(-1)).toMatchObject({
			connection: {clientCertificate: {subject: 'blue'}},
		});
		expect(server.requests.at(-1)?.headers).not.toHaveProperty('cookie');

		await other.get(server.url('/login'));
		await other.get(server.url('/echo'));
		expect(server.requests.at(-1)?.headers.cookie).toBe('session=blue');
		await red.get(server.url('/echo'));
		expect(server.requests.at(-1)).toMatchObject({
			headers: {cookie: 'session=alice'},
			connection: {clientCertificate: {subject: 'alice'}},
		});
	});

	test('an instance without credentials of its own sends the cookies of its parent', async () => {
		const server = await startServer(http2);
		const red = fixture.client({...options, jar: true});
		await red.get(server.url('/login'));
		const same = childOf(red, options);
		const trusting = childOf(red, {...options, mtls: {ca: fixture.pki.ca}});
		for (const [child, subject] of [
			[same, 'alice'],
			[trusting, undefined],
		] as const) {
			expect(child.mtls.jar).toBe(red.mtls.jar);
			await child.get(server.url('/echo'));
			const request = server.requests.at(-1);
			expect(request?.headers.cookie).toBe('session=alice');
			expect(request?.connection.clientCertificate?.subject).toBe(subject);
		}
	});

	test('an instance that is given the jar of its parent by name shares its cookies', async () => {
		const server = await startServer(http2);
		const red = fixture.client({...options, jar: new CookieJar()});
		await red.get(server.url('/login'));
		const jar = red.mtls.jar as CookieJar;
		const other = childOf(red, {...options, mtls: blue, jar});
		await other.get(server.url('/echo'));
		expect(server.requests.at(-1)).toMatchObject({
			headers: {cookie: 'session=alice'},
			connection: {clientCertificate: {subject: 'blue'}},
		});
	});

	test('withMtls() gives an instance that a client has created none of the cookies of that client', async () => {
		const server = await startServer(http2);
		const red = fixture.client({...options, jar: true});
		await red.get(server.url('/login'));
		const child = red.create({...options, proxy: false});
		const other = withMtls(child, {mtls: blue, logger: false});
		onTestFinished(() => other.mtls.close({deadlineMs: 0}));
		expect(other.mtls.jar).toBeUndefined();
		for (const sender of [other, other.create()]) {
			await sender.get(server.url('/echo'));
			const request = server.requests.at(-1);
			expect(request?.headers).not.toHaveProperty('cookie');
			expect(request?.connection.clientCertificate?.subject).toBe('blue');
		}
	});
});

describe('what counts as credentials of its own', () => {
	const make = (mtls: ClientConfig['mtls']) => {
		const parent = fixture.client({jar: true});
		return {parent, child: childOf(parent, mtls === undefined ? {} : {mtls, logger: false})};
	};

	test.each<[string, () => ClientConfig['mtls']]>([
		['cert and key', () => blue],
		['pfx', () => ({pfx: pfxOf(String(blue.cert), String(blue.key))})],
		['a loader', () => ({identity: () => ({cert: blue.cert, key: blue.key})})],
		[
			'a list with one certificate',
			() => [
				{ca: fixture.pki.ca, origins: ['https://a.test']},
				{...blue, origins: ['https://b.test']},
			],
		],
		// As from variables of the environment that are not set.
		['cert and key that are undefined', () => ({cert: undefined, key: undefined}) as object],
	])('an instance with %s has a jar of its own', (_, mtls) => {
		const {parent, child} = make(mtls());
		expect(child.mtls.jar).toBeInstanceOf(CookieJar);
		expect(child.mtls.jar).not.toBe(parent.mtls.jar);
	});

	test.each<[string, () => ClientConfig['mtls']]>([
		['no mtls', () => undefined],
		['an empty mtls', () => ({})],
		['a ca', () => ({ca: fixture.pki.ca, minVersion: 'TLSv1.3'})],
		[
			'a certificate for the proxy alone',
			() => ({proxy: {cert: blue.cert, key: blue.key}}) as MtlsOptions,
		],
		['a list of CAs', () => [{ca: fixture.pki.ca, origins: ['https://a.test']}]],
	])('an instance with %s shares the jar', (_, mtls) => {
		const {parent, child} = make(mtls());
		expect(child.mtls.jar).toBe(parent.mtls.jar);
	});
});

describe('the jar of an instance with credentials of its own', () => {
	const needsJar = {
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'jar',
		message:
			'jar: this instance has credentials of its own in `mtls`, and the cookies in the jar it would inherit are those of another: give `jar: true` for a jar of its own, `jar: false` for none, or the same `jar` to share the cookies on purpose',
	};

	test.each<[string, () => ReturnType<Fixture['client']>]>([
		['an object', () => fixture.client({jar: new CookieJar()})],
		['a file', () => fixture.client({jar: tempFile('jar')})],
		[
			'an object, of an instance in between',
			() => fixture.client({jar: true}).create({jar: new CookieJar()}),
		],
		[
			'that of axios-cookiejar-support',
			() => withMtls(wrapper(axios.create({jar: new CookieJar()})), {logger: false}),
		],
		[
			'a default that was set later',
			() => {
				const client = fixture.client({jar: true});
				client.defaults.jar = client.mtls.jar as CookieJar;
				return client;
			},
		],
	])('a jar that the app gave, %s, is inherited by name alone', (_, parentOf) => {
		const parent = parentOf();
		expect(refusalBy(() => parent.create({mtls: blue}))).toMatchObject(needsJar);

		const jar = parent.mtls.jar as CookieJar;
		expect(childOf(parent, {mtls: blue, jar}).mtls.jar).toBe(jar);
		expect(childOf(parent, {mtls: blue, jar: false}).mtls.jar).toBeUndefined();
		const own = childOf(parent, {mtls: blue, jar: true}).mtls.jar;
		expect(own).toBeInstanceOf(CookieJar);
		expect(own).not.toBe(jar);
		expect(childOf(parent, {}).mtls.jar).toBe(jar);
	});

	test('an instance of an instance has a new jar too, and one without a jar stays without', () => {
		const first = fixture.client({jar: true});
		const second = first.create();
		const third = childOf(second, {mtls: blue});
		const fourth = childOf(third, {mtls: {...blue}});
		expect(second.mtls.jar).toBe(first.mtls.jar);
		expect(new Set([first, third, fourth].map(({mtls}) => mtls.jar)).size).toBe(3);
		expect(childOf(fixture.client(), {mtls: blue}).mtls.jar).toBeUndefined();
	});

	test('the new jar follows the `cookies` of the new instance', async () => {
		const parent = fixture.client({jar: true});
		const child = childOf(parent, {mtls: blue, cookies: {internalDomains: ['intranet']}});
		const store = (jar = new CookieJar()) =>
			jar.setCookie('a=1; Domain=intranet; Path=/; Secure', 'https://wiki.intranet/');
		await expect(store(child.mtls.jar)).resolves.toMatchObject({key: 'a', domain: 'intranet'});
		await expect(store(parent.mtls.jar)).rejects.toThrow('public suffix');
	});
});

describe.each(exchanges)(
	'the login of an instance with credentials of its own, over %s',
	(_, options) => {
		const start = async (config: ClientConfig = {}) => {
			const members = await startSessionPages(fixture);
			const red = fixture.client({
				...options,
				baseURL: members.server.origin,
				jar: true,
				session: loginAndGet,
				...config,
			});
			await red.get('/a');
			return {members, red};
		};

		test.each([
			['nothing', {}],
			['a new jar', {jar: true}],
		])(
			'a login is not inherited: with %s the app has to say what it wants',
			async (_name, given) => {
				const {red} = await start();
				expect(refusalBy(() => red.create({mtls: blue, ...given}))).toMatchObject({
					code: 'ERR_MTLS_BAD_OPTION',
					option: 'session',
					message:
						'session: this instance has credentials of its own in `mtls`, and the login it would inherit is that of another: give a `session` that logs in as this one, `session: false` for no login, or the same `jar` to share cookies and login on purpose',
				});
			},
		);

		test('a session of its own logs in with the certificate of the new instance', async () => {
			const {members, red} = await start();
			const other = childOf(red, {...options, mtls: blue, session: loginAndGet});
			await other.get('/b');
			expect(members.tries).toBe(2);
			const subjects = members.server.requests.map(
				({url, connection}) => `${url} ${connection.clientCertificate?.subject}`,
			);
			expect(subjects).toEqual(['/login alice', '/a alice', '/login blue', '/b blue']);
			expect(members.server.requests.map(({headers}) => headers.cookie)).toEqual([
				undefined,
				'sid=1',
				undefined,
				'sid=2',
			]);
		});

		test.each([
			['`session: false`', {session: false}],
			['`jar: false`', {jar: false}],
		] as const)(
			'%s leaves the new instance without a login and without a cookie',
			async (_name, given) => {
				const {members, red} = await start();
				const other = childOf(red, {...options, mtls: blue, ...given});
				expect(await failureOf(other.get('/b'))).toMatchObject({status: 401});
				// Not even where a request brings the jar of the session.
				members.end();
				const {status} = await other.get('/c', {
					jar: red.mtls.jar as CookieJar,
					validateStatus: null,
				});
				expect(status).toBe(401);
				expect(members.tries).toBe(1);
				expect(members.server.requests.find(({url}) => url === '/b')?.headers).not.toHaveProperty(
					'cookie',
				);
			},
		);

		test('the same jar shares the login, and one that trusts another CA alone shares it too', async () => {
			const {members, red} = await start({jar: new CookieJar()});
			const jar = red.mtls.jar as CookieJar;
			await childOf(red, {...options, mtls: blue, jar}).get('/b');
			expect(members.tries).toBe(1);
			expect(members.server.requests.at(-1)).toMatchObject({
				headers: {cookie: 'sid=1'},
				connection: {clientCertificate: {subject: 'blue'}},
			});
			members.end();
			await childOf(red, {...options, mtls: blue, jar}).get('/c');
			expect(members.tries).toBe(2);
		});
	},
);

test('an instance that cannot be made leaves its parent as it was', async () => {
	const jar = new CookieJar();
	const red = createClient({jar, proxy: false, logger: false});
	refusalBy(() => red.create({mtls: blue}));
	expect(red.mtls.jar).toBe(jar);
	expect(red.create().mtls.jar).toBe(jar);
	await red.mtls.close();
});
