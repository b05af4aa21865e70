/**
 * A client of one library, as its documentation has it.
 *
 * @typedef {object} Client
 * @property {(path: string) => Promise<{status: number, data: any}>} get
 * @property {() => unknown} close
 * @property {import('axios').AxiosInstance} [axios] for other methods than GET, and other configs
 *
 * @typedef {object} Target
 * @property {string} origin
 * @property {string} ca
 * @property {string} cert
 * @property {string} key
 * @property {boolean} [bundled] trust Node's bundled roots too
 * @property {import('axios').AxiosProxyConfig} [proxy]
 * @property {2} [httpVersion]
 *
 * @typedef {(target: Target) => Client} Open what the file of each peer exports
 *
 * @typedef {object} Peer
 * @property {string} label
 * @property {boolean} cookies it must send the session's cookie with every request
 * @property {boolean} certificate it can show one
 * @property {boolean} keepAlive
 * @property {boolean} proxied it goes through the proxy that it is given
 * @property {boolean} bound a part of the bound, not a library to choose
 */

/** @type {Readonly<Record<string, Peer>>} By the name of its file. */
export const peers = {
	ours: peer('axios-mtls'),
	'axios-agent': peer('axios + https.Agent', {cookies: false}),
	'http-cookie-agent': peer('axios + HttpsCookieAgent'),
	'axios-cookiejar-support': peer('axios-cookiejar-support', {
		certificate: false,
		keepAlive: false,
	}),
	got: peer('got'),
	superagent: peer('superagent'),
	raw: peer('raw: undici dispatch', {bound: true}),
	core: peer('core: axios without I/O', {cookies: false, bound: true}),
	least: peer('least: axios over raw, and nothing else', {bound: true}),
	'axios-http2': peer('axios, `httpVersion: 2`', {cookies: false}),
	'raw-http2': peer('raw: node:http2', {bound: true}),
	'ours-direct': peer('axios-mtls, direct', {proxied: false}),
};

/**
 * @param {string} label
 * @param {Partial<Peer>} [what]
 * @returns {Peer}
 */
function peer(label, what) {
	const usual = {cookies: true, certificate: true, keepAlive: true, proxied: true, bound: false};
	return {label, ...usual, ...what};
}
