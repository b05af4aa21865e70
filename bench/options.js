import {parseArgs} from 'node:util';

/**
 * @typedef {object} Settings
 * @property {number} rounds how often everything is measured; the tables hold medians
 * @property {number} warmup seconds before each measurement
 * @property {number} seconds of each measurement
 * @property {string[]} only names of measures or of peers; empty for all
 */

/** @type {Readonly<Omit<Settings, 'only'>>} What the tables of record are made with. */
const standard = {rounds: 5, warmup: 4, seconds: 4};

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
			warmup: {type: 'string', default: String(standard.warmup)},
			seconds: {type: 'string', default: String(standard.seconds)},
			only: {type: 'string', multiple: true, default: []},
		},
	});
	const unknown = values.only.find((name) => !names.includes(name));
	if (unknown !== undefined) {
		throw new Error(`--only: expected one of ${names.join(', ')}, found '${unknown}'`);
	}
	return {
		rounds: positive('rounds', values.rounds),
		warmup: positive('warmup', values.warmup),
		seconds: positive('seconds', values.seconds),
		only: values.only,
	};
}

/** @param {Settings} settings */
export function isStandard({rounds, warmup, seconds, only}) {
	return (
		only.length === 0 &&
		rounds >= standard.rounds &&
		warmup >= standard.warmup &&
		seconds >= standard.seconds
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
