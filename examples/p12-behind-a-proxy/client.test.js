import assert from 'node:assert/strict';
import {execFile, execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {promisify} from 'node:util';
import {MtlsConfigError} from 'axios-mtls';
import {createTestPki, startMtlsServer} from 'axios-mtls/testing';
import {createBank} from './client.js';
import {startProxy} from './connect-proxy.js';

const dir = mkdtempSync(join(tmpdir(), 'p12-'));
const env = {
	CLIENT_P12: join(dir, 'client.p12'),
	CLIENT_P12_PASSWORD: 'correct horse',
	CA_FILE: join(dir, 'ca.crt'),
};
let pki;
let server;
let impostor;
let proxy;

before(async () => {
	pki = await createTestPki();
	server = await startMtlsServer({pki});
	impostor = await startMtlsServer();
	proxy = await startProxy({user: 'alice', password: 'p@ss'});
	writeFileSync(env.CA_FILE, pki.ca);
	const {cert, key} = await pki.client({commonName: 'alice'});
	execFileSync('openssl', ['pkcs12', '-export', '-out', env.CLIENT_P12, '-passout', 'env:P12'], {
		input: `${key}\n${cert}`,
		env: {...process.env, P12: env.CLIENT_P12_PASSWORD},
	});
});
after(async () => {
	await Promise.all([server.close(), impostor.close()]);
	proxy.close();
	rmSync(dir, {recursive: true});
});

/** Runs `npm start URL`; gives what it prints, and its exit code if that is not 0. */
async function start(url, login) {
	const HTTPS_PROXY = `http://${login}127.0.0.1:${proxy.port}`;
	const {PATH} = process.env;
	const options = {cwd: import.meta.dirname, env: {PATH, HTTPS_PROXY, ...env}};
	return promisify(execFile)(process.execPath, ['main.js', url], options).catch((error) => error);
}

test('the request goes through the proxy with the certificate of the .p12', async () => {
	const {stdout, stderr} = await start(server.url('/whoami'), 'alice:p%40ss@');

	assert.equal(stderr, '');
	assert.match(stdout, /client: 'alice'/);
	assert.deepEqual(proxy.tunnels, [`localhost:${server.port}`]);
});

test('a proxy without its login is named in the message', async () => {
	const before = server.connections.length;
	const {code, stderr} = await start(server.url('/whoami'), '');

	assert.equal(code, 1);
	assert.match(stderr, /proxy .*127\.0\.0\.1:\d+.* wants/);
	assert.equal(server.connections.length, before);
});

test('a server of another CA gets no request, with a proxy in between', async () => {
	const {code, stderr} = await start(impostor.url('/whoami'), 'alice:p%40ss@');

	assert.equal(code, 1);
	assert.match(stderr, /leads to no CA that is trusted/);
	assert.equal(impostor.requests.length, 0);
});

test('a wrong password of the .p12 is found when the client is made', () => {
	assert.throws(
		() => createBank({...env, CLIENT_P12_PASSWORD: 'wrong'}),
		(error) => error instanceof MtlsConfigError && error.option === 'mtls.passphrase',
	);
});
