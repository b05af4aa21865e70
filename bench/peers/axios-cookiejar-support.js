import axios from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {CookieJar} from 'tough-cookie';

/**
 * As its README has it. It refuses an agent, so it has no certificate, trusts the server by
 * NODE_EXTRA_CA_CERTS, and makes a connection for each request.
 *
 * @type {import('./index.js').Open}
 */
export function open({origin}) {
	const client = wrapper(axios.create({jar: new CookieJar()}));
	return {
		get: (path) => client.get(origin + path),
		close() {},
	};
}
