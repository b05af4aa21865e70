/*
 * Seen: an app that requires the package had two copies of axios, because the package imported its own:
 * `error instanceof AxiosError` was false, and `axios.defaults` did not reach a client. Now the package is
 * CommonJS for such an app.
 */
import {join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {createTestPki, startMtlsServer, type TestPki} from '../../src/testing/index.ts';
import {makeConsumer} from './consumer.ts';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

test('an app that requires the package has one axios, its own', async () => {
	await using server = await startMtlsServer({
		pki,
		handler: (_request, response) => response.end(),
	});
	using app = makeConsumer();
	app.write('ca.crt', pki.ca);
	app.write(
		'app.cjs',
		[
			"const axios = require('axios');",
			"const {createClient, isMtlsError} = require('axios-mtls');",
			'const {AxiosError, AxiosHeaders, CanceledError} = axios;',
			"axios.defaults.headers.common['X-App'] = 'default';",
			"const client = createClient({mtls: {ca: 'ca.crt'}, logger: false, proxy: false});",
			'(async () => {',
			`\tconst refused = await client.get('${server.url()}').catch((error) => error);`,
			'\tconst signal = AbortSignal.abort();',
			`\tconst cancelled = await client.get('${server.url()}', {signal}).catch((error) => error);`,
			'\tconsole.log(',
			'\t\trefused instanceof AxiosError,',
			'\t\tisMtlsError(refused) && refused.failure.kind,',
			'\t\trefused.config.headers instanceof AxiosHeaders,',
			"\t\trefused.config.headers.get('X-App'),",
			'\t\tcancelled instanceof CanceledError,',
			'\t);',
			'\tawait client.mtls.close();',
			'\tconsole.log(Object.keys(require.cache).filter((path) => /axios\\/(index|lib|dist\\/esm)/.test(path)));',
			'})();',
		].join('\n'),
	);

	expect(await app.node('app.cjs')).toEqual({
		code: 0,
		stdout: 'true client-certificate-required true default true\n[]\n',
		stderr: '',
	});
});

test('each copy of the package has the axios of its own kind', async () => {
	using app = makeConsumer();
	app.write(
		'app.js',
		[
			"import {createRequire} from 'node:module';",
			"import imported, {AxiosError} from 'axios';",
			"import * as ours from 'axios-mtls';",
			'const require = createRequire(import.meta.url);',
			"const required = require('axios');",
			"const theirs = require('axios-mtls');",
			"const failure = {kind: 'expired', reasons: []};",
			"const init = {code: 'CERT_HAS_EXPIRED', failure};",
			"const [a, b] = [ours, theirs].map(({MtlsError}) => new MtlsError('it failed', init));",
			'console.log(imported !== required, ours.MtlsError !== theirs.MtlsError);',
			'console.log(a instanceof AxiosError, b instanceof required.AxiosError);',
			'console.log(a instanceof theirs.MtlsError, b instanceof ours.MtlsError);',
			'console.log(ours.isMtlsError(b), theirs.isMtlsError(a));',
		].join('\n'),
	);

	expect(await app.node('app.js')).toEqual({
		code: 0,
		stdout: 'true true\n'.concat('true true\n'.repeat(3)),
		stderr: '',
	});
});

// As the older ones of Jest, webpack, eslint-plugin-import and TypeScript do. Node reads no `exports` either
// where it is given a path.
test.each([
	['axios-mtls', 'createClient'],
	['axios-mtls/redis', 'RedisCookieStore'],
	['axios-mtls/testing', 'createTestPki'],
])('a resolver that does not read `exports` finds %s', async (name, exported) => {
	using app = makeConsumer();
	const path = JSON.stringify(join(app.dir, 'node_modules', name));
	app.write('app.cjs', `console.log(typeof require(${path}).${exported});`);

	expect(await app.node('app.cjs')).toEqual({code: 0, stdout: 'function\n', stderr: ''});
});
