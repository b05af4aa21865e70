import {once} from 'node:events';
import {type AddressInfo, connect, createServer} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** A relay that reads along on the way to a server. */
export interface CertificateRelay {
	readonly origin: string;
	/** The client's certificates in the order in which it sent them, DER; TLS 1.2 does not hide them. */
	certificates(): Buffer[];
}

/** Starts a relay to a server on this machine; it ends with the test. */
export async function startCertificateRelay(port: number): Promise<CertificateRelay> {
	const chunks: Buffer[] = [];
	const relay = createServer((client) => {
		const server = connect(port, '127.0.0.1');
		client.on('data', (chunk) => chunks.push(chunk));
		client.pipe(server).pipe(client);
		client.on('error', () => server.destroy());
		server.on('error', () => client.destroy());
		onTestFinished(() => {
			client.destroy();
			server.destroy();
		});
	});
	relay.listen(0, '127.0.0.1');
	await once(relay, 'listening');
	onTestFinished(() => {
		relay.close();
	});
	return {
		origin: `https://localhost:${(relay.address() as AddressInfo).port}`,
		certificates: () => certificatesIn(handshakeOf(Buffer.concat(chunks))),
	};
}

/** The handshake messages before the client begins to encrypt (RFC 5246 §6.2.1). */
function handshakeOf(stream: Buffer): Buffer {
	const fragments: Buffer[] = [];
	for (let rest = stream; rest[0] === 22; ) {
		const end = 5 + rest.readUInt16BE(3);
		fragments.push(rest.subarray(5, end));
		rest = rest.subarray(end);
	}
	return Buffer.concat(fragments);
}

/** The list of the Certificate message (RFC 5246 §7.4.6, which is of the form of §7.4.2). */
function certificatesIn(handshake: Buffer): Buffer[] {
	for (let rest = handshake; rest.length > 4; ) {
		const end = 4 + rest.readUIntBE(1, 3);
		if (rest[0] === 11) return entries(rest.subarray(7, end));
		rest = rest.subarray(end);
	}
	return [];
}

function entries(list: Buffer): Buffer[] {
	if (list.length === 0) return [];
	const end = 3 + list.readUIntBE(0, 3);
	return [list.subarray(3, end), ...entries(list.subarray(end))];
}
