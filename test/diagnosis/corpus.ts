/*
 * Broken set-ups, each with its cause: the failure has to name it first, and to name nothing that the facts
 * exclude. Then the repair is carried out, and the same request has to succeed.
 */
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {inspect} from 'node:util';
import type {AxiosRequestConfig} from 'axios';
import {beforeAll, expect, onTestFinished, type TestContext, test} from 'vitest';
import {
	type ClientConfig,
	createClient,
	type FailureKind,
	type MtlsOptions,
} from '../../src/index.ts';
import {failureLines} from '../../src/logging/failure-lines.ts';
import {createFixture, type Fixture, mtlsFailureOf} from '../support/fixture.ts';

/** A request of an app. */
interface Attempt {
	readonly url: string;
	/** Besides alice's certificate and the CA of the PKI. */
	readonly mtls?: MtlsOptions | readonly MtlsOptions[];
	readonly config?: ClientConfig;
	readonly request?: AxiosRequestConfig;
}

/** A set-up that does not work, and what makes it work. */
interface SetUp {
	readonly broken: Attempt;
	/** The same after the repair: in the client's options, or of the server. */
	readonly repaired: Attempt | (() => Promise<Attempt>);
	/** What else the failure must say. */
	readonly says?: RegExp;
}

export interface Case {
	/** Completes the sentence "the first cause is named for …". */
	readonly name: string;
	readonly kind: FailureKind;
	readonly certain: boolean;
	/** The id of the cause that has to come first. */
	readonly first: string;
	/** All other causes that are listed, in order; with a proof there are none. */
	readonly others: readonly string[];
	/** A pattern of texts that must not appear, in any reason or in the hint. */
	readonly never?: RegExp;
	readonly setUp: (fixture: Fixture, context: TestContext) => Promise<SetUp>;
}

/** Runs each case as a test of the file that calls it. */
export function runCorpus(cases: readonly Case[]): void {
	let fixture: Fixture;
	beforeAll(async () => {
		fixture = await createFixture();
	});

	test.for(cases)('the first cause is named for $name', async (each, context) => {
		const {broken, repaired, says} = await each.setUp(fixture, context);
		const error = await mtlsFailureOf(attempt(fixture, broken));
		const {kind, certain, causes, reasons, hint} = error.failure;
		expect({kind, certain, causes}).toEqual({
			kind: each.kind,
			certain: each.certain,
			causes: [each.first, ...each.others],
		});
		const sentences = [error.message, ...reasons, hint];
		expect(reasons).toHaveLength(causes?.length ?? 0);
		for (const sentence of sentences) {
			expect(sentence).not.toMatch(/undefined|null|\[object|NaN|''|\n/);
			if (each.never !== undefined) expect(sentence).not.toMatch(each.never);
		}
		if (says !== undefined) expect(sentences.join('\n')).toMatch(says);

		// As a developer sees it: on the console, and by console.error().
		expect(1 + failureLines(error.failure, error.code).length).toBeLessThanOrEqual(12);
		const printed = inspect(error).split('\n');
		expect(printed.length).toBeLessThanOrEqual(25);
		expect(printed[1]).toBe(`  cause: ${reasons[0]}`);

		const answer = await attempt(
			fixture,
			typeof repaired === 'function' ? await repaired() : repaired,
		);
		expect(answer.status).toBe(200);
	});
}

function attempt({alice, pki}: Fixture, {url, mtls, config, request}: Attempt) {
	const {cert, key} = alice;
	const client = createClient({
		mtls: Array.isArray(mtls) ? mtls : {cert, key, ca: pki.ca, ...mtls},
		logger: false,
		proxy: false,
		...config,
	});
	onTestFinished(() => client.mtls.close({deadlineMs: 0}));
	return client.request({method: 'get', url, ...request});
}

/** An https server with any options of `node:tls`; ends with the test. */
export async function serve(
	options: https.ServerOptions,
	answer: (url: string) => {
		status: number;
		headers?: Record<string, string>;
		body?: string;
	} = () => ({
		status: 200,
	}),
): Promise<{readonly port: number; readonly url: string}> {
	const server = https.createServer(options, (request, response) => {
		const {status, headers, body = 'well'} = answer(request.url ?? '/');
		response.writeHead(status, headers).end(body);
	});
	server.listen(0, '127.0.0.1');
	await new Promise((resolve) => server.once('listening', resolve));
	onTestFinished(async () => {
		const closed = new Promise((resolve) => server.once('close', resolve));
		server.close();
		server.closeAllConnections();
		await closed;
	});
	const {port} = server.address() as AddressInfo;
	return {port, url: `https://localhost:${port}/`};
}
