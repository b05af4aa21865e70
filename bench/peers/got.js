import https from 'node:https';
import got from 'got';
import {CookieJar} from 'tough-cookie';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca}) {
	const agent = new https.Agent({cert, key, ca, keepAlive: true});
	const client = got.extend({
		agent: {https: agent},
		cookieJar: new CookieJar(),
		responseType: 'json',
	});
	return {
		async get(path) {
			const {statusCode, body} = await client(origin + path);
			return {status: statusCode, data: body};
		},
		close: () => agent.destroy(),
	};
}
