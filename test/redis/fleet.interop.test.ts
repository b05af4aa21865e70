import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, onTestFinished, test} from 'vitest';
import {CookieJar} from '../../src/index.ts';
import {RedisCookieStore} from '../../src/redis/index.ts';
import {createFixture} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';
import {connectRedis, startRedis} from '../support/servers/redis.ts';
import type {WorkerOrder, WorkerReport} from '../support/shared-login-worker.ts';

const processes = 8;
const requests = iterations({usual: 100, long: 500});
const cookieEvery = 50;
const half = (processes * requests) / 2;
/** Of a process's requests, those whose answer sets a cookie. */
const numbers = Array.from({length: requests / cookieEvery}, (_, index) => index * cookieEvery);

const worker = fileURLToPath(new URL('../support/shared-login-worker.ts', import.meta.url));

async function runWorker(order: WorkerOrder): Promise<WorkerReport> {
	const env = {
		PATH: process.env.PATH,
		NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
		FLEET: JSON.stringify(order),
	};
	// One that waits for a Redis that is gone would go on for ever.
	const ending = new AbortController();
	onTestFinished(() => ending.abort());
	const options = {env, signal: ending.signal};
	const {stdout} = await promisify(execFile)(process.execPath, [worker], options);
	return JSON.parse(stdout);
}

test(`${processes} processes of ${requests} requests share one session, while Redis is restarted`, async (ctx) => {
	const redis = await startRedis(ctx);
	const {pki, alice, server} = await createFixture();
	const seen = {logins: 0, visits: 0, strangers: 0, set: 0};
	let restarted: Promise<void> | undefined;
	const bank = await server({
		handler(request, response, recorded) {
			const url = new URL(recorded.url, bank.origin);
			const keep = url.searchParams.get('keep');
			if (url.pathname === '/login') {
				seen.logins += 1;
				response.setHeader('set-cookie', `session=${seen.logins}; Path=/; HttpOnly; Secure`);
			} else {
				seen.visits += 1;
				if (seen.visits === half) restarted = redis.stop().then(redis.start);
				if (!/\bsession=1\b/.test(request.headers.cookie ?? '')) {
					seen.strangers += 1;
					response.statusCode = 401;
				} else if (keep !== null) {
					seen.set += 1;
					response.setHeader('set-cookie', `${keep}=1; Path=/kept; Secure`);
				}
			}
			response.end();
			return true;
		},
	});
	const key = randomBytes(32);
	const names = Array.from({length: processes}, (_, index) => `p${index}`);

	const reports = await Promise.all(
		names.map((name) =>
			runWorker({
				...{name, requests, cookieEvery},
				redisPort: redis.relay.port,
				origin: bank.origin,
				mtls: {cert: alice.cert, key: alice.key, ca: pki.ca},
				secret: key.toString('base64'),
			}),
		),
	);

	expect(restarted).toBeDefined();
	expect(reports.map(({answered}) => answered)).toEqual(names.map(() => requests));
	expect(seen).toMatchObject({logins: 1, strangers: 0});

	const store = new RedisCookieStore(await connectRedis(redis), {prefix: 'fleet', key});
	const kept = (await store.getAllCookies()).map((cookie) => cookie.key);
	expect(kept.sort()).toEqual(
		['session', ...names.flatMap((name) => numbers.map((number) => `${name}-${number}`))].sort(),
	);

	// What was on its way when Redis went has failed by name, and was made again.
	const failures = reports.flatMap(({failures}) => failures);
	expect(failures.filter((code) => code !== 'ERR_MTLS_JAR_FAILED')).toEqual([]);
	const {HGETALL: reads = 0, HGET: lookups = 0, ...others} = tally(redis.relay.commands);
	const sent = seen.visits + seen.logins;
	// One more was ours, just now.
	expect(reads - 1).toBeGreaterThanOrEqual(sent);
	expect(reads - 1).toBeLessThanOrEqual(sent + failures.length);
	// The jar asks for the old cookie before it sets one.
	expect(lookups).toBeLessThanOrEqual(seen.set + seen.logins);
	expect(Object.keys(others).sort()).toEqual(['EVAL', 'GET']);
}, 90_000);

function tally(commands: readonly string[]): Partial<Record<string, number>> {
	const counts: Partial<Record<string, number>> = {};
	for (const name of commands) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}

test('a fleet whose Redis lost everything logs in once more, not once each', async (ctx) => {
	const redis = await startRedis(ctx);
	const {server, client} = await createFixture();
	let logins = 0;
	const bank = await server({
		handler(request, response, recorded) {
			if (recorded.url === '/login') {
				logins += 1;
				response.setHeader('set-cookie', `session=${logins}; Path=/; Secure`);
			} else if (request.headers.cookie !== `session=${logins}`) {
				response.statusCode = 401;
			}
			response.end();
			return true;
		},
	});
	const fleet = await Promise.all(
		Array.from({length: 4}, async () => {
			const store = new RedisCookieStore(await connectRedis(redis), {prefix: 'fleet'});
			return client({
				baseURL: bank.origin,
				jar: new CookieJar(store),
				session: {login: (login) => login.post('/login')},
			});
		}),
	);
	const visitAll = () => Promise.all(fleet.flatMap((one) => [one.get('/a'), one.get('/b')]));
	await visitAll();
	expect(logins).toBe(1);

	await (await connectRedis(redis)).flushAll();

	expect((await visitAll()).map(({status}) => status)).toEqual(Array(8).fill(200));
	expect(logins).toBe(2);
});
