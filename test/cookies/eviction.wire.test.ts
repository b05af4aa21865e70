import {CookieJar} from 'tough-cookie';
import {beforeAll, describe, expect, test} from 'vitest';
import {createFixture, exchanges, type Fixture, pages} from '../support/fixture.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

interface Told {
	readonly event: string;
	readonly name: string;
	readonly host: string;
	readonly reason: string;
	readonly count?: number;
}

function recordingLogger() {
	const told: Told[] = [];
	const messages: string[] = [];
	const warn = (fields: object, message: string) => {
		told.push(fields as Told);
		messages.push(message);
	};
	return {told, messages, logger: {error: warn, warn}};
}

/** A server whose `/set` sets ever new cookies by the lines that `lineOf` makes of their numbers. */
async function startSetter(perAnswer: number, lineOf: (number: number) => string) {
	let count = 0;
	return fixture.server({
		handler: pages({
			'/set': (_, response) => {
				const lines = Array.from({length: perAnswer}, () => lineOf(count++));
				response.writeHead(204, {'set-cookie': lines}).end();
			},
		}),
	});
}

describe.each(exchanges)('over %s', (_, options) => {
	// Seen: after 2,100 cookies of one host each request of it was answered with 431, for ever.
	test.each<[string, () => boolean | string | CookieJar]>([
		['of ours', () => true],
		['of the app', () => new CookieJar()],
		['of a file', () => tempFile('jar')],
	])(
		'2,100 cookies of one host, in a jar %s, do not make requests too large',
		async (_title, jar) => {
			const server = await startSetter(50, (number) => `name-${number}=1; Path=/`);
			const {told, messages, logger} = recordingLogger();
			const client = fixture.client({...options, jar: jar(), logger});
			client.mtls.jar?.setCookieSync('session=1; Path=/; Secure', server.url());
			for (let answers = 0; answers < 42; answers += 1) await client.get(server.url('/set'));

			const {data} = await client.get(server.url('/echo'));
			const names = data.headers.cookie.split('; ').map((pair: string) => pair.split('=')[0]);
			expect(names).toHaveLength(180);
			// Secure ones go last, and of the others the oldest first.
			expect(new Set(names)).toEqual(
				new Set(['session', ...Array.from({length: 179}, (_, index) => `name-${index + 1_921}`)]),
			);
			expect(told.slice(0, 10)).toEqual(
				Array.from({length: 10}, (_, index) => ({
					event: 'cookie_evicted',
					name: `name-${index}`,
					host: 'localhost',
					reason: 'domain-full',
				})),
			);
			expect(told.slice(10).map(({event, count}) => [event, count])).toEqual([
				['cookie_evicted', 11],
				['cookie_evicted', 100],
				['cookie_evicted', 1_000],
			]);
			expect(messages[0]).toBe(
				"the cookie 'name-0' of localhost had to go: its domain has more than 180",
			);
		},
	);

	// Seen: 40 answers with 300 cookies of another domain each wrote 12,000 lines.
	test('refused cookies are logged one by one at first, and then at each tenfold of them', async () => {
		const server = await startSetter(300, (number) => `x${number}=s3cret; Domain=b.test`);
		const {told, messages, logger} = recordingLogger();
		const client = fixture.client({...options, jar: true, logger});
		for (let answers = 0; answers < 40; answers += 1) await client.get(server.url('/set'));

		const each = {
			event: 'cookie_refused',
			host: 'localhost',
			domain: 'b.test',
			reason: 'foreign-domain',
		};
		expect(told).toEqual([
			...Array.from({length: 10}, (_, index) => ({...each, name: `x${index}`})),
			{...each, name: 'x10', count: 11},
			{...each, name: 'x99', count: 100},
			{...each, name: 'x999', count: 1_000},
			{...each, name: 'x9999', count: 10_000},
		]);
		expect(messages.slice(9, 12)).toEqual([
			"the cookie 'x9' of localhost for the domain 'b.test' was refused: its domain is not that of the host",
			"the cookie 'x10' of localhost for the domain 'b.test' was refused: its domain is not that of the host (number 11; of this host and reason, number 100 is logged next)",
			"the cookie 'x99' of localhost for the domain 'b.test' was refused: its domain is not that of the host (number 100; of this host and reason, number 1000 is logged next)",
		]);
		expect(JSON.stringify([told, messages])).not.toContain('s3cret');
	});

	test('refused cookies of another reason or another host are logged from their first', async () => {
		const server = await startSetter(40, (number) =>
			number % 2 ? `x${number}=1; Domain=b.test` : `__Host-${number}=1`,
		);
		const {told, logger} = recordingLogger();
		const client = fixture.client({...options, jar: true, logger});
		await client.get(server.url('/set'));
		await client.get(server.url('/set').replace('localhost', '127.0.0.1'));

		const places = Object.groupBy(told, ({host, reason}) => `${host} ${reason}`);
		expect(Object.entries(places).map(([place, list]) => [place, list?.length])).toEqual([
			['localhost prefix', 11],
			['localhost foreign-domain', 11],
			['127.0.0.1 prefix', 11],
			['127.0.0.1 foreign-domain', 11],
		]);
	});
});
