import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {TestContext} from 'vitest';
import type {Credential} from '../../../src/testing/index.ts';
import {makeDir, needs} from './programs.ts';

export interface CurlVerdict {
	readonly verdict: 'accepted' | 'refused';
	/** Of curl itself. */
	readonly exitCode: number;
}

/**
 * What curl makes of `url` with the same files: whether the server was believed and let us in.
 *
 * @throws when curl could not be run, or was answered with an error status.
 */
export async function curlVerdict(
	ctx: TestContext,
	credential: Credential | undefined,
	ca: string,
	url: string,
	tlsVersion: 'TLSv1.2' | 'TLSv1.3',
	extra: readonly string[] = [],
): Promise<CurlVerdict> {
	const dir = makeDir({
		'ca.crt': ca,
		...(credential && {'client.crt': credential.cert, 'client.key': credential.key}),
	});
	const version = tlsVersion.replace('TLSv', '');
	const argv = [
		// First: neither the user's .curlrc nor a proxy of the environment has a say.
		...['-q', '--noproxy', '*', '--silent', '--fail', '--max-time', '15'],
		...[`--tlsv${version}`, '--tls-max', version, '--cacert', join(dir, 'ca.crt')],
		...(credential ? ['--cert', join(dir, 'client.crt'), '--key', join(dir, 'client.key')] : []),
		...extra,
		url,
	];
	try {
		await promisify(execFile)(needs(ctx, 'curl'), argv, {env: {}});
		return {verdict: 'accepted', exitCode: 0};
	} catch (error) {
		const {code} = error as {code?: unknown};
		const refusal = typeof code === 'number' && [35, 52, 55, 56, 60, 90].includes(code);
		if (refusal) return {verdict: 'refused', exitCode: code};
		throw error;
	}
}
