/*
 * Run as a process of its own, whose clock can be set: plays the limbo cases of each validation time
 * (argv, or none for those without one), each against a server of its own, and prints what came of them
 * as JSON, one line for each time.
 */
import {once} from 'node:events';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import axios from 'axios';
import {createClient, MtlsConfigError} from '../../src/index.ts';
import {type HandshakeCase, readCases} from './x509-limbo.ts';

/** What a process prints. */
export interface CaseResult {
	/** Its clock when it had played them, ISO 8601. */
	readonly now: string;
	readonly outcomes: Readonly<Record<string, Outcome>>;
}

interface Outcome {
	/** `OK`, or the code of the error. */
	readonly verdict: string;
	/** How many requests have reached the server. */
	readonly requests: number;
}

const times = process.argv.slice(2);
const cases = readCases();
for (const time of times.length > 0 ? times : [null]) {
	// libfaketime reads it at each look at the clock; without an @ before it the time stands still.
	if (time !== null)
		process.env.FAKETIME = new Date(time).toISOString().replace('T', ' ').replace('Z', '');
	const outcomes: Record<string, Outcome> = {};
	for (const one of cases) {
		if (one.validation_time === time) outcomes[one.id] = await play(one);
	}
	const result: CaseResult = {now: new Date().toISOString(), outcomes};
	process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function play(one: HandshakeCase): Promise<Outcome> {
	let requests = 0;
	const server = createServer(
		{
			cert: [one.peer_certificate, ...one.untrusted_intermediates].join('\n'),
			key: one.peer_certificate_key,
			// A server may hold a weak key; to refuse it is up to the client.
			ciphers: 'DEFAULT@SECLEVEL=0',
		},
		(_, response) => {
			requests += 1;
			response.end();
		},
	);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	const verdict = await judge(one, `https://127.0.0.1:${port}/`);
	const closed = once(server, 'close');
	server.close();
	server.closeAllConnections();
	await closed;
	return {verdict, requests};
}

async function judge(one: HandshakeCase, url: string): Promise<string> {
	try {
		const client = createClient({
			mtls: {
				ca: one.trusted_certs,
				...(one.crls.length > 0 && {crl: one.crls}),
				servername: one.expected_peer_name.value,
			},
			logger: false,
			proxy: false,
		});
		try {
			// So that this process ends by itself, whatever comes of a handshake.
			await client.get(url, {timeout: 10_000});
			return 'OK';
		} finally {
			await client.mtls.close();
		}
	} catch (error) {
		if (error instanceof MtlsConfigError) return `${error.code} (${error.option})`;
		if (axios.isAxiosError(error)) return String(error.code);
		throw error;
	}
}
