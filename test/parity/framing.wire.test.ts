import {type Answer, parity, type Scenario} from '../support/parity.ts';

const ok = 'HTTP/1.1 200 OK\r\n';

const framing: readonly [string, Answer, number | string][] = [
	['no body', {body: ''}, 200],
	[
		'no length, up to the end of the connection',
		{raw: `${ok}X-A: 1\r\n\r\nuntil the end`, next: 'end'},
		200,
	],
	['HTTP/1.0', {raw: 'HTTP/1.0 200 Fine\r\n\r\nold', next: 'end'}, 200],
	[
		'HTTP/1.0 that stays',
		{raw: 'HTTP/1.0 200 Fine\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold'},
		200,
	],
	['Connection: close', {close: true}, 200],
	['an empty reason', {raw: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok'}, 200],
	['no reason at all', {raw: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'}, 200],
	[
		'a strange reason',
		{raw: 'HTTP/1.1 200 Tr\u00c3\u00a8s  bien!\r\nContent-Length: 2\r\n\r\nok'},
		200,
	],
	['status 299', {status: 299}, 299],
	['status 600', {status: 600}, 'ERR_BAD_RESPONSE'],
	['status 999', {status: 999}, 'ERR_BAD_RESPONSE'],
	['status 99', {raw: 'HTTP/1.1 99 Little\r\nContent-Length: 2\r\n\r\nok'}, 'HPE_INVALID_STATUS'],
	['status 1000', {raw: 'HTTP/1.1 1000 Much\r\nContent-Length: 2\r\n\r\nok'}, 'HPE_INVALID_STATUS'],
	[
		'chunks',
		{raw: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\n\r\n`},
		200,
	],
	[
		'chunks with trailers',
		{raw: `${ok}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n`},
		200,
	],
	[
		'chunks that end early',
		{raw: `${ok}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`, next: 'end'},
		'ERR_BAD_RESPONSE',
	],
	[
		'chunks without an end',
		{raw: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, next: 'end'},
		'ERR_BAD_RESPONSE',
	],
	[
		'chunks without an end, before which the server says that it closes',
		{
			raw: `${ok}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
			next: 'end',
		},
		'ERR_BAD_RESPONSE',
	],
	[
		'chunks of a size that is none',
		{raw: `${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`},
		'HPE_INVALID_CHUNK_SIZE',
	],
	[
		'a length too long',
		{raw: `${ok}Content-Length: 9\r\n\r\nshort`, next: 'end'},
		'ERR_BAD_RESPONSE',
	],
	[
		'two lengths that agree',
		{raw: `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`},
		'HPE_UNEXPECTED_CONTENT_LENGTH',
	],
	[
		'two lengths that do not',
		{raw: `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`},
		'HPE_UNEXPECTED_CONTENT_LENGTH',
	],
	[
		'a length that is none',
		{raw: `${ok}Content-Length: two\r\n\r\nok`},
		'HPE_INVALID_CONTENT_LENGTH',
	],
	['a length below zero', {raw: `${ok}Content-Length: -2\r\n\r\nok`}, 'HPE_INVALID_CONTENT_LENGTH'],
	[
		'an unknown transfer coding',
		{raw: `${ok}Transfer-Encoding: rot13\r\n\r\nbx`, next: 'end'},
		200,
	],
	['a 205 with a body', {status: 205, body: 'reset'}, 205],
	[
		'a 304 with a length',
		{raw: 'HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n'},
		'ERR_BAD_RESPONSE',
	],
	['no answer but the end', {raw: '', next: 'end'}, 'ECONNRESET'],
	['no answer but the end of the connection', {raw: '', next: 'destroy'}, 'ECONNRESET'],
	['no answer but a reset', {raw: '', next: 'reset'}, 'ECONNRESET'],
	['half a head and the end', {raw: 'HTTP/1.1 200 OK\r\nX-A: ', next: 'end'}, 'ECONNRESET'],
	['rubbish', {raw: 'what is this?\r\n\r\n'}, 'HPE_INVALID_CONSTANT'],
	['rubbish of bytes', {raw: '\x16\x03\x01\x00\x01\r\n\r\n'}, 'HPE_INVALID_CONSTANT'],
	['HTTP/9.9', {raw: 'HTTP/9.9 200 OK\r\n\r\n'}, 'HPE_INVALID_VERSION'],
	['HTTP/2.0', {raw: 'HTTP/2.0 200 OK\r\n\r\n', next: 'end'}, 200],
	['lower case http', {raw: 'http/1.1 200 OK\r\n\r\n'}, 'HPE_INVALID_CONSTANT'],
	['empty lines before', {raw: `\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`}, 200],
	['bare line feeds', {raw: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'}, 'HPE_CR_EXPECTED'],
	['a header without name', {raw: `${ok}: nameless\r\n\r\n`}, 'HPE_INVALID_HEADER_TOKEN'],
	['a header without colon', {raw: `${ok}colonless\r\n\r\n`}, 'HPE_INVALID_HEADER_TOKEN'],
	[
		'a blank in a name',
		{raw: `${ok}X A: 1\r\nContent-Length: 2\r\n\r\nok`},
		'HPE_INVALID_HEADER_TOKEN',
	],
	[
		'a blank after a name',
		{raw: `${ok}X-A : 1\r\nContent-Length: 2\r\n\r\nok`},
		'HPE_INVALID_HEADER_TOKEN',
	],
	[
		'a folded header',
		{raw: `${ok}X-A: 1\r\n two\r\nContent-Length: 2\r\n\r\nok`},
		'HPE_INVALID_HEADER_TOKEN',
	],
	[
		'a NUL in a value',
		{raw: `${ok}X-A: 1\x002\r\nContent-Length: 2\r\n\r\nok`},
		'HPE_INVALID_HEADER_TOKEN',
	],
	[
		'bytes above ASCII in a value',
		{raw: `${ok}X-A: Zo\u00eb \u00ff\r\nContent-Length: 2\r\n\r\nok`},
		200,
	],
	[
		'UTF-8 in a value',
		{raw: Buffer.from(`${ok}X-A: Zo\u00eb \u{1F600}\r\nContent-Length: 2\r\n\r\nok`)},
		200,
	],
	[
		'UTF-8 in a disposition',
		{
			raw: Buffer.from(
				`${ok}Content-Disposition: attachment; filename="\u00e9.txt"\r\nContent-Length: 2\r\n\r\nok`,
			),
		},
		200,
	],
	[
		'blanks around a value',
		{raw: `${ok}X-A:  \t padded \t \r\nX-B:\r\nX-C: \r\nContent-Length: 2\r\n\r\nok`},
		200,
	],
	[
		'a head that is too long',
		{raw: `${ok}X-A: ${'x'.repeat(40_000)}\r\n\r\n`},
		'HPE_HEADER_OVERFLOW',
	],
	['a long head', {raw: `${ok}X-A: ${'x'.repeat(14_000)}\r\nContent-Length: 2\r\n\r\nok`}, 200],
	[
		'a thousand headers',
		{
			raw: `${ok}${Array.from({length: 999}, (_, i) => `X${i}: 1\r\n`).join('')}Content-Length: 2\r\n\r\nok`,
		},
		200,
	],
	['an answer bit by bit', {raw: [...`${ok}Content-Length: 2\r\n\r\nok`]}, 200],
	[
		'two answers to one request',
		{raw: `${ok}Content-Length: 2\r\n\r\nok${ok}Content-Length: 3\r\n\r\nbad`},
		200,
	],
	[
		'103 before',
		{raw: `HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`},
		200,
	],
	[
		'102 and 103 before',
		{
			raw: `HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 199 X\r\nSet-Cookie: a=b\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
		},
		200,
	],
];

/** On a kept connection a GET without an answer is sent again, which axios does not do; a POST never. */
const methodFor = (title: string) => title.startsWith('no answer') && {method: 'post'};

parity([
	...framing.map(
		([title, answer, ends]): Scenario => ({
			title: `an answer with ${title}`,
			request: (s) => ({url: s.url('a'), ...methodFor(title)}),
			answers: () => [answer],
			ends,
			by: 'any',
		}),
	),
	...framing
		.filter(([title]) => !title.includes('reset'))
		.map(
			([title, answer, ends]): Scenario => ({
				title: `an answer over TLS with ${title}`,
				// On a resumed TLS session too, on a full handshake.
				request: (s) => ({url: s.url('s'), ...methodFor(title)}),
				answers: () => [answer],
				ends,
				by: 'any',
			}),
		),
]);
