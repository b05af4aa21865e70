import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {TestContext} from 'vitest';
import {makeDir, needs, type Program, startProgram} from './programs.ts';

/** Squid's own helper, which reads `user:password` lines; Debian, Fedora, macOS. */
const helpers = [
	'/usr/lib/squid/basic_ncsa_auth',
	'/usr/lib64/squid/basic_ncsa_auth',
	'/opt/homebrew/opt/squid/libexec/basic_ncsa_auth',
];

/** What Squid has logged of one request. */
interface SquidLine {
	readonly method: string;
	/** `host:port` of a tunnel, else the absolute URL. */
	readonly target: string;
	readonly status: number;
	/** The user who had logged in; `-` for nobody. */
	readonly user: string;
	/** The port of the client's connection: the same for all requests that came over it. */
	readonly clientPort: number;
}

export interface Squid extends Program {
	/** Ends Squid and reads all that it has logged. */
	log(): Promise<SquidLine[]>;
}

/** Starts Squid as a proxy for whoever logs in as `alice` with `wonderland`; ends with the test. */
export async function startSquid(
	ctx: TestContext,
	/** Lines of its configuration, before the login is asked for. */
	rules = '',
): Promise<Squid> {
	const path = needs(ctx, 'squid');
	const helper = helpers.find(existsSync);
	if (helper === undefined) throw new Error(`${path} has no basic_ncsa_auth`);
	// MD5 of Apache's kind, the strongest that the helper knows on every system.
	const passwords = 'alice:$apr1$mtlstest$izE3GIRo6/yWKjnc2Yyt2/\n';
	const dir = makeDir({passwords});
	// Started by root it becomes another user, who writes the log.
	chmodSync(dir, 0o777);
	const program = await startProgram(path, (port) => {
		writeFileSync(join(dir, 'squid.conf'), configuration(dir, port, helper, rules));
		return ['-N', '-n', `mtls${port}`, '-f', join(dir, 'squid.conf'), '-d', '1'];
	});
	return {
		...program,
		async log() {
			await program.stop();
			const lines = readFileSync(join(dir, 'access.log'), 'utf8').split('\n');
			// Somebody has looked whether it is there, and asked nothing.
			const asked = lines.filter((line) => line !== '' && !line.startsWith('- '));
			return asked.map((line) => {
				const [method = '', target = '', status, user = '', clientPort] = line.split(' ');
				return {method, target, status: Number(status), user, clientPort: Number(clientPort)};
			});
		},
	};
}

function configuration(dir: string, port: number, helper: string, rules: string): string {
	return `
http_port 127.0.0.1:${port}
visible_hostname localhost
pid_filename none
cache deny all
cache_log /dev/stderr
shutdown_lifetime 0 seconds
pinger_enable off
logformat facts %rm %ru %>Hs %un %>p
access_log stdio:${dir}/access.log facts
buffered_logs off
auth_param basic program ${helper} ${dir}/passwords
auth_param basic children 1
auth_param basic realm test
acl known proxy_auth REQUIRED
${rules}
http_access allow known
http_access deny all
`;
}
