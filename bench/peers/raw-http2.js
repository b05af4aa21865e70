import http2 from 'node:http2';
import {cookie} from '../server/answers.js';

const common = {accept: 'application/json, text/plain, */*', cookie};

/**
 * The least that a request over node:http2 can cost: one session, the body collected and parsed, the
 * cookie given. A body to send is there as text, since `core` counts the writing of JSON.
 *
 * @type {import('./index.js').Open}
 */
export function open({origin, cert, key, ca}) {
	const session = http2.connect(origin, {cert, key, ca});
	let data;
	let text;
	return {
		axios: {
			post(url, body) {
				if (data !== body) {
					data = body;
					text = JSON.stringify(body);
				}
				const headers = {'content-type': 'application/json', 'content-length': text.length};
				return send(session, 'POST', url.slice(origin.length), headers, text);
			},
		},
		get: (path) => send(session, 'GET', path),
		close: () => session.close(),
	};
}

function send(session, method, path, headers, body) {
	return new Promise((resolve, reject) => {
		const stream = session.request({':method': method, ':path': path, ...common, ...headers});
		let status = 0;
		const chunks = [];
		stream.on('response', (fields) => {
			status = fields[':status'];
		});
		stream.on('data', (chunk) => chunks.push(chunk));
		stream.on('end', () => {
			const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString();
			resolve({status, data: JSON.parse(text)});
		});
		stream.on('error', reject);
		stream.end(body);
	});
}
