import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, type TestContext} from 'vitest';
import type {Credential} from '../../../src/testing/index.ts';
import {makeDir, needs, startProgram} from './programs.ts';
import {accounts, cookie, type LoggingServer, readLog} from './session.ts';

// Debian, Fedora, macOS. What a build has compiled in has no file.
const moduleFolders = [
	'/usr/lib/apache2/modules',
	'/usr/lib64/httpd/modules',
	'/opt/homebrew/opt/httpd/lib/httpd/modules',
];

/** Directives that let it speak HTTP/2 too. */
export const http2 = 'Protocols h2 http/1.1';

const modules = [
	'http2',
	'mpm_event',
	'unixd',
	'authz_core',
	'alias',
	'headers',
	'log_config',
	'ssl',
];

/** Starts Apache with `SSLVerifyClient require` and a login; ends with the test. */
export async function startApache(
	ctx: TestContext,
	{cert, key}: Credential,
	ca: string,
	version: string,
	/** Directives that come last. */
	extra = '',
): Promise<LoggingServer> {
	const path = needs(ctx, 'apache2', 'httpd');
	const dir = makeDir({
		'server.crt': cert,
		'server.key': key,
		'ca.crt': ca,
		accounts: JSON.stringify(accounts),
	});
	const program = await startProgram(path, (port) => {
		writeFileSync(join(dir, 'httpd.conf'), configuration(dir, port, version, extra));
		// In the foreground, in one process.
		return ['-X', '-f', join(dir, 'httpd.conf')];
	});
	return {
		...program,
		origin: `https://localhost:${program.port}`,
		async log(atLeast = 0) {
			const read = () => readLog(join(dir, 'access.log'));
			// Apache writes a line after its response, and not at all once it is told to stop.
			await expect.poll(() => read().length, {timeout: 5_000}).toBeGreaterThanOrEqual(atLeast);
			await program.stop();
			return read().map(({count, status, resumed, ...line}) => ({
				...(line as {connection: string; request: string; protocol: string; client: string}),
				// Apache counts the requests that came before.
				count: Number(count) + 1,
				status: Number(status),
				resumed: resumed === 'Resumed',
			}));
		},
	};
}

function configuration(dir: string, port: number, version: string, extra: string): string {
	const loaded = modules.flatMap((name) => {
		const files = moduleFolders.map((folder) => join(folder, `mod_${name}.so`));
		const file = files.find(existsSync);
		return file === undefined ? [] : [`LoadModule ${name}_module ${file}`];
	});
	const format = {
		connection: '%{remote}p',
		count: '%k',
		request: '%r',
		status: '%>s',
		protocol: '%{SSL_PROTOCOL}x',
		resumed: '%{SSL_SESSION_RESUMED}x',
		client: '%{SSL_CLIENT_S_DN}x',
	};
	return `
${loaded.join('\n')}
ServerRoot ${dir}
ServerName localhost
DefaultRuntimeDir ${dir}
PidFile ${dir}/httpd.pid
Listen 127.0.0.1:${port}
ErrorLog "|/bin/cat >&2"
LogLevel error
LogFormat ${JSON.stringify(JSON.stringify(format))} facts
CustomLog ${dir}/access.log facts
KeepAlive On

SSLEngine on
SSLProtocol -all +${version}
SSLCertificateFile ${dir}/server.crt
SSLCertificateKeyFile ${dir}/server.key
SSLCACertificateFile ${dir}/ca.crt
SSLVerifyClient require

DocumentRoot ${dir}
<Directory ${dir}>
	Require all granted
</Directory>
<Location /login>
	Redirect 302 /accounts
	Header always set Set-Cookie "${cookie}; Path=/; HttpOnly; Secure"
</Location>
<Location /accounts>
	ForceType application/json
	Require expr %{HTTP_COOKIE} == '${cookie}'
</Location>
${extra}
`;
}
