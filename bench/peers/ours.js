import {createClient} from '../../dist/index.js';

/** @type {import('./index.js').Open} */
export function open({origin, cert, key, ca, bundled, proxy, httpVersion}) {
	const client = createClient({
		mtls: {cert, key, ca: bundled ? ['bundled', ca] : ca},
		jar: true,
		logger: false,
		...(proxy && {proxy}),
		...(httpVersion && {httpVersion}),
	});
	return {
		axios: client,
		get: (path) => client.get(origin + path),
		close: () => client.mtls.close(),
	};
}
