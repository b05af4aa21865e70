import {once} from 'node:events';
import type {IncomingMessage} from 'node:http';
import https from 'node:https';
import {json} from 'node:stream/consumers';
import got from 'got';
import superagent from 'superagent';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {MtlsAgent} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {createFixture, type Fixture} from '../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function makeAgent(): MtlsAgent {
	const {cert, key} = fixture.alice;
	const agent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false});
	onTestFinished(() => agent.destroy());
	return agent;
}

/** What `GET` answers to a client that has nothing of ours but the agent. */
type Get = (url: string, agent: MtlsAgent) => Promise<unknown>;

const clients: readonly (readonly [string, Get])[] = [
	[
		'node:https',
		async (url, agent) => {
			const [response]: IncomingMessage[] = await once(https.get(url, {agent}), 'response');
			return response && json(response);
		},
	],
	['got', (url, agent) => got(url, {agent: {https: agent}, retry: {limit: 0}}).json()],
	['superagent', async (url, agent) => (await superagent.get(url).agent(agent)).body],
];

test.for(clients)(
	'the client %s presents the client certificate, on one connection',
	async ([, get]) => {
		const server = await fixture.server();
		const agent = makeAgent();

		const answers = [
			await get(server.url('/whoami'), agent),
			await get(server.url('/whoami'), agent),
		];

		const facts = {client: 'alice', issuer: 'Test Root CA', user: null};
		expect(answers).toEqual([expect.objectContaining(facts), expect.objectContaining(facts)]);
		expect(server.connections).toMatchObject([{secure: true, authorized: true, resumed: false}]);
	},
);

test.for(clients)(
	'the client %s sends no byte to a server that cannot be verified',
	async ([, get]) => {
		const impostor = await fixture.server({credential: await (await createTestPki()).server()});

		await expect(get(impostor.url('/whoami'), makeAgent())).rejects.toMatchObject({
			code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		});

		const [connection] = impostor.connections;
		await connection?.closed;
		expect(connection?.plaintextBytes).toBe(0);
		expect(impostor.requests).toEqual([]);
	},
);

test.for(clients)('the client %s gets the refusal of the client certificate', async ([, get]) => {
	const server = await fixture.server({clientCa: (await createTestPki()).ca});

	await expect(get(server.url('/whoami'), makeAgent())).rejects.toMatchObject({
		code: 'ECONNRESET',
	});

	const [connection] = server.connections;
	await connection?.closed;
	expect(connection).toMatchObject({authorized: false, clientCertificate: {subject: 'alice'}});
	expect(server.requests).toEqual([]);
});
