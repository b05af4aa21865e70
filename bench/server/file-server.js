import {createHash} from 'node:crypto';
import {once} from 'node:events';
import https from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {digest, fileSize, readFile} from './file.js';

/**
 * `/download` sends the file; `/upload` answers with the length of what came, and with
 * `/upload?digest` its hash too.
 *
 * @param {https.ServerOptions} credentials
 */
export async function startFileServer(credentials) {
	const server = https.createServer(credentials, async (request, response) => {
		try {
			if (request.url === '/download') await sendFile(response);
			else await receiveFile(request, response);
		} catch {
			response.destroy();
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {origin: `https://127.0.0.1:${server.address().port}`};
}

/** @param {import('node:http').ServerResponse} response */
async function sendFile(response) {
	response.writeHead(200, {
		'content-type': 'application/octet-stream',
		'content-length': fileSize,
		'x-digest': digest,
	});
	await pipeline(Readable.from(readFile()), response);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function receiveFile(request, response) {
	const hash = request.url?.endsWith('?digest') ? createHash('sha256') : undefined;
	let size = 0;
	for await (const chunk of request) {
		size += chunk.length;
		hash?.update(chunk);
	}
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({size, digest: hash?.digest('hex')}));
}
