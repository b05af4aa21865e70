import axios from 'axios';
import {responseTo} from './core.js';
import {open as openRaw} from './raw.js';

/**
 * `raw` and `core` put together by the shortest adapter there can be: no cookies of a jar, redirects,
 * limits, cancelling, facts or diagnosis. What is left between it and the bound is no adapter's doing.
 *
 * @type {import('./index.js').Open}
 */
export function open(target) {
	const raw = openRaw(target);
	const client = axios.create({
		adapter: async (config) => responseTo(config, (await raw.get(config.url)).data),
	});
	return {get: (path) => client.get(path), close: raw.close};
}
