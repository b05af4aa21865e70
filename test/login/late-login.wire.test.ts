import {once} from 'node:events';
import {beforeAll, describe, expect, test} from 'vitest';
import {CookieJar} from '../../src/index.ts';
import type {RequestHandler} from '../../src/testing/index.ts';
import {FakeLoginLock, jarWith} from '../support/fake-login-lock.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const clearing = 'sid=; Path=/; Max-Age=0';
const anonymous = 'sid=nobody; Path=/; Secure; HttpOnly';

/** Members whose first answer to `/slow` is held until `release`, and sets `cookie`. */
async function startSlow(cookie: string, status = 401) {
	const gate = new EventTarget();
	const held = once(gate, 'held');
	let isFirst = true;
	const handler: RequestHandler = async (_, response, {url}) => {
		if (url === '/signin') response.setHeader('set-cookie', anonymous);
		if (url !== '/slow' || !isFirst) return false;
		isFirst = false;
		gate.dispatchEvent(new Event('held'));
		await once(gate, 'release');
		response.setHeader('set-cookie', cookie);
		if (status === 401) return false;
		response.writeHead(status, {location: '/signin'}).end();
		return true;
	};
	const members = await startSessionPages(fixture, handler);
	return {members, held, release: () => gate.dispatchEvent(new Event('release'))};
}

// Seen: of a hundred requests in flight when the session died, one was answered. Why: the server let
// each 401 clear the session cookie, or set one of nobody, and those that came after the new login
// threw its cookie away. Now: the answers of a session that is over set nothing any more.
describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['a 401 that clears the session', clearing, 401],
		['a 401 that begins a session of nobody', anonymous, 401],
		['a redirect to the login page that does', anonymous, 302],
	])(
		'the late response %s changes nothing of the login that came before it',
		async (_, cookie, status) => {
			const {members, held, release} = await startSlow(cookie, status);
			const client = fixture.client({
				baseURL: members.server.origin,
				jar: true,
				session: {...loginAndGet, loginUrl: '/signin'},
				...options,
			});
			await client.get('/first');
			members.end();
			const slow = client.get('/slow');
			await held;
			await client.get('/fast');
			release();
			expect((await slow).data).toMatchObject({login: 2});
			expect((await client.get('/after')).data).toMatchObject({login: 2});
			expect(members.tries).toBe(2);
		},
	);
});

test('a late response that comes while a login is under way changes nothing of it', async () => {
	const {members, held, release} = await startSlow(anonymous);
	const judged = new EventTarget();
	const client = fixture.client({
		baseURL: members.server.origin,
		jar: true,
		session: {
			async login(using) {
				await using.post('/login');
				if (members.logins === 1) return;
				const seen = once(judged, 'seen');
				release();
				await seen;
			},
			isExpired({status, config}) {
				if (config.url === '/slow') judged.dispatchEvent(new Event('seen'));
				return status === 401;
			},
		},
	});
	await client.get('/first');
	members.end();
	const slow = client.get('/slow');
	await held;
	await client.get('/fast');
	expect((await slow).data).toMatchObject({login: 2});
	expect(members.tries).toBe(2);
});

test('a process that did not know of the login changes nothing of it', async () => {
	const {members, held, release} = await startSlow(clearing);
	const [lock, shared] = [new FakeLoginLock(), new CookieJar()];
	const [one, other] = [1, 2].map(() =>
		fixture.client({
			baseURL: members.server.origin,
			jar: jarWith(lock, shared),
			session: loginAndGet,
		}),
	);
	await Promise.all([one?.get('/a'), other?.get('/b')]);
	members.end();
	const slow = other?.get('/slow');
	await held;
	await one?.get('/fast');
	release();
	expect((await slow)?.data).toMatchObject({login: 2});
	expect(members.tries).toBe(2);
});

describe('what is kept', () => {
	/** Two answers to `/never` refuse, each with a cookie of its own. */
	const neverAllowed = async (jar: CookieJar) => {
		let count = 0;
		const members = await startSessionPages(fixture, async (_, response, {url}) => {
			if (url !== '/never') return false;
			count += 1;
			response.setHeader('set-cookie', `answer${count}=1; Path=/`);
			response.writeHead(401).end();
			return true;
		});
		const client = fixture.client({baseURL: members.server.origin, jar, session: loginAndGet});
		expect(await failureOf(client.get('/never'))).toMatchObject({status: 401});
		return jar.getCookieString(members.server.url('/'));
	};

	test('the cookies of each response whose session is still the last are kept', async () => {
		expect(await neverAllowed(new CookieJar())).toBe('sid=2; answer1=1; answer2=1');
	});

	test('the cookies of the response that the app gets are kept where processes share the session', async () => {
		expect(await neverAllowed(jarWith(new FakeLoginLock()))).toBe('sid=2; answer2=1');
	});
});
