import {beforeAll, expect, test} from 'vitest';
import {createTestPki} from '../../src/testing/index.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {startHaproxy} from '../support/servers/haproxy.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const reloads = 5;
const answersOfEach = 200;
const inFlight = 16;
const idempotent = ['GET', 'PUT', 'DELETE', 'OPTIONS'] as const;

// HAProxy ends the idle connections of a process that is replaced, whatever is on its way to them.
test.for(exchanges)(
	'each idempotent request is answered while HAProxy is reloaded again and again, with %s',
	{timeout: 60_000},
	async ([, config], ctx) => {
		const haproxy = await startHaproxy(ctx, await fixture.pki.server(), fixture.pki.ca);
		const client = fixture.client({baseURL: haproxy.origin});
		/** Answers by process. */
		const processes = new Map<string, number>();
		let sent = 0;
		let latest = 0;
		const worker = async () => {
			while (processes.size <= reloads || latest < answersOfEach) {
				const method = idempotent[sent % idempotent.length] ?? 'GET';
				sent += 1;
				const {data} = await client.request({...config, method, url: '/'});
				const [pid = '', name, said] = String(data).split(' ');
				expect([name, said]).toEqual(['alice', method]);
				latest = (processes.get(pid) ?? 0) + 1;
				processes.set(pid, latest);
				if (latest === answersOfEach && processes.size <= reloads) haproxy.reload();
			}
		};

		await Promise.all(Array.from({length: inFlight}, worker));

		expect(processes.size).toBe(reloads + 1);
		expect(client.mtls.stats().handshakes.full).toBeGreaterThan(inFlight);
	},
);

test.for(exchanges)(
	'each request is answered before and after HAProxy is ended and started again, with %s',
	async ([, config], ctx) => {
		const haproxy = await startHaproxy(ctx, await fixture.pki.server(), fixture.pki.ca);
		const client = fixture.client({baseURL: haproxy.origin});
		const ask = async () => {
			const requests = Array.from({length: inFlight}, () => client.get('/', config));
			const answers = await Promise.all(requests);
			return new Set(answers.map(({data}) => String(data)));
		};

		const before = await ask();
		await haproxy.restart();
		const after = await ask();

		expect([before.size, after.size]).toEqual([1, 1]);
		expect(after).not.toEqual(before);
	},
);

test('an HAProxy with the certificate of another CA is sent no request', async (ctx) => {
	const impostor = await (await createTestPki()).server();
	const {origin} = await startHaproxy(ctx, impostor, fixture.pki.ca);
	const {failure} = await mtlsFailureOf(fixture.client().get(origin));
	expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server', phase: 'verify'});
});

test('an HAProxy that wants a certificate and gets none says so by an alert', async (ctx) => {
	const {origin} = await startHaproxy(ctx, await fixture.pki.server(), fixture.pki.ca);
	const client = fixture.client({mtls: {cert: undefined, key: undefined}} as never);
	const {failure} = await mtlsFailureOf(client.get(origin));
	expect(failure).toMatchObject({kind: 'client-certificate-required', side: 'client'});
});
