import {createClient} from '../../index.ts';
import {
	createTestPki,
	type MtlsServer,
	type MtlsServerOptions,
	startMtlsServer,
	type TestPki,
} from '../../testing/index.ts';
import {type ExitCode, exitCodes} from '../shared/exit-codes.ts';
import {type Io, print, printCommand, printText} from '../shared/io.ts';
import {commandLine, login} from '../shared/sample-commands.ts';
import {Report} from './report.ts';
import {logIn, meetImpostor, quiet, requestAgain, requestWithoutCertificate} from './steps.ts';

/** The two servers of the demo, as options of `startMtlsServer`: tests make them misbehave. */
export interface DemoServers {
	/** The CA of the bank and of the client. */
	readonly pki?: TestPki;
	readonly bank?: MtlsServerOptions;
	readonly impostor?: MtlsServerOptions;
}

/**
 * Runs clients and servers in this process, on loopback only. Each fact that it prints is checked
 * against what client and server recorded.
 *
 * @returns 0 only when every fact is as expected.
 */
export async function demo(io: Io, servers: DemoServers = {}): Promise<ExitCode> {
	// Before the first line: where it cannot be made, the reason is all that there is to say.
	const pki = servers.pki ?? (await createTestPki({commonName: 'Demo CA'}));
	const report = new Report(io);
	report.title(
		'axios-mtls: two servers and two clients in this process; nothing leaves the machine.',
	);
	try {
		await play(report, {...servers, pki});
	} catch (error) {
		report.fail(`stopped: ${error instanceof Error ? error.message : error}`);
	}
	print(io);
	if (report.failures > 0) {
		const facts = report.failures === 1 ? '1 fact was' : `${report.failures} facts were`;
		print(io, `${facts} not as expected: see ✗ above.`);
		return exitCodes.internal;
	}
	printText(io, `All ${report.steps} steps went as they should. To go on with files of your own:`);
	print(io);
	printCommand(io, commandLine(io, ['certs', 'pki']));
	printCommand(io, commandLine(io, ['serve', 'pki']));
	return exitCodes.answered;
}

async function play(report: Report, servers: DemoServers & {readonly pki: TestPki}): Promise<void> {
	report.step('Make a CA, a certificate for a server and one for a client.');
	const {pki} = servers;
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
