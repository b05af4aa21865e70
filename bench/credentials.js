import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createTestPki} from '../dist/testing/index.js';

/**
 * @typedef {object} Credentials
 * @property {string} ca
 * @property {{cert: string, key: string}} server
 * @property {{cert: string, key: string}} client
 * @property {(count: number) => Promise<{cert: string, key: string}[]>} issue further clients' certificates
 * @property {string} caFile for NODE_EXTRA_CA_CERTS, the way of a peer that takes no `ca`
 */

/** @returns {Promise<Credentials>} */
export async function makeCredentials() {
	const pki = await createTestPki();
	const [server, client] = await Promise.all([pki.server(), pki.client()]);
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-bench-'));
	process.once('exit', () => rmSync(folder, {recursive: true}));
	const caFile = join(folder, 'ca.crt');
	writeFileSync(caFile, pki.ca);
	return {
		ca: pki.ca,
		server: {cert: server.cert, key: server.key},
		client: {cert: client.cert, key: client.key},
		async issue(count) {
			const clients = [];
			for (let index = 0; index < count; index++) {
				const {cert, key} = await pki.client({commonName: `client ${index}`});
				clients.push({cert, key});
			}
			return clients;
		},
		caFile,
	};
}
