import {
	type MtlsServer,
	type MtlsServerOptions,
	startMtlsServer,
	type TestPki,
} from '../../src/testing/index.ts';

/**
 * Starts a server that nobody meant to talk to: it asks for a certificate, believes any, answers
 * 200 `stranger` to everything, and its records tell what it was shown.
 */
export function startRecordingServer(
	pki: TestPki,
	options: Pick<MtlsServerOptions, 'handler' | 'minVersion' | 'maxVersion'> = {},
): Promise<MtlsServer> {
	return startMtlsServer({
		pki,
		clientAuth: 'request',
		handler(_request, response) {
			response.end('stranger');
			return true;
		},
		...options,
	});
}
