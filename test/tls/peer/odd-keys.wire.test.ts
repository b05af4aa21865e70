/*
 * Seen: any server, trusted or not, could end the process of a client with a certificate on secp256k1 or
 * another curve that has no NIST name, and any client that of `startMtlsServer`.
 * Why: Node 24 and 26 crash in `getPeerCertificate()` on such a key, and it was called before the verdict.
 * Now: it is never called (src/tls/peer/legacy-form.ts), and the verdict is Node's own.
 */
// Slow: it makes handshakes with a corpus of keys, in processes of its own.
import {once} from 'node:events';
import https from 'node:https';
import {createInterface} from 'node:readline';
import {json, text} from 'node:stream/consumers';
import {isDeepStrictEqual} from 'node:util';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import type {ChildServer, ClientSeen} from '../../support/child-mtls-server.ts';
import {startConnectProxy} from '../../support/connect-proxy.ts';
import {sample} from '../../support/iterations.ts';
import {makeOddChains, type OddChains, type OddKeyPlace} from '../../support/odd-keys.ts';
import {listening, startChild, startServer, verdictsOf} from '../../support/odd-servers.ts';
import {tlsCurves} from '../../support/tls-curves.ts';

let odd: OddChains;
let chains: readonly OddKeyPlace[];
beforeAll(() => {
	odd = makeOddChains();
	// Each kind of key is in some of its places, and that which has ended processes in each.
	const tried = new Set(sample(odd.chains, 6));
	chains = odd.chains.filter((chain) => tried.has(chain) || /^secp256k1 /.test(chain.name));
});

test('no key of a server ends the process, and the verdict on it is that of Node', async () => {
	const {ca, good} = odd;
	const proxy = await startConnectProxy();
	onTestFinished(() => proxy.close());
	const goodPort = await startServer(good);
	const servers = [];
	for (const shown of chains) {
		const {name, trust, closely} = shown;
		servers.push({name, trust, closely, port: await startServer(shown)});
	}
	const questions = {ca, servers, proxyPort: proxy.port, goodPort};

	const byNode = await verdictsOf({...questions, who: 'node, unread'});
	expect(byNode).toMatchObject({signal: null, code: 0});
	const node = new Map(byNode.verdicts.map((it) => [`${it.version} ${it.name}`, it.verdict]));
	const {signal, code, verdicts} = await verdictsOf({...questions, who: 'ours'});

	expect({signal, code}).toEqual({signal: null, code: 0});
	const few = chains.filter(({closely}) => closely);
	expect(verdicts).toHaveLength(2 * (4 * chains.length + 3 * few.length));
	const differences = verdicts.flatMap(({name, version, way, verdict}) => {
		const expected = expectedOn(way, node.get(`${version} ${name}`));
		return verdict === expected ? [] : [{name, version, way, verdict, expected}];
	});
	expect(differences).toEqual([]);
}, 400_000);

/** What our client makes of a server, by what Node itself makes of it. */
function expectedOn(way: string, node: string | undefined): string | undefined {
	// What Node has verified, and found well named.
	if (way === 'under another name' && node === 'OK') return 'ERR_TLS_CERT_ALTNAME_INVALID';
	// The handshake itself goes on, or does not.
	if (way === 'with verification reported' && !node?.startsWith('ERR_SSL')) return 'OK';
	return node;
}

