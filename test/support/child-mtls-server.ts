/*
 * Run as a process of its own, which may end at any time: serves clients whom the CAs in stdin vouch for
 * until stdin ends, and prints its servers, each a line of JSON.
 */
import {writeSync} from 'node:fs';
import {createInterface} from 'node:readline';
import type {TLSSocket} from 'node:tls';
import {type MtlsServer, startMtlsServer} from '../../src/testing/index.ts';

/** A server, as another process may know it. */
export interface ChildServer {
	readonly trust: string;
	readonly clientAuth: 'require' | 'request';
	readonly port: number;
	/** Vouches for it, PEM. */
	readonly ca: string;
}

/** What a handler reads of the client. */
export interface ClientSeen {
	readonly authorized: boolean;
	readonly error: string | null;
	/** Common names, leaf first. */
	readonly chain: readonly string[];
	/** From the record of the connection. */
	readonly subject: string | null;
}

const servers: MtlsServer[] = [];

for await (const line of createInterface(process.stdin)) {
	const {ca}: {ca: Readonly<Record<string, readonly string[]>>} = JSON.parse(line);
	for (const [trust, clientCa] of Object.entries(ca)) {
		for (const clientAuth of ['require', 'request'] as const) {
			const server = await startMtlsServer({
				clientCa,
				clientAuth,
				ciphers: 'DEFAULT@SECLEVEL=0',
				handler({socket}, response, {connection}) {
					const subject = connection.clientCertificate?.subject ?? null;
					response.end(JSON.stringify({...seen(socket as TLSSocket), subject}));
					return true;
				},
			});
			servers.push(server);
			const told: ChildServer = {trust, clientAuth, port: server.port, ca: server.ca};
			writeSync(1, `${JSON.stringify(told)}\n`);
		}
	}
	writeSync(1, '\n');
}
await Promise.all(servers.map((server) => server.close()));

function seen(socket: TLSSocket): Omit<ClientSeen, 'subject'> {
	const chain: string[] = [];
	for (let link = socket.getPeerCertificate(true); link?.raw; link = link.issuerCertificate) {
		chain.push([link.subject.CN].flat().join());
		if (link.issuerCertificate === link) break;
	}
	return {
		authorized: socket.authorized,
		error: (socket.authorizationError as unknown as string | null) ?? null,
		chain,
	};
}
