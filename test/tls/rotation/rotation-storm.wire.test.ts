// Slow: it sends thousands of requests while certificates are replaced.
import {expect, test} from 'vitest';
import type {ConnectProxy} from '../../support/connect-proxy.ts';
import {createFixture} from '../../support/fixture.ts';
import {iterations, sample} from '../../support/iterations.ts';
import {makeSecretFolder} from '../../support/secret-folder.ts';

// With LONG 200 over all cases. ROTATIONS=200 makes as many in each, which takes a minute for each.
const rotations = Number(process.env.ROTATIONS ?? iterations({usual: 4, short: 1, long: 25}));
const concurrency = 64;
const answersBetween = 8;

const fixture = await createFixture();
const credentials = await Promise.all(
	Array.from({length: rotations + 1}, (_, epoch) =>
		fixture.pki.client({commonName: String(epoch)}),
	),
);

const cases = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
	['direct', 'through a tunnel'].flatMap((way) =>
		['kept alive', 'closed after each answer'].map((end) => [version, way, end] as const),
	),
);

test.each(sample(cases))(
	'under 64 requests at a time no rotation fails one or shows an old certificate, %s, %s, %s',
	async (maxVersion, way, end) => {
		const server = await fixture.server({
			maxVersion,
			handler: (request, response, {connection}) => {
				if (end !== 'kept alive') response.setHeader('connection', 'close');
				response.end(JSON.stringify([request.headers['x-epoch'], connection.clientCertificate]));
				return true;
			},
		});
		const proxy: ConnectProxy | false = way !== 'direct' && (await fixture.proxy());
		const folder = makeSecretFolder(filesOf(0));
		const client = fixture.client({
			mtls: {cert: folder.path('tls.crt'), key: folder.path('tls.key')},
			proxy: proxy && {host: '127.0.0.1', port: proxy.port},
		});
		let over = false;
		let answered = 0;
		const tooOld: string[] = [];
		const ask = async () => {
			while (!over) {
				const begun = client.mtls.stats().epoch;
				const {data} = await client.get(server.url('/'), {headers: {'x-epoch': begun}});
				const [asked, {subject}] = data as [string, {subject: string}];
				if (Number(subject) < Number(asked)) tooOld.push(`${asked}: ${subject}`);
				answered += 1;
			}
		};
		const load = Promise.all(Array.from({length: concurrency}, ask));

		for (let epoch = 1; epoch <= rotations; epoch++) {
			const enough = answered + answersBetween;
			while (answered < enough) await client.get(server.url('/'));
			folder.swap(filesOf(epoch));
			await client.mtls.reload();
		}
		over = true;
		await load;

		expect(tooOld).toEqual([]);
		expect(client.mtls.stats()).toMatchObject({
			epoch: rotations,
			sockets: {active: 0, queued: 0},
		});
		const {data} = await client.get(server.url('/'));
		expect(data[1].subject).toBe(String(rotations));
		if (end !== 'kept alive') expect(server.handshakes.resumed).toBeGreaterThan(0);
	},
	120_000,
);

function filesOf(epoch: number) {
	const {cert = '', key = ''} = credentials[epoch] ?? {};
	return {'tls.crt': cert, 'tls.key': key};
}
