import axios from 'axios';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca}) {
	// A session is closed when it was idle for so long, which is a second where nothing is said.
	const http2Options = {cert, key, ca, sessionTimeout: 120_000};
	const client = axios.create({httpVersion: 2, http2Options});
	return {
		axios: client,
		get: (path) => client.get(origin + path),
		// axios has no way to close one; the process ends soon.
		close() {},
	};
}
