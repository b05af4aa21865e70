/*
 * Run as a process of its own: asks argv's URL with our client and with Node's, both trusting the CA
 * in CA, and prints what came of it as JSON.
 */
import https from 'node:https';
import {inspect} from 'node:util';
import {createClient, isMtlsError, type MtlsOptions} from '../../src/index.ts';

const [url = ''] = process.argv.slice(2);
const {CA: ca = '', CIPHERS: ciphers, MIN_VERSION: minVersion} = process.env;

async function askOurs(): Promise<unknown> {
	const client = createClient({
		mtls: {
			ca,
			...(ciphers !== undefined && {ciphers}),
			...(minVersion !== undefined && {minVersion: minVersion as MtlsOptions['minVersion']}),
		} as MtlsOptions,
		logger: false,
		proxy: false,
	});
	try {
		const {status, tls} = await client.post(url, 'the body');
		return {status, protocol: tls?.protocol};
	} catch (error) {
		return isMtlsError(error) ? {kind: error.failure.kind, code: error.code} : inspect(error);
	} finally {
		await client.mtls.close();
	}
}

function askNode(): Promise<unknown> {
	return new Promise((resolve) => {
		const request = https.get(url, {ca, ciphers}, (response) => {
			response.resume().once('end', () => resolve({status: response.statusCode}));
		});
		request.once('error', (error) => resolve({code: 'code' in error && error.code}));
	});
}

process.stdout.write(JSON.stringify({ours: await askOurs(), node: await askNode()}));
