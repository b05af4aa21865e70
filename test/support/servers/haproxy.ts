import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {TestContext} from 'vitest';
import type {Credential} from '../../../src/testing/index.ts';
import {makeDir, needs, startProgram} from './programs.ts';

/** An HAProxy that insists on a client certificate, and answers with its process and our name. */
export interface Haproxy {
	readonly origin: string;
	/** Puts another process in its place, which takes the listening socket over. */
	reload(): void;
	/** Ends it at once, and starts it anew on the same port. */
	restart(): Promise<void>;
}

/** Starts HAProxy; ends with the test. */
export async function startHaproxy(
	ctx: TestContext,
	{cert, key}: Credential,
	ca: string,
): Promise<Haproxy> {
	const dir = makeDir({'server.pem': `${cert}\n${key}`, 'ca.crt': ca});
	const file = join(dir, 'haproxy.cfg');
	const run = (fixedPort?: number) =>
		startProgram(
			needs(ctx, 'haproxy'),
			(port) => {
				writeFileSync(file, configuration(dir, port));
				return ['-W', '-db', '-f', file];
			},
			fixedPort,
		);
	let program = await run();
	return {
		origin: `https://localhost:${program.port}`,
		reload: () => program.signal('SIGUSR2'),
		async restart() {
			await program.stop();
			program = await run(program.port);
		},
	};
}

function configuration(dir: string, port: number): string {
	return `
global
	stats socket ${dir}/admin.sock mode 600 expose-fd listeners level admin
	hard-stop-after 10s

defaults
	mode http
	timeout connect 5s
	timeout client 30s
	timeout server 30s

frontend bank
	bind 127.0.0.1:${port} ssl crt ${dir}/server.pem ca-file ${dir}/ca.crt verify required
	http-request return status 200 content-type text/plain lf-string "%pid %[ssl_c_s_dn(cn)] %[method]"
`;
}
