import {createClient} from '../../index.ts';
import {
	createTestPki,
	type MtlsServer,
	type MtlsServerOptions,
	startMtlsServer,
	type TestPki,
} from '../../testing/index.ts';
import {type ExitCode, exitCodes} from '../shared/exit-codes.ts';
import {type Io, print} from '../shared/io.ts';
import {login} from '../shared/sample-commands.ts';
import {Report} from './report.ts';
import {logIn, meetImpostor, quiet, requestAgain, requestWithoutCertificate} from './steps.ts';

/** The two servers of the demo, as options of `startMtlsServer`: a test can make each of them misbehave. */
export interface DemoServers {
	/** The CA of the bank and of the client. */
	readonly pki?: TestPki;
	readonly bank?: MtlsServerOptions;
	readonly impostor?: MtlsServerOptions;
}

/**
 * Shows the package at work between servers and clients in this process, on loopback alone. Each
 * claim that it prints is checked on what both ends saw.
 *
 * @returns 0 only when every step had the expected outcome.
 */
export async function demo(io: Io, servers: DemoServers = {}): Promise<ExitCode> {
	const report = new Report(io);
	report.title(
		'axios-mtls: two servers and two clients in this process; nothing leaves the machine.',
	);
	try {
		await play(report, servers);
	} catch (error) {
		report.surprise(`stopped: ${error instanceof Error ? error.message : error}`);
	}
	print(io);
	if (report.surprises > 0) {
		const facts = report.surprises === 1 ? '1 fact was' : `${report.surprises} facts were`;
		print(io, `${facts} not as expected: see ✗ above.`);
		return exitCodes.internal;
	}
	print(io, `All ${report.steps} steps went as they should. To go on with files of your own:`);
	print(io);
	print(io, '  axios-mtls certs pki');
	print(io, '  axios-mtls serve pki');
	return exitCodes.answered;
}

async function play(report: Report, servers: DemoServers): Promise<void> {
	report.step('Make a CA, a certificate for a server and one for a client.');
	const pki = servers.pki ?? (await createTestPki({commonName: 'Demo CA'}));
	const {cert, key} = await pki.client({commonName: 'demo-client'});
	report.note('Signed by "Demo CA", all in memory.');

	report.step('Start a bank that insists on a client certificate.');
	const bank = await startMtlsServer({
		pki,
		users: {[login.user]: login.password},
		...servers.bank,
	});
	report.note(`It listens at ${bank.origin}, for this demo only.`);

	try {
		await playClients(report, servers, {pki, cert, key}, bank);
	} finally {
		await bank.close();
	}
}

async function playClients(
	report: Report,
	servers: DemoServers,
	{pki, cert, key}: {readonly pki: TestPki; readonly cert: string; readonly key: string},
	bank: MtlsServer,
): Promise<void> {
	const client = createClient({mtls: {cert, key, ca: pki.ca}, jar: true, ...quiet});
	try {
		await logIn(report, client, bank);
		await requestAgain(report, client, bank);
		await requestWithoutCertificate(report, bank);
		await meetImpostor(report, client, servers.impostor);
	} finally {
		await client.mtls.close();
	}
}
