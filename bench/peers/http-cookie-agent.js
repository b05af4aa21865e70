import axios from 'axios';
import {HttpsCookieAgent} from 'http-cookie-agent/http';
import {CookieJar} from 'tough-cookie';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca}) {
	const httpsAgent = new HttpsCookieAgent({
		cookies: {jar: new CookieJar()},
		cert,
		key,
		ca,
		keepAlive: true,
	});
	const client = axios.create({httpsAgent});
	return {
		get: (path) => client.get(origin + path),
		close: () => httpsAgent.destroy(),
	};
}
