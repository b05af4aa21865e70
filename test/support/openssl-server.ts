import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Credential, TestPki} from '../../src/testing/index.ts';

/** In CI a missing openssl is a failure, elsewhere a reason to skip. */
export const hasOpenssl =
	process.env.CI !== undefined || spawnSync('openssl', ['version']).status === 0;

export interface OpensslServer extends AsyncDisposable {
	readonly port: number;
	/** Resolves once the server has said what `pattern` matches `count` times. */
	said(pattern: RegExp, count: number): Promise<void>;
}

interface OpensslExtras {
	readonly args?: readonly string[];
	readonly files?: Readonly<Record<string, string>>;
}

/**
 * Starts `openssl s_server`, which requires a client certificate of `pki` and, unlike Node, verifies
 * it within the handshake and says in an alert why it refused it.
 */
export async function startOpensslServer(
	pki: TestPki,
	credential: Credential,
	version: 'TLSv1.2' | 'TLSv1.3',
	/** Further arguments, and files that they name. */
	{args = [], files = {}}: OpensslExtras = {},
): Promise<OpensslServer> {
	const directory = await mkdtemp(join(tmpdir(), 'axios-mtls-openssl-'));
	const path = (name: string) => join(directory, name);
	await writeFile(path('cert.pem'), credential.cert);
	await writeFile(path('key.pem'), credential.key, {mode: 0o600});
	await writeFile(path('ca.pem'), pki.ca);
	for (const [name, text] of Object.entries(files)) await writeFile(path(name), text);

	const child = spawn(
		'openssl',
		[
			's_server',
			...['-accept', '127.0.0.1:0'],
			...['-cert', path('cert.pem'), '-cert_chain', path('cert.pem'), '-key', path('key.pem')],
			...['-CAfile', path('ca.pem'), '-Verify', '3', '-verify_return_error'],
			'-www',
			version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3',
			...args,
		],
		// A pipe that stays open: s_server stops where its input ends.
		{stdio: ['pipe', 'pipe', 'pipe'], cwd: directory},
	);
	let output = '';
	const exited = once(child, 'exit');
	const heard = new Set<() => void>();
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text;
			for (const listener of heard) listener();
		});
	}
	async function until<Found>(find: () => Found | undefined): Promise<Found> {
		let resolve: (found: Found) => void = () => {};
		const promise = new Promise<Found>((settle) => {
			resolve = settle;
		});
		const listener = () => {
			const found = find();
			if (found !== undefined) resolve(found);
		};
		heard.add(listener);
		listener();
		const ended = exited.then(() => {
			throw new Error(`openssl has ended: ${output}`);
		});
		try {
			return await Promise.race([promise, ended]);
		} finally {
			heard.delete(listener);
		}
	}

	return {
		port: await until(() => {
			const port = /^ACCEPT .*:(\d+)$/m.exec(output)?.[1];
			return port === undefined ? undefined : Number(port);
		}),
		async said(pattern, count) {
			const all = new RegExp(pattern, 'g');
			await until(() => ((output.match(all)?.length ?? 0) >= count ? true : undefined));
		},
		async [Symbol.asyncDispose]() {
			child.kill();
			await exited;
			await rm(directory, {recursive: true});
		},
	};
}
