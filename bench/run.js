import {writeFileSync} from 'node:fs';
import {makeCredentials} from './credentials.js';
import {chooseCores, describeMachine} from './machine.js';
import {measures} from './measures/index.js';
import {isStandard, parseSettings} from './options.js';
import {peers} from './peers/index.js';
import {drawChart} from './report/chart.js';
import {writeMarkdown} from './report/markdown.js';

// `npm run bench -- --rounds 1 --warmup 1 --seconds 1` is a quick look; `--only requests`, any other
// name of a measure, or `--only got`, the name of a peer, measures that alone and writes no file.

/**
 * @typedef {object} Results
 * @property {Record<string, string>} machine
 * @property {import('./options.js').Settings} settings
 * @property {boolean} complete nothing was left out or shortened
 * @property {Record<string, number>} figures by the names of the targets
 * @property {Record<string, number>} rates requests a second, by `peer@load`
 * @property {import('./measures/context.js').Table[]} tables
 */

const settings = parseSettings(process.argv.slice(2), [
	...Object.keys(measures),
	...Object.keys(peers),
]);
const cores = chooseCores();
const machine = {
	...describeMachine(),
	pinning: cores
		? `server on core ${cores.server}, peer on core ${cores.peer}`
		: 'none: one core or no taskset',
};
for (const [name, value] of Object.entries(machine)) console.error(`${name}: ${value}`);

const context = {
	settings,
	credentials: await makeCredentials(),
	cores,
	tell: (line) => console.error(line),
};
const outcomes = [];
for (const name of chosenMeasures()) outcomes.push(await measures[name](context));

/** @type {Results} */
const results = {
	machine,
	settings,
	complete: isStandard(settings),
	figures: Object.assign({}, ...outcomes.map(({figures}) => figures)),
	rates: Object.assign({}, ...outcomes.map(({rates}) => rates)),
	tables: outcomes.map(({table}) => table),
};
const markdown = writeMarkdown(results);
console.log(markdown);
// A part of the measures is for whoever is working on it; the files are of one whole run.
if (settings.only.length === 0) {
	save('results.json', `${JSON.stringify(results, null, 2)}\n`);
	save('results.md', markdown);
	save('chart.svg', drawChart(results.rates, machine.cpu));
}

/** The name of a peer stands for the measure of requests, with that peer and ours. */
function chosenMeasures() {
	const {only} = settings;
	if (only.length === 0) return Object.keys(measures);
	const chosen = only.map((name) => (name in peers ? 'requests' : name));
	return [...new Set(chosen)];
}

function save(name, text) {
	writeFileSync(new URL(name, import.meta.url), text);
}
