/*
 * curl's `--pinnedpubkey` as the oracle of `mtls.pins`, where it looks: at the leaf.
 */
import {execFileSync} from 'node:child_process';
import {beforeAll, expect, test} from 'vitest';
import type {KeyType} from '../../../src/testing/index.ts';
import {createFixture, type Fixture, mtlsFailureOf} from '../../support/fixture.ts';
import {pinOf} from '../../support/forged-certificate.ts';
import {curlVerdict} from '../../support/servers/curl.ts';
import {needs} from '../../support/servers/programs.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const stranger = `sha256//${'A'.repeat(43)}=`;

test.for<[string, (leaf: string) => string, 0 | 90]>([
	['the pin of the leaf', (leaf) => leaf, 0],
	['another pin', () => stranger, 90],
	['a backup pin before that of the leaf', (leaf) => `${stranger};${leaf}`, 0],
	['a backup pin after that of the leaf', (leaf) => `${leaf};${stranger}`, 0],
	['two other pins', () => `${stranger};${stranger.replace('AA', 'AB')}`, 90],
])('curl and the library agree on %s', async ([, pinsFor, exitCode], ctx) => {
	for (const keyType of ['ec', 'rsa'] as const satisfies readonly KeyType[]) {
		const credential = await fixture.pki.server({keyType});
		const server = await fixture.server({credential});
		const url = server.url('/whoami');
		const pins = pinsFor(pinOf(credential.leaf));
		const pinned = ['--pinnedpubkey', pins];
		const {ca} = fixture.pki;
		const verdict = await curlVerdict(ctx, fixture.alice, ca, url, 'TLSv1.3', pinned);
		expect(verdict.exitCode).toBe(exitCode);

		const request = fixture.client({mtls: {pins}}).get(url);
		if (exitCode === 0) expect((await request).status).toBe(200);
		else expect((await mtlsFailureOf(request)).failure.kind).toBe('pin-mismatch');
		expect(server.requests).toHaveLength(exitCode === 0 ? 2 : 0);
	}
});

test('openssl computes the same pin', async (ctx) => {
	const openssl = needs(ctx, 'openssl');
	const run = (argv: string[], input: string | Buffer) => execFileSync(openssl, argv, {input});
	const {leaf} = await fixture.pki.server();
	const pem = run(['x509', '-pubkey', '-noout'], leaf);
	const der = run(['pkey', '-pubin', '-outform', 'der'], pem);
	const hash = run(['dgst', '-sha256', '-binary'], der).toString('base64');
	expect(pinOf(leaf)).toBe(`sha256//${hash}`);
});
