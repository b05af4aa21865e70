/*
 * Seen: in a CommonJS app a cancelled request lost the words of its token, and a body that is no JSON
 * left an error that prints the request's headers. Why: `require('axios')` is another copy than the
 * one that we import, and its errors were told by `instanceof`. Now they are told by their brand.
 */
import {createRequire} from 'node:module';
import {CookieJar} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {createAdapter, withMtls} from '../../src/index.ts';
import {exchanges} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';
import {printedForms} from '../support/printed-forms.ts';
import {SilentStore} from '../support/silent-store.ts';

const axios: typeof import('axios').default = createRequire(import.meta.url)('axios');

describe.each(exchanges)('an instance of a CommonJS app, over %s', (_, options) => {
	test("a request on its way is cancelled in the token's words", async () => {
		const {token, cancel} = axios.CancelToken.source();
		const server = await startPlainHttp(() => cancel('the user left'));
		const client = axios.create({...options, adapter: createAdapter()});

		const error = await client.get(server.origin, {cancelToken: token}).catch((thrown) => thrown);

		expect(error).toBe(token.reason);
		expect(error.message).toBe('the user left');
	});

	test('an answer that is no JSON leaves an error that prints no secret', async () => {
		const server = await startPlainHttp((_request, response) => response.end('{'));
		const transitional = {silentJSONParsing: false};
		const client = withMtls(axios.create({...options, transitional}), {logger: false});

		const error = await client
			.get(server.origin, {responseType: 'json', headers: {'X-Api-Key': 'hush-hush'}})
			.catch((thrown) => thrown);

		expect(error).toBeInstanceOf(axios.AxiosError);
		expect(error.config.headers['X-Api-Key']).toBe('hush-hush');
		expect(printedForms(error)).not.toContain('hush-hush');
	});
});

test("a request that waits for a jar is cancelled in the words of a CommonJS app's token", async () => {
	const {token, cancel} = axios.CancelToken.source();
	const jar = new CookieJar(new SilentStore(() => cancel('the user left')));
	const client = axios.create({adapter: createAdapter({jar})});

	await expect(client.get('http://localhost/', {cancelToken: token})).rejects.toBe(token.reason);
});
