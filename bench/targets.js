/**
 * What is to be reached: the table of the plan, as figures that the measures write.
 *
 * @typedef {object} Target
 * @property {string} figure
 * @property {string} label
 * @property {'x' | '%' | 'ms' | 'MiB' | ''} unit
 * @property {number} [least]
 * @property {number} [most]
 */

/**
 * @param {string} name
 * @param {string} label
 * @param {number} atBusy
 * @param {number} atOne
 * @returns {Target[]}
 */
const requests = (name, label, atBusy, atOne) => [
	{figure: `${name}@32`, label: `${label}, 32 in flight`, unit: 'x', least: atBusy},
	{figure: `${name}@1`, label: `${label}, 1 in flight`, unit: 'x', least: atOne},
];

/**
 * The CPU of a request, against that of another client.
 *
 * @param {string} shape
 * @param {string} label
 * @param {string} peer
 * @param {string} peerLabel
 * @param {number} least
 * @returns {Target}
 */
const cpu = (shape, label, peer, peerLabel, least) => ({
	figure: `${shape} against ${peer}@32`,
	label: `CPU of ${label} against ${peerLabel}, 32 in flight`,
	unit: 'x',
	least,
});

/**
 * @param {string} shape
 * @param {string} label
 * @returns {Target}
 */
const asTheGet = (shape, label) => ({
	figure: `${shape} of get@32`,
	label: `${label}: its ratio to axios, over that of a plain GET, 32 in flight`,
	unit: '',
	least: 0.95,
});

/**
 * @param {string} shape
 * @param {string} label
 * @returns {Target[]}
 */
const http2 = (shape, label) => [
	cpu(shape, label, 'axios-http2', "axios's own", 1.7),
	{
		figure: `${shape} bound@32`,
		label: `CPU of raw and core together over that of ${label}, 32 in flight`,
		unit: '',
		least: 0.6,
	},
];

/** @param {string} transfer */
const transfer = (transfer) => ({
	figure: `100 MB ${transfer}`,
	label: `CPU of 100 MB ${transfer}, against axios + https.Agent`,
	unit: 'x',
	least: 1,
});

/** @type {readonly Target[]} */
export const targets = [
	cpu('get', 'a GET', 'axios-agent', 'axios + https.Agent (no cookies)', 2.4),
	{
		figure: 'axios-agent@1',
		label: 'requests against axios + https.Agent (no cookies), 1 in flight',
		unit: 'x',
		least: 1.9,
	},
	...[32, 1].map((load) => ({
		figure: `get against least@${load}`,
		label: `CPU of the least adapter over that of a GET, ${load} in flight`,
		unit: '',
		least: 0.9,
	})),
	asTheGet('metadata', 'a GET with `metadata` in its config'),
	asTheGet('head', 'HEAD'),
	asTheGet('post', 'POST of JSON'),
	cpu('stream', 'a streamed answer of 1 kB', 'axios-agent', 'axios + https.Agent', 1.8),
	cpu('form', 'FormData of three strings', 'axios-agent', 'axios + https.Agent', 1.4),
	cpu('form-blob', 'FormData with a Blob', 'axios-agent', 'axios + https.Agent', 1.4),
	...http2('http2-get', 'an HTTP/2 GET'),
	...http2('http2-post', 'an HTTP/2 POST of JSON'),
	cpu('http2-proxy', 'an HTTP/2 GET through a proxy', 'ours-direct', 'a direct one', 0.9),
	...requests('http-cookie-agent', 'requests against axios + HttpsCookieAgent', 3.4, 2.1),
	...requests('axios-cookiejar-support', 'requests against axios-cookiejar-support', 25, 12),
	...requests('got', 'requests against got with cookieJar', 4, 2.5),
	...requests('superagent', 'requests against superagent.agent(), keep-alive', 1.2, 1.05),
	{
		figure: 'connections full',
		label: 'new connections with bundled roots, full handshakes',
		unit: 'x',
		least: 3.5,
	},
	{
		figure: 'connections resumed',
		label: 'new connections with bundled roots, resumed',
		unit: 'x',
		least: 4.5,
	},
	{
		figure: 'cookie share',
		label: 'Cookie header from 10,000 cookies over 100 domains, share of a request',
		unit: '%',
		most: 5,
	},
	transfer('download buffered'),
	transfer('download streamed'),
	transfer('upload buffered'),
	transfer('upload streamed'),
	...[
		['download', '1 GB streamed down'],
		['upload', '1 GB streamed up'],
		['redirect', '1 GB streamed up through a 307'],
		['aborts', '10,000 streams given up'],
	].map(([name, label]) => ({
		figure: `stream growth ${name}`,
		label: `heap after ${label}, above that after the first part`,
		unit: 'MiB',
		most: 1,
	})),
	{
		figure: 'stream leftovers',
		label: 'requests, sockets, timers and listeners left of the streams that were given up',
		unit: '',
		most: 0,
	},
	{
		figure: 'identities memory',
		label: '1,000 identities with a private CA, above the start',
		unit: 'MiB',
		most: 150,
	},
	{
		figure: 'rotation growth',
		label: 'heap after 100,000 requests with a rotation every 1,000, above that after 20,000',
		unit: 'MiB',
		most: 1,
	},
	{
		figure: 'tunnel@32',
		label: 'requests through a proxy against axios with `proxy` set, 32 in flight',
		unit: 'x',
		least: 8,
	},
	{
		figure: 'import',
		label: 'import with axios, tough-cookie and undici, against these three alone',
		unit: 'x',
		most: 1.2,
	},
];

/**
 * @param {Target} target
 * @param {number | null} value null where it is not possible
 */
export function isReached({least = -Infinity, most = Infinity}, value) {
	return value !== null && value >= least && value <= most;
}
