import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import axios from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {CookieJar, withMtls} from '../../src/index.ts';
import {FakeLoginLock, jarWith} from '../support/fake-login-lock.ts';
import {createFixture, type Fixture, failureOf} from '../support/fixture.ts';
import {printedForms} from '../support/printed-forms.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** Clients that stand for processes: jars of their own over one store, with one lock. */
async function startFleet(size: number) {
	const members = await startSessionPages(fixture);
	const lock = new FakeLoginLock();
	const shared = new CookieJar();
	const clients = Array.from({length: size}, () =>
		fixture.client({
			baseURL: members.server.origin,
			jar: jarWith(lock, shared),
			session: loginAndGet,
		}),
	);
	const all = (path: string) => Promise.all(clients.map((client) => client.get(path)));
	return {members, lock, clients, all};
}

describe('processes that share a store', () => {
	test('processes that share a store log in once, and once more when the session is over', async () => {
		const {members, all} = await startFleet(3);
		await all('/a');
		expect(members.tries).toBe(1);
		members.end();
		const answers = await all('/b');
		expect(answers.map(({data}) => data.login)).toEqual([2, 2, 2]);
		expect(members.tries).toBe(2);
	});

	test('a process that was idle logs in where the login that it takes over has ended as well', async () => {
		const {members, clients, all} = await startFleet(2);
		await all('/a');
		members.end();
		await clients[0]?.get('/b');
		members.end();
		// It knows of the first login, is told of the second, and finds that this is over too.
		const answer = await clients[1]?.get('/c');
		expect(answer?.data).toMatchObject({login: 3});
		expect(members.tries).toBe(3);
		expect(members.server.requests.filter(({url}) => url === '/c')).toHaveLength(3);
	});

	test('a shared login lock that is away fails the requests that need it, and no others', async () => {
		const {members, lock, clients, all} = await startFleet(2);
		await all('/a');
		lock.failing = ['generation'];
		await all('/b');
		members.end();
		const error = await failureOf(clients[0]?.get('/c') ?? Promise.resolve());
		expect(error).toMatchObject({
			name: 'AxiosError',
			code: 'ERR_MTLS_LEDGER_FAILED',
			message: 'the last login could not be read from the shared store (ECONNREFUSED)',
			config: {url: '/c'},
			cause: {code: 'ECONNREFUSED'},
		});
		expect(printedForms(error)).not.toContain('SECRET');
		expect(members.tries).toBe(1);
	});
});

test('a login that succeeds without a valid session is not tried for every request', async () => {
	const members = await startSessionPages(fixture);
	const client = fixture.client({
		baseURL: members.server.origin,
		jar: true,
		// A wrong password that is answered with a page.
		session: {login: (using) => using.get('/sorry', {validateStatus: null})},
	});
	const logins = () => members.server.requests.filter(({url}) => url === '/sorry').length;
	for (let again = 0; again < 10; again += 1) {
		expect((await failureOf(client.get('/a'))).status).toBe(401);
	}
	expect(logins()).toBe(2);
});

test('a request that is not allowed does not keep the others from logging in', async () => {
	const members = await startSessionPages(fixture, (_, response, {url}) => {
		if (url !== '/forbidden') return false;
		response.writeHead(401).end();
		return true;
	});
	const client = fixture.client({baseURL: members.server.origin, jar: true, session: loginAndGet});
	await client.get('/a');
	await failureOf(client.get('/forbidden'));
	await client.get('/a');
	members.end();
	expect((await client.get('/a')).data).toMatchObject({login: 3});
});

test('an instance of axios-cookiejar-support has its session in its own jar', async () => {
	const members = await startSessionPages(fixture);
	const jar = new CookieJar();
	const {cert, key} = fixture.alice;
	const client = withMtls(
		wrapper(axios.create({jar, baseURL: members.server.origin, proxy: false})),
		{mtls: {cert, key, ca: fixture.pki.ca}, session: loginAndGet, logger: false},
	);
	onTestFinished(() => client.mtls.close());
	expect((await client.get('/a')).data).toMatchObject({login: 1});
	expect(await jar.getCookieString(members.server.origin)).toBe('sid=1');
});

test('a client that is closed lets the login end that its requests wait for', async () => {
	const members = await startSessionPages(fixture);
	let goOn = () => {};
	const held = new Promise<void>((resolve) => {
		goOn = resolve;
	});
	const client = fixture.client({
		baseURL: members.server.origin,
		jar: true,
		session: {
			login: async (using) => {
				await held;
				await using.post('/login');
			},
		},
	});
	const request = client.get('/a');
	const closed = client.mtls.close();
	expect(await failureOf(client.get('/late'))).toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED'});
	goOn();
	expect((await request).data).toMatchObject({login: 1});
	await closed;
});

test('each login is published, a failed one with its reason and without a secret', async () => {
	const seen: unknown[] = [];
	const listen = (event: unknown) => seen.push(event);
	subscribe('axios-mtls:login', listen);
	onTestFinished(() => {
		unsubscribe('axios-mtls:login', listen);
	});
	const {members, lock, clients} = await startFleet(2);
	members.mode = 'refusing';
	await failureOf(clients[0]?.get('/a') ?? Promise.resolve());
	members.mode = 'open';
	await clients[1]?.get('/a');
	const third = fixture.client({
		baseURL: members.server.origin,
		jar: jarWith(lock),
		session: loginAndGet,
	});
	await third.get('/a').catch(() => {});
	expect(seen).toMatchObject([
		{
			event: 'login_failed',
			code: 'ERR_MTLS_LOGIN_FAILED',
			message: 'the login failed (ERR_BAD_REQUEST, status 403)',
			retryAfterMs: expect.any(Number),
			durationMs: expect.any(Number),
		},
		{event: 'logged_in'},
		{event: 'login_adopted'},
		{event: 'logged_in'},
	]);
	expect(printedForms(seen)).not.toContain('SECRET');
});