test('no key of a client ends the process of startMtlsServer, and the verdict on it is that of Node', async () => {
	const {ca, good} = odd;
	const child = startChild('child-mtls-server');
	const ended = once(child, 'close');
	child.stdin.write(`${JSON.stringify({ca})}\n`);
	const servers: ChildServer[] = [];
	for await (const line of createInterface(child.stdout)) {
		if (line === '') break;
		servers.push(JSON.parse(line));
	}
	const plain = {
		ours: await startPlainServer(good, ca.ours, ca.ours),
		odd: await startPlainServer(good, ca.odd, ca.ours),
	};

	const differences: unknown[] = [];
	for (const shown of chains) {
		for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
			const {trust, name, issuer} = shown;
			const node = await plain[trust](shown, version);
			const expected = node.code ? node : {...node, ...whom(node, issuer)};
			for (const server of servers.filter((each) => each.trust === trust)) {
				const found = await present(server, shown, version);
				const refuses = server.clientAuth === 'require' && !node.authorized;
				// A signature that cannot be checked leaves an error behind in OpenSSL, of which Node's
				// connection dies with TLS 1.2 where nobody has read the certificate.
				const died = node.code === 'ECONNRESET' && found.error === 'CERT_SIGNATURE_FAILURE';
				const agrees = refuses ? found.code !== undefined : isDeepStrictEqual(found, expected);
				if (!agrees && !died) differences.push({name, version, server, found, expected});
			}
		}
	}
	expect(differences).toEqual([]);
	child.stdin.end();
	expect(await ended).toEqual([0, null]);
}, 400_000);

test.each(['get', 'check'])(
	'axios-mtls %s reports a server with a secp256k1 key, and ends with its own exit code',
	async (command) => {
		const [shown] = odd.chains.filter(({name}) => name === 'secp256k1 as issuer');
		const port = await startServer(shown as OddKeyPlace);
		const child = startChild('../../src/cli/bin', command, `https://localhost:${port}/`);
		const output = text(child.stdout);
		expect(await once(child, 'close')).toEqual([1, null]);
		if (command === 'check') expect(await output).toContain('secp256k1');
	},
);

type Version = 'TLSv1.2' | 'TLSv1.3';

/** A client's certificate, and what a server that was shown it makes of it. */
type Presented = Partial<ClientSeen> & {readonly code?: string};

function whom({error}: Presented, issuer: string): Presented {
	// OpenSSL shows no certificate with whose key it cannot sign; this is how Node tells that.
	if (error === 'UNABLE_TO_GET_ISSUER_CERT') return {subject: null, chain: []};
	// A key that does not fit the signature is to OpenSSL none of the issuer.
	const alone = error === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
	return {subject: 'peer', chain: alone ? ['peer'] : ['peer', issuer]};
}

/** Shows a certificate to a server. */
function present(
	{port, ca}: {readonly port: number; readonly ca: string | readonly string[]},
	{cert, key}: OddKeyPlace,
	version: Version,
): Promise<Presented> {
	const options = {
		cert,
		key,
		ca: [ca].flat(),
		ecdhCurve: tlsCurves,
		ciphers: 'DEFAULT@SECLEVEL=0',
		minVersion: version,
		maxVersion: version,
		agent: false,
	};
	return new Promise((resolve) => {
		https
			.get(`https://localhost:${port}/`, options, (response) =>
				resolve(json(response) as Promise<Presented>),
			)
			.once('error', (error) =>
				resolve({code: 'code' in error ? String(error.code) : error.message}),
			);
	});
}

/** Shows a certificate to a server of Node's own that insists on one, and asks it for its verdict. */
async function startPlainServer(
	{cert, key}: OddKeyPlace,
	clientCa: readonly string[],
	serverCa: readonly string[],
) {
	const server = https.createServer(
		{
			cert,
			key,
			ca: [...clientCa],
			ciphers: 'DEFAULT@SECLEVEL=0',
			requestCert: true,
			rejectUnauthorized: true,
		},
		(_, response) => response.end(JSON.stringify({authorized: true, error: null})),
	);
	const port = await listening(server);
	return async (shown: OddKeyPlace, version: Version): Promise<Presented> => {
		// It closes the connection of a client that it refuses, and keeps the reason at the socket.
		const failed = once(server, 'tlsClientError');
		const presented = await present({port, ca: serverCa}, shown, version);
		if (presented.code === undefined) return presented;
		const [{code}, {authorizationError}] = await failed;
		// The client has sent none; to a server that goes on without one, it is this.
		const none = code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
		const error = none ? 'UNABLE_TO_GET_ISSUER_CERT' : authorizationError;
		return error ? {authorized: false, error} : presented;
	};
}
