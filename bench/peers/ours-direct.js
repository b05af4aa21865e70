import {open as openOurs} from './ours.js';

/**
 * The same client without the proxy that it is given.
 *
 * @type {import('./index.js').Open}
 */
export function open({proxy: _proxy, ...target}) {
	return openOurs(target);
}
