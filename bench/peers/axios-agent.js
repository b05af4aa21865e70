import https from 'node:https';
import {getCACertificates} from 'node:tls';
import axios from 'axios';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca, bundled, proxy}) {
	const httpsAgent = new https.Agent({
		cert,
		key,
		ca: bundled ? [...getCACertificates('bundled'), ca] : ca,
		keepAlive: true,
	});
	const client = axios.create({httpsAgent, ...(proxy && {proxy})});
	return {
		axios: client,
		get: (path) => client.get(origin + path),
		close: () => httpsAgent.destroy(),
	};
}
