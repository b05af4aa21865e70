/*
 * What is asked of every server: a login whose 302 sets a cookie, and pages that need it.
 */
import {readFileSync} from 'node:fs';
import {expect} from 'vitest';
import type {MtlsClient} from '../../../src/index.ts';
import type {Program} from './programs.ts';

export const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** What `POST /login` sets and `GET /accounts` asks for. */
export const cookie = 'session=3f9a1c';

/** What `GET /accounts` answers. */
export const accounts = {accounts: ['checking', 'savings']};

/** A server that writes one JSON object a request. */
export interface LoggingServer extends Program {
	readonly origin: string;
	/** Ends the server and reads all that it has logged. */
	log(atLeast?: number): Promise<Line[]>;
}

/** A line of the log. */
export interface Line {
	/** The same for all requests of one connection, and for no other. */
	readonly connection: string;
	/** The how manieth of its connection, from 1. */
	readonly count: number;
	readonly request: string;
	readonly status: number;
	readonly protocol: string;
	readonly resumed: boolean;
	/** Distinguished name of the certificate that the client showed. */
	readonly client: string;
}

export function readLog(path: string): Record<string, string>[] {
	const lines = readFileSync(path, 'utf8').split('\n');
	return lines.flatMap((line) => (line ? [JSON.parse(line)] : []));
}

/** Logs in and asks 20 times for what needs the session. */
export async function useSession(client: MtlsClient, config: object): Promise<void> {
	const login = await client.post('/login', {user: 'alice', password: 'wonderland'}, config);
	expect(login).toMatchObject({status: 200, data: accounts});
	expect(login.request.res.responseUrl).toMatch(/\/accounts$/);
	for (let i = 0; i < 20; i++) {
		expect((await client.get('/accounts', config)).data).toEqual(accounts);
	}
}

/** The log after {@link useSession}, where all came on one connection and so on one handshake. */
export function expectOneHandshake(log: readonly Line[], protocol: string, client: string): void {
	const connection = log[0]?.connection;
	const requests = ['POST /login', ...Array<string>(21).fill('GET /accounts')];
	expect(log).toEqual(
		requests.map((request, index) => ({
			connection,
			count: index + 1,
			request: `${request} HTTP/1.1`,
			status: index === 0 ? 302 : 200,
			protocol,
			resumed: false,
			client,
		})),
	);
}
