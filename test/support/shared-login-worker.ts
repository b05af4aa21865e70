/*
 * Run as a process of its own, one of a fleet: sends its share of requests in the session that all
 * of them keep in Redis, and prints what came of it as JSON.
 */
import {createClient as createRedis} from 'redis';
import {CookieJar, createClient} from '../../src/index.ts';
import {RedisCookieStore} from '../../src/redis/index.ts';

/** What a worker is told in FLEET, as JSON. */
export interface WorkerOrder {
	readonly name: string;
	readonly redisPort: number;
	readonly origin: string;
	readonly mtls: {readonly cert: string; readonly key: string; readonly ca: string};
	/** For the cookies in Redis, in base64. */
	readonly secret: string;
	readonly requests: number;
	/** Each so manieth answer sets a cookie of its own. */
	readonly cookieEvery: number;
}

/** What a worker prints. */
export interface WorkerReport {
	readonly answered: number;
	/** Codes of the requests that failed and were made again. */
	readonly failures: readonly string[];
}

const inFlight = 4;

async function work(order: WorkerOrder): Promise<WorkerReport> {
	const redis = createRedis({
		socket: {host: '127.0.0.1', port: order.redisPort, reconnectStrategy: 20},
	});
	redis.on('error', () => {});
	await redis.connect();
	const key = Buffer.from(order.secret, 'base64');
	const jar = new CookieJar(new RedisCookieStore(redis, {prefix: 'fleet', key}));
	const client = createClient({
		baseURL: order.origin,
		mtls: order.mtls,
		jar,
		session: {login: (login) => login.post('/login')},
		proxy: false,
		logger: false,
	});
	let answered = 0;
	let next = 0;
	const failures: string[] = [];
	const send = async () => {
		while (next < order.requests) {
			const number = next++;
			const keep = number % order.cookieEvery === 0 ? `?keep=${order.name}-${number}` : '';
			while (!(await isAnswered(`/visit${keep}`)));
			answered += 1;
		}
	};
	const isAnswered = async (url: string) => {
		try {
			await client.get(url, {timeout: 10_000});
			return true;
		} catch (error) {
			const {code} = error as {code?: string};
			failures.push(code ?? String(error));
			// What is not Redis's is not to be tried for ever.
			if (code !== 'ERR_MTLS_JAR_FAILED') throw error;
			return false;
		}
	};
	await Promise.all(Array.from({length: inFlight}, send));
	await client.mtls.close();
	await redis.close();
	return {answered, failures};
}

process.stdout.write(JSON.stringify(await work(JSON.parse(process.env.FLEET ?? ''))));
