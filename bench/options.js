import {parseArgs} from 'node:util';

/**
 * @typedef {object} Settings
 * @property {number} rounds how often everything is measured; the tables hold medians
 * @property {number} warmup seconds before each measurement
 * @property {number} seconds of each measurement
 * @property {number[]} loads requests in flight
 * @property {string[]} only names of measures, shapes or peers; empty for all
 */

/** What the tables of record are made with: about a quarter of an hour. */
const standard = {rounds: 3, warmup: 1, seconds: 1.5, loads: [32, 1]};

/**
 * @param {string[]} argv
 * @param {readonly string[]} names what `--only` may say
 * @returns {Settings}
 */
export function parseSettings(argv, names) {
	const {values} = parseArgs({
		args: argv,
		options: {
			rounds: {type: 'string', default: String(standard.rounds)},
			warmup: {type: 'string'},
			seconds: {type: 'string'},
			load: {type: 'string', multiple: true, default: standard.loads.map(String)},
			only: {type: 'string', multiple: true, default: []},
		},
	});
	const unknown = values.only.find((name) => !names.includes(name));
	if (unknown !== undefined) {
		throw new Error(`--only: expected one of ${names.join(', ')}, found '${unknown}'`);
	}
	return {
		rounds: positive('rounds', values.rounds),
		// A short look is short as a whole.
		warmup: positive('warmup', values.warmup ?? values.seconds ?? String(standard.warmup)),
		seconds: positive('seconds', values.seconds ?? String(standard.seconds)),
		loads: values.load.map((load) => positive('load', load)),
		only: values.only,
	};
}

/** @param {Settings} settings */
export function isStandard({rounds, warmup, seconds, loads, only}) {
	return (
		only.length === 0 &&
		rounds >= standard.rounds &&
		warmup >= standard.warmup &&
		seconds >= standard.seconds &&
		standard.loads.every((load) => loads.includes(load))
	);
}

/**
 * @param {string} name
 * @param {string} text
 */
function positive(name, text) {
	const value = Number(text);
	if (value > 0) return value;
	throw new Error(`--${name}: expected a number above 0, found '${text}'`);
}
