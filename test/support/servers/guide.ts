/*
 * Where the guides of docs/migrating/ are run: a directory with the files that they name, and a bank under
 * the name that they ask for.
 */
import {spawnSync} from 'node:child_process';
import type {TestContext} from 'vitest';
import {createTestPki, type RecordedRequest, startMtlsServer} from '../../../src/testing/index.ts';
import {makeConsumer} from '../../surface/consumer.ts';
import type {Example} from '../../surface/examples.ts';
import {startConnectProxy} from '../connect-proxy.ts';
import {pinOf} from '../forged-certificate.ts';
import {needs} from './programs.ts';

type Outcome = Awaited<ReturnType<ReturnType<typeof makeConsumer>['run']>>;

/** What a guide's blocks share: one may go on with the files of the one before. */
export interface Guide extends AsyncDisposable {
	/** Runs a block; `requests` are those that it made. */
	run(
		ctx: TestContext,
		block: Pick<Example, 'language' | 'line' | 'code'>,
	): Promise<Outcome & {readonly requests: readonly RecordedRequest[]}>;
	/** Checks the types of TypeScript, by name. */
	tsc(codes: ReadonlyMap<string, string>): Promise<Outcome>;
}

// Peers know no proxy, so that their connections are led to the bank by a hand on the socket. The
// name that they verify stays what it is.
const lead = `
import net from 'node:net';
const {connect} = net.Socket.prototype;
const here = (options) => ({...options, host: '127.0.0.1', port: process.env.LEAD_PORT});
net.Socket.prototype.connect = function (given, ...rest) {
	// Node hands itself a marked list of what it was called with.
	if (Array.isArray(given)) given[0] = here(given[0]);
	return connect.call(this, Array.isArray(given) ? given : here(given), ...rest);
};
`;

/** A Python that has what `code` imports. */
function pythonFor(ctx: TestContext, code: string): string {
	const python = needs(ctx, 'python3');
	if (!/^import requests$/m.test(code)) return python;
	const isFit = (path: string) => spawnSync(path, ['-c', 'import requests']).status === 0;
	const found = [python, '/usr/bin/python3'].find(isFit);
	if (found !== undefined) return found;
	if (process.env.CI) throw new Error('requests is not installed');
	return ctx.skip('requests is not installed');
}

export async function openGuide(): Promise<Guide> {
	const pki = await createTestPki();
	const app = makeConsumer(['got', 'http-cookie-agent', 'superagent']);
	const credential = await pki.server({names: ['api.bank.example', 'example.com']});
	const server = await startMtlsServer({
		pki,
		credential,
		// The peers have none to show in some blocks.
		clientAuth: 'request',
		handler(request, response) {
			if (request.url !== '/') return false;
			response.writeHead(200, {'set-cookie': 'visited=1; Secure'}).end();
			return true;
		},
	});
	const proxy = await startConnectProxy({
		route: () => ({host: '127.0.0.1', port: server.port}),
	});
	const client = await pki.client({commonName: 'alice'});
	app.write('client.crt', client.cert);
	app.write('client.key', client.key);
	app.write('ca.crt', pki.ca);
	app.write('lead.js', lead);

	/** With the ports and the pin of this bank in the place of those in the text. */
	const localized = (code: string) =>
		code
			.replaceAll('proxy.example', '127.0.0.1')
			.replaceAll('3128', String(proxy.port))
			.replaceAll('8443', String(server.port))
			.replaceAll(/sha256\/\/[\w+/]+=/g, pinOf(credential.leaf));

	const direct = {LEAD_PORT: String(server.port), NODE_EXTRA_CA_CERTS: `${app.dir}/ca.crt`};
	const proxied = {HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: `${app.dir}/ca.crt`};

	return {
		async run(ctx, {language, line, code}) {
			const before = server.requests.length;
			const name = `line-${line}.${language}`;
			app.write(name, localized(code));
			const run = async () => {
				switch (language) {
					case 'js':
						return app.run(process.execPath, ['--import', './lead.js', name], direct);
					case 'ts':
						return app.run(process.execPath, [name], proxied);
					case 'py':
						return app.run(pythonFor(ctx, code), [name], proxied);
					default:
						// Neither the user's .curlrc nor his home has a say.
						needs(ctx, 'curl');
						return app.run(needs(ctx, 'sh'), ['-e', name], {...proxied, CURL_HOME: app.dir});
				}
			};
			return {...(await run()), requests: server.requests.slice(before)};
		},
		tsc(codes) {
			// A top-level import or export makes a file a module, which `await` needs.
			for (const [name, code] of codes) app.write(name, `${code}\nexport {};\n`);
			return app.tsc(...codes.keys());
		},
		async [Symbol.asyncDispose]() {
			await Promise.all([server.close(), proxy.close()]);
			app[Symbol.dispose]();
		},
	};
}
