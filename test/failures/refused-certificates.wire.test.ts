/*
 * Seen: 1,000 refusals of a server that shows a new certificate of 95 kB each time left 359 MB behind.
 * Why: the facts of a certificate were kept by its bytes, whoever had shown it.
 * Now: of certificates only those of verified servers are kept.
 */
// Slow: a process makes handshakes with large certificates, and weighs its memory.
import {execFile} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import https from 'node:https';
import {createSecureContext} from 'node:tls';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {dnsName, extension, text, toPem, writeCertificate} from '../support/certificate-writer.ts';
import {iterations} from '../support/iterations.ts';
import {listening} from '../support/odd-servers.ts';

test('a server that is refused leaves nothing behind, however large its certificates are', async () => {
	const key = generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey;
	const keyPem = key.export({type: 'pkcs8', format: 'pem'}).toString();
	const names = Array.from({length: 1_000}, (_, i) => dnsName(`${'x'.repeat(70)}${i}.test`));
	const content = {
		subject: 'localhost',
		publicKey: key,
		key,
		names: Buffer.concat([dnsName('localhost'), ...names]),
		extensions: [extension('2a030406', text('y'.repeat(17_000)))],
	};
	const contextOf = (der: Buffer) => createSecureContext({cert: toPem(der), key: keyPem});
	const first = writeCertificate(content);
	expect(first.length).toBeGreaterThan(95_000);
	const server = https.createServer(
		{
			cert: toPem(first),
			key: keyPem,
			// By its serial number another one each time.
			SNICallback: (_, done) => done(null, contextOf(writeCertificate(content))),
		},
		() => {},
	);
	server.on('tlsClientError', () => {});
	const port = await listening(server);

	const count = iterations({usual: 150, short: 60, long: 300});
	const script = fileURLToPath(new URL('../support/child-refusals.ts', import.meta.url));
	const argv = ['--expose-gc', '--max-old-space-size=96', script];
	const env = {...process.env, PORT: String(port), COUNT: String(count)};
	const {stdout} = await promisify(execFile)(process.execPath, argv, {env});

	expect(Number(stdout)).toBeLessThan(16);
}, 120_000);
