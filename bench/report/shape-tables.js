import {peers} from '../peers/index.js';
import {median, medianRatio, spreadOfRatio} from '../statistics.js';

/**
 * @param {import('../measures/shape-group.js').Group} get
 * @param {readonly number[]} loads
 * @returns {import('../measures/context.js').Table}
 */
export function tableOfGet(get, loads) {
	return {
		title: 'Requests a second: small JSON GET, mTLS, one session cookie, keep-alive',
		columns: [
			'',
			...loads.flatMap((load) => [`${load} in flight`, 'CPU each', 'against ours']),
			'CPU of the server',
		],
		rows: get.peers.map((peer) => [
			peers[peer].label,
			...loads.flatMap((load) => [...costOf(get, peer, load), cpuTimes(get, peer, load)]),
			serverCost(get, peer, loads[0]),
		]),
		note:
			'In brackets: half of the measurements are between these two. axios + https.Agent sends no cookies. axios-cookiejar-support refuses an agent: it talks ' +
			'to a server that wants no certificate, with a handshake for each request.' +
			noteOnBound(get, loads),
	};
}

/** Raw and core each run hot in a loop of their own, and never do together. */
function noteOnBound(get, loads) {
	if (get.bound(loads[0]) === undefined || !get.peers.includes('least')) return '';
	const reached = (peer) =>
		loads
			.map((load) => {
				const share = medianRatio(get.bound(load), get.values(peer, load, 'cpuMicroseconds'));
				return `${share.toFixed(2)} at ${load} in flight`;
			})
			.join(' and ');
	return (
		` Of the bound, the CPU of raw and core together, axios-mtls reaches ${reached('ours')}, and ` +
		`the least adapter ${reached('least')}.`
	);
}

/** What the server spends on one request; where it nears the time of a request, it is the slower end. */
function serverCost(get, peer, load) {
	const each = median(get.values(peer, load, 'serverMicroseconds'));
	return Number.isFinite(each) ? microseconds(each) : '';
}

/**
 * @param {readonly import('../measures/shape-group.js').Group[]} groups
 * @param {readonly number[]} loads
 * @returns {import('../measures/context.js').Table}
 */
export function tableOfShapes(groups, loads) {
	return {
		title: 'Kinds of requests, against axios-mtls',
		columns: ['', '', ...loads.flatMap((load) => [`${load} in flight`, 'CPU each', 'CPU', 'time'])],
		rows: groups.flatMap((group) => rowsOf(group, loads)),
		note:
			'The last two columns of each load are multiples of axios-mtls in the first line of the same kind; ' +
			'half of the measurements are between the two in brackets. CPU is the one to go by where ' +
			'the machine does other things as well. The bound is the CPU of raw and core together.',
	};
}

function rowsOf(group, loads) {
	const {name, shape, impossible} = group;
	if (impossible !== undefined) {
		return [[shape.title, peers.ours.label, ...loads.flatMap(() => ['not possible', '', '', ''])]];
	}
	// The others are in the table of the GETs.
	const shown = group.peers.filter(
		(peer) => name !== 'get' || ['ours', shape.against].includes(peer),
	);
	const compared = group.members.filter((member) => member.name !== name);
	const rows = [
		...shown.map((peer) => rowOf(group, peer, peers[peer].label, loads)),
		...compared.map((one) =>
			rowOf(group, one.key, `${peers[one.peer].label}: ${one.shape.title}`, loads),
		),
	];
	if (name !== 'get' && group.bound(loads[0]) !== undefined) {
		rows.push(['bound', ...loads.flatMap((load) => boundCells(group, load))]);
	}
	return rows.map((row, index) => [index === 0 ? shape.title : '', ...row]);
}

function rowOf(group, key, label, loads) {
	return [
		label,
		...loads.flatMap((load) => {
			const perSecond = (one) => group.values(one, load, 'perSecond');
			return [
				...costOf(group, key, load),
				cpuTimes(group, key, load),
				times(perSecond('ours'), perSecond(key)),
			];
		}),
	];
}

function boundCells(group, load) {
	const bound = group.bound(load);
	const ours = group.values('ours', load, 'cpuMicroseconds');
	return ['', microseconds(median(bound)), times(bound, ours), ''];
}

/** Requests a second and the CPU of one. */
function costOf(group, key, load) {
	return [
		Math.round(median(group.values(key, load, 'perSecond'))).toLocaleString('en'),
		microseconds(median(group.values(key, load, 'cpuMicroseconds'))),
	];
}

/** The CPU of a peer as a multiple of ours, with its spread. */
function cpuTimes(group, key, load) {
	const ours = group.values('ours', load, 'cpuMicroseconds');
	const theirs = group.values(key, load, 'cpuMicroseconds');
	if (key === 'ours') return times(theirs, ours);
	const [low, high] = spreadOfRatio(theirs, ours);
	return `${times(theirs, ours)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** @param {number} value */
function microseconds(value) {
	return `${value.toFixed(0)} µs`;
}

/**
 * @param {readonly number[]} values
 * @param {readonly number[]} of
 */
function times(values, of) {
	return `${medianRatio(values, of).toFixed(2)} ×`;
}
