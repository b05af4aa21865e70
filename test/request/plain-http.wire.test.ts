import {beforeAll, describe, expect, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {startPlainHttp, startTcp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const begin = 'Request failed with status code 400';
const nginxPage = (words: string) =>
	`<html>\r\n<head><title>400 ${words}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>${words}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
const plainRequest = 'The plain HTTP request was sent to HTTPS port';

describe.each(exchanges)('over %s', (_, options) => {
	test.each([
		['nginx', nginxPage(plainRequest)],
		[
			'Apache',
			"<h1>Bad Request</h1>\n<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n",
		],
		['Go', 'Client sent an HTTP request to an HTTPS server.\n'],
		['Tomcat', 'Bad Request\r\nThis combination of host and port requires TLS.\r\n'],
	])(
		'the page of %s for plain http says that the URL has to begin with https://',
		async (_name, page) => {
			const server = await startPlainHttp((_request, response) =>
				response.writeHead(400).end(page),
			);
			const error = await failureOf(fixture.client(options).get(`${server.origin}/`));
			expect(error).toMatchObject({
				name: 'AxiosError',
				code: 'ERR_BAD_REQUEST',
				status: 400,
				message: `${begin}: this port speaks TLS, so the URL has to begin with https://`,
				response: {data: page},
			});
		},
	);

	test.each([
		['another page of nginx', 400, nginxPage('Request Header Or Cookie Too Large')],
		['that page with another status', 404, nginxPage(plainRequest)],
		['an app that has more to say', 400, nginxPage(plainRequest) + ' '.repeat(4_096)],
	])('the error of %s is unchanged', async (_name, status, page) => {
		const server = await startPlainHttp((_request, response) =>
			response.writeHead(status).end(page),
		);
		const error = await failureOf(fixture.client(options).get(`${server.origin}/`));
		expect(error.message).toBe(`Request failed with status code ${status}`);
	});

	test('the same page over TLS is not one of a port for plain http', async () => {
		const page = nginxPage(plainRequest);
		const server = await fixture.server({
			handler: (_request, response) => {
				response.writeHead(400).end(page);
				return true;
			},
		});
		const error = await failureOf(fixture.client(options).get(server.url()));
		expect(error.message).toBe(begin);
	});

	test('plain http that is answered with a TLS alert says that the URL has to begin with https://', async () => {
		// Alert, TLS 1.2, two bytes: fatal, unexpected_message.
		const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a]);
		const server = await startTcp((socket) => socket.once('data', () => socket.end(alert)));
		const url = `http://localhost:${server.port}/`;
		expect(await failureOf(fixture.client(options).get(url))).toMatchObject({
			code: 'HPE_INVALID_CONSTANT',
			message:
				'Parse Error: Expected HTTP/, RTSP/ or ICE/: the server answered with TLS, so the URL has to begin with https://',
		});
	});

	test('a response that is neither HTTP nor TLS is a parse error', async () => {
		const server = await startTcp((socket) =>
			socket.once('data', () => socket.end('220 smtp\r\n')),
		);
		const error = await failureOf(fixture.client(options).get(`http://localhost:${server.port}/`));
		expect(error).toMatchObject({
			code: 'HPE_INVALID_CONSTANT',
			message: expect.not.stringContaining('https://'),
		});
	});

	test('a hang-up of plain http suggests https:// where there is a client certificate', async () => {
		const server = await fixture.server();
		const url = server.url().replace('https:', 'http:');
		const bare = createClient({...options, logger: false, proxy: false});
		const [withCertificate, without] = await Promise.all([
			failureOf(fixture.client(options).get(url)),
			failureOf(bare.get(url)),
		]);
		await bare.mtls.close();
		expect(without).toMatchObject({code: 'ECONNRESET', name: 'Error'});
		expect(without.message).not.toContain('https');
		expect(withCertificate).toMatchObject({
			code: 'ECONNRESET',
			name: 'Error',
			message: `${without.message}: if this port speaks TLS, as \`mtls\` needs it, the URL has to begin with https://, not http://`,
		});
		expect(server.requests).toEqual([]);
	});
});
