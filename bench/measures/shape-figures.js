import {peers} from '../peers/index.js';
import {median, medianRatio} from '../statistics.js';
import {keyBeside} from './shape-group.js';

/**
 * How many requests of ours fit into the CPU of one of a peer, `SHAPE against PEER@LOAD`; for a GET
 * also into its time, `PEER@LOAD`. `SHAPE bound@LOAD` is the CPU of raw and core together over that of
 * ours, and `SHAPE of OTHER@LOAD` compares what the two reach against the peer that they have in common.
 *
 * @param {import('./shape-group.js').Group} group
 * @param {readonly number[]} loads
 * @returns {Record<string, number | null>}
 */
export function figuresOf(group, loads) {
	return Object.assign({}, ...loads.map((load) => figuresAt(group, load)));
}

function figuresAt(group, load) {
	const {name, shape, impossible} = group;
	if (impossible !== undefined) return {[`${name} against ${shape.against}@${load}`]: null};
	const cpu = (key) => group.values(key, load, 'cpuMicroseconds');
	const rate = (key) => group.values(key, load, 'perSecond');
	const figures = {};
	for (const peer of group.peers.filter((one) => one !== 'ours')) {
		figures[`${name} against ${peer}@${load}`] = medianRatio(cpu(peer), cpu('ours'));
		if (name === 'get' && !peers[peer].bound) {
			figures[`${peer}@${load}`] = medianRatio(rate('ours'), rate(peer));
		}
	}
	const bound = group.bound(load);
	if (bound !== undefined) figures[`${name} bound@${load}`] = medianRatio(bound, cpu('ours'));
	const {beside, against} = shape;
	const theirs = cpu(against);
	if (beside !== undefined && theirs !== undefined) {
		const ratios = (theirKey, ourKey) =>
			cpu(theirKey).map((each, slice) => each / cpu(ourKey)[slice]);
		figures[`${name} of ${beside}@${load}`] = medianRatio(
			ratios(against, 'ours'),
			ratios(keyBeside(beside, against), keyBeside(beside, 'ours')),
		);
	}
	return figures;
}

/**
 * Requests a second, for the chart.
 *
 * @param {import('./shape-group.js').Group} group
 * @param {readonly number[]} loads
 */
export function ratesOf(group, loads) {
	return Object.fromEntries(
		loads.flatMap((load) =>
			group.peers.map((peer) => [`${peer}@${load}`, median(group.values(peer, load, 'perSecond'))]),
		),
	);
}
