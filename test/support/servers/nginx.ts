import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {TestContext} from 'vitest';
import type {Credential} from '../../../src/testing/index.ts';
import {makeDir, needs, startProgram} from './programs.ts';
import {accounts, cookie, type LoggingServer, readLog} from './session.ts';

/** Starts nginx with `ssl_verify_client on` and a login; ends with the test. */
export async function startNginx(
	ctx: TestContext,
	{cert, key}: Credential,
	ca: string,
	version: string,
	/** Directives that come last. */
	extra = '',
	/** What is spoken on its port, as `listen` has it. */
	speaks: 'ssl' | 'ssl http2' = 'ssl',
): Promise<LoggingServer> {
	const dir = makeDir({'server.crt': cert, 'server.key': key, 'ca.crt': ca});
	const program = await startProgram(needs(ctx, 'nginx'), (port) => {
		writeFileSync(join(dir, 'nginx.conf'), configuration(dir, `${port} ${speaks}`, version, extra));
		return ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'];
	});
	return {
		...program,
		origin: `https://localhost:${program.port}`,
		async log() {
			await program.stop();
			return readLog(join(dir, 'access.log')).map(({count, status, resumed, ...line}) => ({
				...(line as {connection: string; request: string; protocol: string; client: string}),
				count: Number(count),
				status: Number(status),
				resumed: resumed === 'r',
			}));
		},
	};
}

function configuration(dir: string, listen: string, version: string, extra: string): string {
	return `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
events {}
http {
	log_format facts escape=json
		'{"connection":"$connection","count":"$connection_requests","request":"$request",'
		'"status":"$status","protocol":"$ssl_protocol","resumed":"$ssl_session_reused",'
		'"client":"$ssl_client_s_dn"}';
	access_log ${dir}/access.log facts;
	client_body_temp_path ${dir}/body;
	proxy_temp_path ${dir}/proxy;
	fastcgi_temp_path ${dir}/fastcgi;
	uwsgi_temp_path ${dir}/uwsgi;
	scgi_temp_path ${dir}/scgi;
	default_type application/json;
	absolute_redirect off;

	server {
		listen 127.0.0.1:${listen};
		ssl_certificate ${dir}/server.crt;
		ssl_certificate_key ${dir}/server.key;
		ssl_client_certificate ${dir}/ca.crt;
		ssl_verify_client on;
		ssl_protocols ${version};
		ssl_session_cache shared:sessions:1m;

		location = /login {
			add_header Set-Cookie "${cookie}; Path=/; HttpOnly; Secure";
			return 302 /accounts;
		}
		location = /accounts {
			if ($http_cookie != '${cookie}') {
				return 401;
			}
			return 200 '${JSON.stringify(accounts)}';
		}
		${extra}
	}
}
`;
}
