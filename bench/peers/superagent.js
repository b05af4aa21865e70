import https from 'node:https';
import superagent from 'superagent';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca}) {
	const keepAlive = new https.Agent({cert, key, ca, keepAlive: true});
	const client = superagent.agent();
	return {
		async get(path) {
			const {status, body} = await client.get(origin + path).agent(keepAlive);
			return {status, data: body};
		},
		close: () => keepAlive.destroy(),
	};
}
