import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {copyFileSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {promisify} from 'node:util';
import {createTestPki, startMtlsServer} from 'axios-mtls/testing';

const dir = mkdtempSync(join(tmpdir(), 'lambda-'));
after(() => rmSync(dir, {recursive: true}));
copyFileSync(new URL('../dist/handler.cjs', import.meta.url), join(dir, 'handler.cjs'));
copyFileSync(new URL('invoke.cjs', import.meta.url), join(dir, 'invoke.cjs'));

const pki = await createTestPki();
const {cert, key} = await pki.client({commonName: 'our-function'});

async function invoke(server) {
	const env = {BANK_URL: server.origin, CLIENT_CERT: cert, CLIENT_KEY: key, BANK_CA: pki.ca};
	return promisify(execFile)(process.execPath, ['invoke.cjs'], {cwd: dir, env});
}

test('the one file calls the server with its certificate, on one connection', async () => {
	const server = await startMtlsServer({pki});
	after(() => server.close());

	const {stdout, stderr} = await invoke(server);

	assert.equal(stderr, '');
	assert.match(stdout, /^200 \{"client":"our-function".*\}\n200 \{"client":"our-function".*\}\n$/);
	assert.deepEqual(
		server.requests.map(({url}) => url),
		['/whoami?account=1', '/whoami?account=2'],
	);
	assert.equal(server.connections.length, 1);
	assert.deepEqual(readdirSync(dir).sort(), ['handler.cjs', 'invoke.cjs']);
});

test('a server of another CA gets no request', async () => {
	const impostor = await startMtlsServer();
	after(() => impostor.close());

	const {stdout, stderr} = await invoke(impostor);

	assert.equal(stdout, '502 {"reason":"untrusted-issuer"}\n'.repeat(2));
	assert.match(stderr, /leads to no CA that is trusted/);
	assert.equal(impostor.requests.length, 0);
});
