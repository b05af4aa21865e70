/*
 * A real server without secure renegotiation (RFC 5746).
 */
import {chmodSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createClient, type MtlsOptions} from '../../src/index.ts';
import {createFixture, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {makeDir, needs, startProgram} from '../support/servers/programs.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

test('a server of GnuTLS without RFC 5746 is reached with secureOptions alone', async (ctx) => {
	const gnutls = needs(ctx, 'gnutls-serv');
	const {cert, key} = await fixture.pki.server({keyType: 'rsa'});
	const dir = makeDir({'cert.pem': cert, 'key.pem': key});
	chmodSync(join(dir, 'key.pem'), 0o600);
	const {port} = await startProgram(gnutls, (free) => [
		...['--http', '--port', String(free), '--disable-client-cert'],
		...['--x509certfile', join(dir, 'cert.pem'), '--x509keyfile', join(dir, 'key.pem')],
		...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION'],
	]);
	const url = `https://localhost:${port}/`;
	const client = (mtls: MtlsOptions) => {
		const made = createClient({
			mtls: {ca: fixture.pki.ca, ...mtls},
			logger: false,
			proxy: false,
		});
		onTestFinished(() => made.mtls.close());
		return made;
	};
	const {failure} = await mtlsFailureOf(client({}).get(url));
	expect(failure).toMatchObject({kind: 'legacy-renegotiation', certain: true});
	const secureOptions = Number(/`mtls\.secureOptions: (\d+)`/.exec(failure.hint)?.[1]);
	const {status, tls} = await client({secureOptions}).get(url);
	expect(status).toBe(200);
	expect(tls).toMatchObject({protocol: 'TLSv1.2', authorized: true});
});
