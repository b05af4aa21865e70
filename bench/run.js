import {writeFileSync} from 'node:fs';
import {startProgress} from '../src/cli/shared/progress.ts';
import {makeCredentials} from './credentials.js';
import {chooseCores, describeMachine} from './machine.js';
import {measures} from './measures/index.js';
import {isStandard, parseSettings} from './options.js';
import {peers} from './peers/index.js';
import {drawChart} from './report/chart.js';
import {writeMarkdown} from './report/markdown.js';
import {shapes} from './shapes/index.js';

// `npm run bench -- --only head --rounds 1 --seconds 1` is a quick look at one shape. `--only` takes the
// name of a measure (`shapes`, `transfer`), of a shape (`head`) or of a peer (`got`), again and again,
// and writes no file; `--load 32` leaves out one request at a time.

/**
 * @typedef {object} Results
 * @property {Record<string, string>} machine
 * @property {import('./options.js').Settings} settings
 * @property {boolean} complete nothing was left out or shortened
 * @property {Record<string, number | null>} figures by the names of the targets; null where it is not possible
 * @property {Record<string, number>} rates GETs a second, by `peer@load`
 * @property {import('./measures/context.js').Table[]} tables
 */

const settings = parseSettings(process.argv.slice(2), [
	...Object.keys(measures),
	...Object.keys(shapes),
	...Object.keys(peers),
]);
const cores = chooseCores();
const machine = {
	...describeMachine(),
	pinning: cores
		? `server on core ${cores.server}, peer on core ${cores.peer}`
		: 'none: one core or no taskset',
};
const progress = startProgress(process, 'making certificates');

const context = {
	settings,
	credentials: await makeCredentials(),
	cores,
	chosen: chooseShapes(),
};
const outcomes = [];
const chosen = chosenMeasures();
try {
	for (const [index, name] of chosen.entries()) {
		const title = `${name} (${index + 1} of ${chosen.length})`;
		const tell = (text) => progress.update(`${title}: ${text}`);
		progress.update(title);
		outcomes.push(await measures[name]({...context, tell}));
	}
} finally {
	progress.stop();
}

/** @type {Results} */
const results = {
	machine,
	settings,
	complete: isStandard(settings),
	figures: Object.assign({}, ...outcomes.map(({figures}) => figures)),
	rates: Object.assign({}, ...outcomes.map(({rates}) => rates)),
	tables: outcomes.flatMap(({tables}) => tables),
};
const markdown = writeMarkdown(results);
console.log(markdown);
// A part of the measures is for whoever is working on it; the files are of one whole run.
if (settings.only.length === 0) {
	save('results.json', `${JSON.stringify(results, null, 2)}\n`);
	save('results.md', markdown);
	save('chart.svg', drawChart(results, machine.cpu));
}

/** A shape, or a peer, stands for the measure of shapes. */
function chosenMeasures() {
	const {only} = settings;
	if (only.length === 0) return Object.keys(measures);
	return [...new Set(only.map((name) => (name in measures ? name : 'shapes')))];
}

/** A peer alone is measured with a GET. */
function chooseShapes() {
	const {only} = settings;
	const named = only.filter((name) => name in shapes);
	const wanted = only.filter((name) => name in peers);
	const all = only.length === 0 || only.includes('shapes');
	const other = wanted.length > 0 ? ['get'] : [];
	return {
		shapes: all ? Object.keys(shapes) : named.length > 0 ? named : other,
		peers: wanted,
	};
}

function save(name, text) {
	writeFileSync(new URL(name, import.meta.url), text);
}
