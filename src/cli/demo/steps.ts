import {setTimeout} from 'node:timers/promises';
import {createClient, isMtlsError, type MtlsClient, type MtlsError} from '../../index.ts';
import {
	createTestPki,
	type MtlsServer,
	type MtlsServerOptions,
	type RecordedConnection,
	startMtlsServer,
} from '../../testing/index.ts';
import {explain} from '../shared/report-error.ts';
import {login} from '../shared/sample-commands.ts';
import type {Report} from './report.ts';

/** Options of all clients of the demo. */
export const quiet = {
	logger: false,
	// A proxy of the environment cannot reach this loopback.
	proxy: false,
	validateStatus: () => true,
	timeout: 10_000,
} as const;

/** The login sets its cookie on a 302, which an interceptor never sees. */
export async function logIn(report: Report, client: MtlsClient, bank: MtlsServer): Promise<void> {
	report.step(`Log in as ${login.user}, with the certificate.`);
	const response = await client.post(bank.url('/login'), login);
	const [post, redirected] = bank.requests;

	report.check(
		'we verified the server: signed by "Demo CA", its name is localhost',
		response.tls?.authorized,
		true,
	);
	report.check(
		'the server saw our certificate, "demo-client"',
		bank.connections[0]?.clientCertificate?.fingerprint256,
		client.mtls.identity?.fingerprint256,
	);
	report.check('POST /login set a cookie on a redirect, which was followed', post?.url, '/login');
	report.check(
		'the cookie came along to GET /accounts',
		redirected?.url === '/accounts' && isSession(redirected.headers.cookie),
		true,
	);
	report.check(`it answered with the accounts of ${login.user} (200)`, response.status, 200);
}

/** Certificate, connection and cookie stay the same. */
export async function requestAgain(
	report: Report,
	client: MtlsClient,
	bank: MtlsServer,
): Promise<void> {
	report.step('Ask for the accounts again.');
	const before = bank.requests.at(-1)?.headers.cookie;
	const response = await client.get(bank.url('/accounts'));
	const after = bank.requests.at(-1);

	report.check('GET /accounts answered 200', response.status, 200);
	report.check(
		'same cookie',
		isSession(after?.headers.cookie) && after?.headers.cookie === before,
		true,
	);
	report.check('same connection', after?.connection.id, bank.requests[0]?.connection.id);
	report.check('requests that the server answered = 3', bank.requests.length, 3);
	const {full, resumed} = bank.handshakes;
	report.check('handshakes made = 1, so the same certificate', full + resumed, 1);
}

export async function requestWithoutCertificate(report: Report, bank: MtlsServer): Promise<void> {
	report.step('Come to the bank without a certificate.');
	const anonymous = createClient({mtls: {ca: bank.ca}, ...quiet});
	const answered = bank.requests.length;
	try {
		const refusal = await refusalOf(report, anonymous, bank.url('/accounts'));
		report.check(
			'the bank refused us: client-certificate-required',
			refusal?.failure.kind,
			'client-certificate-required',
		);
		quoteRefusal(report, refusal);
		report.check('requests that it answered = 0', bank.requests.length - answered, 0);
	} finally {
		await anonymous.mtls.close();
	}
}

/** A client with a certificate and a session connects to the wrong server. */
export async function meetImpostor(
	report: Report,
	client: MtlsClient,
	options: MtlsServerOptions = {},
): Promise<void> {
	report.step(
		'Meet an impostor: the same name, a certificate of another CA. It writes down all it gets.',
	);
	const impostor = await startMtlsServer({
		pki: await createTestPki({commonName: 'Impostor CA'}),
		clientAuth: 'request',
		handler: (_request, response) => {
			response.end('welcome');
			return true;
		},
		...options,
	});
	try {
		const refusal = await refusalOf(report, client, impostor.url('/accounts'));
		report.check('we refused it: untrusted-issuer', refusal?.failure.kind, 'untrusted-issuer');
		quoteRefusal(report, refusal);
		// A closed connection has counted every byte.
		if (refusal) await allClosed(impostor.connections);
		checkNothingReached(report, impostor, refusal?.failure.clientCertificate === 'sent');
	} finally {
		await impostor.close();
	}
}

function checkNothingReached(
	report: Report,
	{connections, requests}: MtlsServer,
	wasCertificateSent: boolean,
): void {
	report.check('connections that it got = 1', connections.length, 1);
	report.check(
		'bytes of the request that reached it = 0',
		connections.reduce((sum, {plaintextBytes}) => sum + plaintextBytes, 0),
		0,
	);
	const gotCertificate = connections.some((it) => it.clientCertificate !== undefined);
	report.check(
		wasCertificateSent
			? 'it saw our certificate, which TLS 1.2 sends before the server is verified, and no cookie'
			: 'it saw neither our certificate nor our cookie',
		requests.length === 0 && gotCertificate === wasCertificateSent,
		true,
	);
}

async function allClosed(connections: readonly RecordedConnection[]): Promise<void> {
	// A connection that stays open after a refusal must not hang the demo.
	const timeout = setTimeout(2000, undefined, {ref: false});
	await Promise.race([Promise.all(connections.map(({closed}) => closed)), timeout]);
}

function quoteRefusal(report: Report, refusal: MtlsError | undefined): void {
	if (refusal) report.quote([refusal.summary, ...explain(refusal.failure)]);
}

/** Sends a GET that the client or the server is expected to refuse. */
async function refusalOf(
	report: Report,
	client: MtlsClient,
	url: string,
): Promise<MtlsError | undefined> {
	try {
		const {status} = await client.get(url);
		report.fail(`it answered ${status}`);
	} catch (error) {
		if (isMtlsError(error)) return error;
		report.fail(`it failed otherwise: ${error instanceof Error ? error.message : error}`);
	}
	return undefined;
}

function isSession(cookie: string | undefined): boolean {
	return cookie?.startsWith('session=') === true;
}
