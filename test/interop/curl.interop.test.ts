/*
 * curl as the oracle: in each cell of the table of handshakes it agrees with us on who is accepted.
 */
import {beforeAll, expect, test} from 'vitest';
import {createClient, isMtlsError} from '../../src/index.ts';
import type {MtlsServer} from '../../src/testing/index.ts';
import {
	type Cell,
	type Credentials,
	createCredentials,
	startCellServer,
	table,
} from '../support/handshake-table.ts';
import {curlVerdict} from '../support/servers/curl.ts';

let credentials: Credentials;
beforeAll(async () => {
	credentials = await createCredentials();
});

test.for(table)(
	'curl and the library agree on identity $identity and server $server with $version',
	async (cell, ctx) => {
		const {pki, identities} = credentials;
		await using server = await startCellServer(credentials, cell);
		const expected = cell.accepted ? 'accepted' : 'refused';

		const ours = await ourVerdict(cell, server);
		const url = server.url('/whoami');
		const curls = await curlVerdict(ctx, identities[cell.identity], pki.ca, url, cell.version);

		expect({ours, curls: curls.verdict}).toEqual({ours: expected, curls: expected});
		expect(server.requests).toHaveLength(cell.accepted ? 2 : 0);
		expect(server.connections).toHaveLength(2);
		expect(exitCodesFor(cell)).toContain(curls.exitCode);
		if (cell.server !== 'good') {
			for (const {closed} of server.connections) await closed;
			expect(server.connections.map(({plaintextBytes}) => plaintextBytes)).toEqual([0, 0]);
		}
	},
);

/** 60: curl could not verify the server. 35: the server ended the handshake; 52, 55, 56: what came after. */
function exitCodesFor({version, identity, server}: Cell): readonly number[] {
	// curl judges the chain within the handshake, the name after it; a TLS 1.2 server judges us between.
	const weComeFirst = version === 'TLSv1.2' && identity !== 'good' && server === 'wrong name';
	if (server !== 'good' && !weComeFirst) return [60];
	return identity === 'good' ? [0] : [35, 52, 55, 56];
}

async function ourVerdict({identity}: Cell, server: MtlsServer): Promise<'accepted' | 'refused'> {
	const own = credentials.identities[identity];
	const client = createClient({
		mtls: {
			ca: credentials.pki.ca,
			...(own && {cert: own.cert, key: own.key}),
			...(identity === 'expired' && {allowExpired: true}),
		},
		logger: false,
		proxy: false,
	});
	try {
		await client.get(server.url('/whoami'));
		return 'accepted';
	} catch (error) {
		if (isMtlsError(error)) return 'refused';
		throw error;
	} finally {
		await client.mtls.close();
	}
}
