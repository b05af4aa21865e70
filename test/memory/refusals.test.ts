/*
 * Seen: a server that wants a certificate and gets none was told as ECONNRESET, now and then.
 * Why: with TLS 1.3 its refusal comes after our handshake is complete, and races with the request.
 * Now: the socket's first error is kept, so each attempt is reported as what it is: with LONG 500.
 */
// Slow: it makes thousands of requests in a process of its own, to see what memory they leave.
import axios from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {createAdapter} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

// With TLS 1.2 it comes in the handshake, and races with nothing.
const attemptsOn = [
	['TLSv1.2', iterations({usual: 20, long: 100})],
	['TLSv1.3', iterations({usual: 100, short: 50, long: 500})],
] as const;
const atOnce = 10;
const body = Buffer.alloc(2 * 1024 * 1024);

const requests = [
	['GET', {method: 'get'}],
	['POST of 2 MB', {method: 'post', data: body}],
] as const;

describe.each(exchanges)('over %s', (_, options) => {
	describe.each(attemptsOn)('on %s', (maxVersion, attempts) => {
		test.each(requests)(
			`a server that wants a certificate is reported as that, ${attempts} times of ${attempts}: %s`,
			async (_name, request) => {
				const server = await fixture.server({maxVersion});
				const adapter = createAdapter({mtls: {ca: fixture.pki.ca}});
				const client = axios.create({...options, adapter, baseURL: server.url('/echo')});
				const kinds = new Map<string, number>();
				for (let done = 0; done < attempts; done += atOnce) {
					const errors = await Promise.all(
						Array.from({length: atOnce}, () => mtlsFailureOf(client.request(request))),
					);
					for (const {failure} of errors) {
						const told = `${failure.kind} ${failure.side} ${failure.protocol}`;
						kinds.set(told, (kinds.get(told) ?? 0) + 1);
					}
				}
				expect(Object.fromEntries(kinds)).toEqual({
					[`client-certificate-required client ${maxVersion}`]: attempts,
				});
				expect(server.requests).toEqual([]);
			},
			120_000,
		);
	});
});
