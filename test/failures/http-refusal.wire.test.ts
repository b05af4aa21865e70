import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, isMtlsError} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const words = 'No required SSL certificate was sent';
const page = `<html>\n<head><title>400 ${words}</title></head>\n<body>\n<center><h1>400 Bad Request</h1></center>\n<center>${words}</center>\n</body></html>`;

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['that quotes the page under another name', 400, 'express', page],
		['that quotes the page with another status', 422, 'nginx', page],
		['that quotes the words in JSON', 400, 'nginx', JSON.stringify({message: words})],
		['with a status of nginx under another name', 496, 'express', page],
	])('an answer of an app %s stays a plain AxiosError', async (_name, status, server, body) => {
		const app = await fixture.server({
			handler(_request, response) {
				response.writeHead(status, {server, 'content-type': 'text/html'}).end(body);
				return true;
			},
		});
		const error = await failureOf(fixture.client().get(app.url(), options));
		expect(isMtlsError(error)).toBe(false);
		expect(error).toMatchObject({
			name: 'AxiosError',
			code: 'ERR_BAD_REQUEST',
			status,
			message: `Request failed with status code ${status}`,
		});
		expect(error).not.toHaveProperty('failure');
	});

	test('a page over plain http stays a plain AxiosError', async () => {
		const app = await startPlainHttp((_, response) => {
			response.writeHead(400, {server: 'nginx'}).end(page);
		});
		const error = await failureOf(fixture.client().get(`http://localhost:${app.port}/`, options));
		expect(isMtlsError(error)).toBe(false);
		expect(error.status).toBe(400);
	});

	test('a certificate that was not shown cannot have been refused', async () => {
		const app = await fixture.server({
			clientAuth: 'request',
			handler(_request, response) {
				response.writeHead(495, {server: 'nginx'}).end();
				return true;
			},
		});
		const anonymous = createClient({mtls: {ca: app.ca}, logger: false, proxy: false});
		onTestFinished(() => anonymous.mtls.close());
		expect(isMtlsError(await failureOf(anonymous.get(app.url(), options)))).toBe(false);
		const alice = await failureOf(fixture.client().get(app.url(), options));
		expect(alice).toMatchObject({
			name: 'MtlsError',
			status: 495,
			failure: {kind: 'client-certificate-refused', identity: {subject: 'CN=alice'}},
		});
	});
});
