// Slow: it makes handshakes with a corpus of certificates, in processes of its own.
import {expect, onTestFinished, test} from 'vitest';
import type {Verdict} from '../../support/child-verdicts.ts';
import {startConnectProxy} from '../../support/connect-proxy.ts';
import {sample} from '../../support/iterations.ts';
import {makeOddContents} from '../../support/odd-contents.ts';
import {startServer, verdictsOf} from '../../support/odd-servers.ts';

// What is thrown while a handshake is read is thrown into OpenSSL's callback, where nobody catches it.
test('nothing in a certificate ends the process, and the verdict on it is that of Node', async () => {
	const {ca, good, chains: all} = makeOddContents();
	const chains = sample(all);
	const proxy = await startConnectProxy();
	onTestFinished(() => proxy.close());
	const goodPort = await startServer(good);
	const servers = [];
	for (const shown of chains) {
		const {name, trust} = shown;
		servers.push({name, trust, closely: false, port: await startServer(shown)});
	}
	const questions = {ca: {ours: ca.ours}, servers, proxyPort: proxy.port, goodPort};

	const byNode = await verdictsOf({...questions, who: 'node'});
	const byOurs = await verdictsOf({...questions, who: 'ours'});

	for (const {signal, code} of [byNode, byOurs]) {
		expect({signal, code}).toEqual({signal: null, code: 0});
	}
	const node = new Map(byNode.verdicts.map((it) => [`${it.version} ${it.name}`, plain(it)]));
	expect(byOurs.verdicts).toHaveLength(2 * 4 * chains.length);
	const differences = byOurs.verdicts.filter(
		(it) => plain(it) !== node.get(`${it.version} ${it.name}`),
	);
	expect(differences).toEqual([]);
	// Both kinds are among them.
	expect(new Set(node.values())).toContain('OK');
	expect(new Set(node.values())).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
}, 120_000);

// A server of OpenSSL stumbles over some of them itself, which Node's client tells by one of several codes.
function plain({verdict}: Verdict): string {
	return /^(ERR_SSL_|EPROTO$|ECONNRESET$|ERR_PROXY_BAD_REPLY$)/.test(verdict)
		? 'no handshake'
		: verdict;
}
