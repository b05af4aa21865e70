import {beforeAll, expect, test} from 'vitest';
import {createFixture, exchanges, type Fixture} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';

/** As many as are in flight when the session dies; each has a connection of its own. */
const loads = [iterations({usual: 300, long: 1_000}), 100];

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

test.each(exchanges.map((exchange, index) => [loads[index] ?? 0, ...exchange] as const))(
	'a session that ends under %d requests over %s costs one login, and each gets its response',
	async (inFlight, _, options) => {
		let arrived = 0;
		let arrive = () => {};
		const all = new Promise<void>((resolve) => {
			arrive = resolve;
		});
		const members = await startSessionPages(fixture, async (_, __, {url}) => {
			if (!url.startsWith('/flight')) return;
			// Nobody gets an answer before all of them have asked.
			arrived += 1;
			if (arrived === inFlight) arrive();
			await all;
		});
		const client = fixture.client({
			...options,
			baseURL: members.server.origin,
			jar: true,
			session: loginAndGet,
		});
		await client.get('/first');
		members.end();

		const numbers = Array.from({length: inFlight}, (_, index) => index);
		const answers = await Promise.all(numbers.map((i) => client.post(`/flight/${i}`, `body ${i}`)));

		expect(answers.map(({data}) => data)).toEqual(
			numbers.map((i) => ({login: 2, body: `body ${i}`})),
		);
		expect(members.tries).toBe(2);
		expect(arrived).toBe(2 * inFlight);
	},
	60_000,
);
