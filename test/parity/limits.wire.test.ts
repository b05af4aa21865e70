import {Readable} from 'node:stream';
import {gzipSync} from 'node:zlib';
import {parity, redirect, type Scenario} from '../support/parity.ts';

const content = 'x'.repeat(100);
const packed = gzipSync(content);

const download = [-1, 0, 99, 100, 101].flatMap((maxContentLength): Scenario[] => {
	const fails = maxContentLength > -1 && maxContentLength < 100;
	return [
		{
			title: `maxContentLength ${maxContentLength} and 100 bytes`,
			request: (s) => ({url: s.url('a'), maxContentLength}),
			answers: () => [{body: content}],
			ends: fails ? 'ERR_BAD_RESPONSE' : 200,
		},
		{
			title: `maxContentLength ${maxContentLength} and 100 bytes in chunks`,
			request: (s) => ({url: s.url('a'), maxContentLength}),
			answers: () => [
				{
					headers: ['Transfer-Encoding', 'chunked'],
					body: `32\r\n${content.slice(50)}\r\n32\r\n${content.slice(50)}\r\n0\r\n\r\n`,
				},
			],
			ends: fails ? 'ERR_BAD_RESPONSE' : 200,
		},
		{
			title: `maxContentLength ${maxContentLength} and 100 bytes once unpacked`,
			request: (s) => ({url: s.url('a'), maxContentLength}),
			answers: () => [{headers: ['Content-Encoding', 'gzip'], body: packed}],
			ends: fails ? 'ERR_BAD_RESPONSE' : 200,
		},
		{
			title: `maxContentLength ${maxContentLength} and a stream of 100 bytes`,
			request: (s) => ({url: s.url('a'), maxContentLength, responseType: 'stream'}),
			answers: () => [{body: content}],
			ends: 200,
		},
		{
			title: `maxContentLength ${maxContentLength} and an error page of 100 bytes`,
			request: (s) => ({url: s.url('a'), maxContentLength}),
			answers: () => [{status: 404, body: content}],
			ends: fails ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST',
		},
	];
});

const upload = [-1, 0, 99, 100, 101].flatMap((maxBodyLength): Scenario[] => {
	const fails = maxBodyLength > -1 && maxBodyLength < 100;
	return [
		{
			title: `maxBodyLength ${maxBodyLength} and 100 bytes`,
			request: (s) => ({url: s.url('a'), method: 'post', data: content, maxBodyLength}),
			answers: () => (fails ? [] : [{}]),
			ends: fails ? 'ERR_BAD_REQUEST' : 200,
			by: fails ? 'any' : 'client',
		},
		{
			title: `maxBodyLength ${maxBodyLength} and 100 bytes of two-byte letters`,
			request: (s) => ({url: s.url('a'), method: 'post', data: 'ä'.repeat(50), maxBodyLength}),
			answers: () => (fails ? [] : [{}]),
			ends: fails ? 'ERR_BAD_REQUEST' : 200,
			by: fails ? 'any' : 'client',
		},
		{
			title: `maxBodyLength ${maxBodyLength} and 100 bytes after a 307`,
			request: (s) => ({url: s.url('a'), method: 'post', data: content, maxBodyLength}),
			answers: () => (fails ? [] : [redirect('/2', 307), {}]),
			ends: fails ? 'ERR_BAD_REQUEST' : 200,
			by: fails ? 'any' : 'client',
		},
		...(fails
			? []
			: [
					{
						title: `maxBodyLength ${maxBodyLength} and a stream of 100 bytes`,
						request: (s) => ({
							url: s.url('a'),
							method: 'post',
							data: Readable.from([content.slice(50), content.slice(50)], {objectMode: false}),
							maxBodyLength,
						}),
						ends: 200,
					} satisfies Scenario,
				]),
	];
});

const tooLongStreams = [0, 99].map(
	(maxBodyLength): Scenario => ({
		title: `maxBodyLength ${maxBodyLength} and a stream that is longer`,
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: Readable.from([content.slice(50), content.slice(50)], {objectMode: false}),
			maxBodyLength,
		}),
		answers: () => [],
		ends: 'ERR_BAD_REQUEST',
		// How much is sent before the limit is noticed is not promised.
		looseWire: true,
		by: 'any',
		looseBody: true,
	}),
);

const redirects = [1, 2, 3, 4].map(
	(maxRedirects): Scenario => ({
		title: `maxRedirects ${maxRedirects} and three of them`,
		request: (s) => ({url: s.url('a', '/0'), maxRedirects}),
		answers: (s) => {
			const chain = [redirect('/1'), redirect(s.url('b', '/2')), redirect('/3'), {}];
			return maxRedirects < 3 ? chain.slice(0, maxRedirects + 1) : chain;
		},
		ends: maxRedirects < 3 ? 'ERR_FR_TOO_MANY_REDIRECTS' : 200,
	}),
);

const none: Scenario[] = [
	...[300, 301, 302, 303, 304, 305, 307, 308].map(
		(status): Scenario => ({
			title: `maxRedirects 0 and a ${status}`,
			request: (s) => ({url: s.url('a', "/x'y?a=[1]"), maxRedirects: 0}),
			answers: () => [
				status === 304
					? {raw: 'HTTP/1.1 304 Not Modified\r\nLocation: /2\r\n\r\n'}
					: redirect('/2', status),
			],
			ends: 'ERR_BAD_RESPONSE',
		}),
	),
	{
		title: 'maxRedirects 0 and a 302 that is welcome',
		request: (s) => ({
			url: s.url('a'),
			maxRedirects: 0,
			validateStatus: (status) => status === 302,
		}),
		answers: () => [redirect('/2')],
		ends: 302,
	},
	{
		title: 'maxRedirects 0 and config.auth',
		request: (s) => ({
			url: s.url('s'),
			maxRedirects: 0,
			auth: {username: 'me', password: 'pw'},
		}),
		ends: 200,
	},
	{
		title: 'twenty-one redirects',
		request: (s) => ({url: s.url('a', '/0')}),
		answers: () => [...Array.from({length: 21}, (_, i) => redirect(`/${i + 1}`)), {}],
		ends: 200,
	},
	{
		title: 'twenty-two redirects',
		request: (s) => ({url: s.url('a', '/0')}),
		answers: () => Array.from({length: 22}, (_, i) => redirect(`/${i + 1}`)),
		ends: 'ERR_FR_TOO_MANY_REDIRECTS',
	},
];

parity([...download, ...upload, ...tooLongStreams, ...redirects, ...none]);
