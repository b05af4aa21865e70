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
 * @param {Target['unit']} [unit]
 * @returns {Target[]}
 */
const requests = (name, label, atBusy, atOne, unit = 'x') => [
	{figure: `${name}@32`, label: `${label}, 32 in flight`, unit, least: atBusy},
	{figure: `${name}@1`, label: `${label}, 1 in flight`, unit, least: atOne},
];

/** @param {string} transfer */
const transfer = (transfer) => ({
	figure: `100 MB ${transfer}`,
	label: `100 MB ${transfer}, against axios + https.Agent`,
	unit: 'x',
	least: 1,
});

/** @type {readonly Target[]} */
export const targets = [
	...requests('axios-agent', 'requests against axios + https.Agent (no cookies)', 2.6, 1.9),
	...requests('http-cookie-agent', 'requests against axios + HttpsCookieAgent', 3.4, 2.1),
	...requests('axios-cookiejar-support', 'requests against axios-cookiejar-support', 25, 12),
	...requests('got', 'requests against got with cookieJar', 4, 2.5),
	...requests('superagent', 'requests against superagent.agent(), keep-alive', 1.2, 1.05),
	...requests('bound', 'requests, of the bound 1 / (1/raw + 1/core)', 0.75, 0.75, ''),
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
		label: 'import of the package, above axios, tough-cookie and undici',
		unit: 'ms',
		most: 15,
	},
];

/**
 * @param {Target} target
 * @param {number} value
 */
export function isReached({least = -Infinity, most = Infinity}, value) {
	return value >= least && value <= most;
}
