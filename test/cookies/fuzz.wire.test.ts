/*
 * Bent headers over real connections: each request ends, as it may, and the session goes on.
 */

import axios from 'axios';
import fc from 'fast-check';
import {expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {exchanges} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';
import {locations, mutatedHeaders, mutateText, setCookies} from '../support/mutated-headers.ts';
import {startRawServer} from '../support/raw-server.ts';

const seed = 20_260_301;
const runs = iterations({usual: 60, short: 30, long: 150});

test.each(exchanges)(
	'a response with mutated headers ends the request over %s, and the next request is answered',
	{timeout: 60_000},
	async (_, options) => {
		const pki = await createTestPki();
		const {cert, key} = await pki.server({names: ['app.test', 'other.test']});
		let headers: readonly string[] = [];
		const answer = (head: string) =>
			head.startsWith('GET /bent ')
				? ['HTTP/1.1 302 Found', ...headers, 'Content-Length: 0']
				: ['HTTP/1.1 204 No Content'];
		const port = await startRawServer(answer, {cert, key});
		// Wherever a redirect leads, it leads here.
		await using proxy = await startConnectProxy({route: () => ({host: '127.0.0.1', port})});
		const client = createClient({
			...options,
			mtls: {ca: pki.ca},
			jar: true,
			proxy: {host: '127.0.0.1', port: proxy.port},
			timeout: 10_000,
			logger: false,
		});
		onTestFinished(() => client.mtls.close());

		const ends = new Map<string, number>();
		const property = fc.asyncProperty(
			mutatedHeaders,
			mutatedHeaders,
			mutatedHeaders,
			async (first, second, where) => {
				// A line of its own would be another header.
				const onOneLine = (text: string) => text.replace(/[\r\n]/g, '');
				headers = [
					...[first, second].map((one) => `Set-Cookie: ${onOneLine(mutateText(setCookies, one))}`),
					`Location: ${onOneLine(mutateText(locations, where))}`,
				];
				const end = await client.get('https://app.test/bent').then(
					({status}) => String(status),
					(error: unknown) => {
						if (!axios.isAxiosError(error) || error.code === 'ECONNABORTED') throw error;
						return String(error.code);
					},
				);
				ends.set(end, (ends.get(end) ?? 0) + 1);
				// What was kept of it can be sent.
				const {status} = await client.get('https://app.test/cookie-parser-result/foo/bar');
				if (status !== 204) throw new Error(`then ${status}`);
			},
		);
		await fc.assert(property, {seed, numRuns: runs});
		expect([...ends.keys()]).toEqual(
			expect.arrayContaining(['204', 'ERR_FR_REDIRECTION_FAILURE', 'ERR_MTLS_INSECURE_REDIRECT']),
		);
		expect(ends.get('204')).toBeGreaterThan(runs / 10);
	},
);
