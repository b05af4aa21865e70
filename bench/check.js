import {existsSync, readFileSync} from 'node:fs';
import {format} from './report/markdown.js';
import {isReached, targets} from './targets.js';

/** Fails when the last whole run of the bench fell short of a target, or left one out. */
const file = new URL('results.json', import.meta.url);
if (!existsSync(file)) throw new Error('bench/results.json: not there; `npm run bench` writes it');
const results = JSON.parse(readFileSync(file, 'utf8'));

const short = targets.filter((target) => !isReached(target, results.figures[target.figure]));
for (const target of short) {
	const value = results.figures[target.figure];
	const found = value === undefined ? 'not measured' : format(target, value);
	const limit = target.least === undefined ? `at most ${target.most}` : `at least ${target.least}`;
	console.error(`${target.label}: ${found}, expected ${limit}`);
}
if (!results.complete) console.error('the run was shortened: no result of record');
console.log(`${targets.length - short.length} of ${targets.length} targets reached`);
process.exitCode = short.length > 0 || !results.complete ? 1 : 0;
