import {createHash} from 'node:crypto';
import {once} from 'node:events';
import https from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {digest, fileSize, readFile} from './file.js';

/**
 * `/download` sends the file, with `?size=` so many bytes; `/upload` answers with the length of what
 * came, and with `?digest` its hash too; `/moved` redirects there at once, by a 307.
 *
 * @param {https.ServerOptions} credentials
 */
export async function startFileServer(credentials) {
	const server = https.createServer(credentials, async (request, response) => {
		try {
			const {pathname, searchParams} = new URL(request.url, 'https://localhost');
			if (pathname === '/download') await sendFile(response, Number(searchParams.get('size')));
			else if (pathname === '/moved') response.writeHead(307, {location: '/upload'}).end();
			else await receiveFile(request, response, searchParams.has('digest'));
		} catch {
			response.destroy();
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {origin: `https://127.0.0.1:${server.address().port}`};
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} size 0 for the file
 */
async function sendFile(response, size) {
	response.writeHead(200, {
		'content-type': 'application/octet-stream',
		'content-length': size || fileSize,
		...(size === 0 && {'x-digest': digest}),
	});
	await pipeline(Readable.from(readFile(size || fileSize)), response);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {boolean} hashed
 */
async function receiveFile(request, response, hashed) {
	const hash = hashed ? createHash('sha256') : undefined;
	let size = 0;
	for await (const chunk of request) {
		size += chunk.length;
		hash?.update(chunk);
	}
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({size, digest: hash?.digest('hex')}));
}
