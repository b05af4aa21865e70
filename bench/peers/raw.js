import {Pool} from 'undici';
import {cookie} from '../server/answers.js';

/**
 * The least that a request over this transport can cost: undici's own dispatch, the body collected
 * and parsed, the cookie given.
 *
 * @type {import('./index.js').Open}
 */
export function open({origin, cert, key, ca}) {
	const pool = new Pool(origin, {connect: {cert, key, ca}});
	const headers = {accept: 'application/json, text/plain, */*', cookie};
	return {
		get: (path) =>
			new Promise((resolve, reject) => {
				pool.dispatch({path, method: 'GET', headers}, new Collector(resolve, reject));
			}),
		close: () => pool.close(),
	};
}

class Collector {
	status = 0;
	/** @type {Buffer[]} */
	chunks = [];

	constructor(resolve, reject) {
		this.resolve = resolve;
		this.reject = reject;
	}

	onRequestStart() {}

	onResponseStart(_controller, status) {
		this.status = status;
	}

	onResponseData(_controller, chunk) {
		this.chunks.push(chunk);
	}

	onResponseEnd() {
		const [first, ...rest] = this.chunks;
		const body = rest.length === 0 ? first : Buffer.concat(this.chunks);
		this.resolve({status: this.status, data: JSON.parse(body.toString())});
	}

	onResponseError(_controller, error) {
		this.reject(error);
	}
}
