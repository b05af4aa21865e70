import {shapes} from '../shapes/index.js';

/**
 * One shape with one peer, measured in a process of its own.
 *
 * @typedef {object} Member
 * @property {string} key
 * @property {string} name of the shape
 * @property {import('../shapes/types.js').Shape} shape
 * @property {string} peer
 *
 * @typedef {import('../jobs/rate.js').Rate & {serverMicroseconds: number}} Sample
 */

/** What is measured side by side: the peers of a shape, and two of the shape that it is compared with. */
export class Group {
	/** @type {string | undefined} Why the shape cannot be measured. */
	impossible;
	/** @type {Map<string, Sample[]>} By key and load, in the order of time, which is the same for all. */
	#samples = new Map();

	/**
	 * @param {string} name of a shape
	 * @param {readonly string[]} wanted its peers beside ours; none for all
	 */
	constructor(name, wanted) {
		this.name = name;
		this.shape = shapes[name];
		this.peers = this.shape.peers.filter(
			(peer) => peer === 'ours' || wanted.length === 0 || wanted.includes(peer),
		);
		const {beside} = this.shape;
		/** @type {Member[]} */
		this.members = [
			...this.peers.map((peer) => ({key: peer, name, shape: this.shape, peer})),
			...(beside === undefined ? [] : membersBeside(beside)),
		];
	}

	/**
	 * @param {Member} member
	 * @param {number} load
	 * @param {Sample} sample
	 */
	add({key}, load, sample) {
		const id = `${key}@${load}`;
		this.#samples.set(id, [...(this.#samples.get(id) ?? []), sample]);
	}

	/**
	 * @param {string} key
	 * @param {number} load
	 * @param {keyof Sample} field
	 * @returns {number[] | undefined} of each slice of time
	 */
	values(key, load, field) {
		return this.#samples.get(`${key}@${load}`)?.map((sample) => sample[field]);
	}

	/** CPU of raw and core together: the bound of requests a second is 1 / (1/raw + 1/core). */
	bound(load) {
		const raw = this.peers.find((peer) => peer.startsWith('raw'));
		const [ofRaw, ofCore] = [raw, 'core'].map((key) => this.values(key, load, 'cpuMicroseconds'));
		return ofRaw && ofCore && ofRaw.map((each, slice) => each + ofCore[slice]);
	}
}

/** The key of a member that is there for the comparison. */
export function keyBeside(name, peer) {
	return `${name} ${peer}`;
}

/** @returns {Member[]} */
function membersBeside(name) {
	const shape = shapes[name];
	return ['ours', shape.against].map((peer) => ({key: keyBeside(name, peer), name, shape, peer}));
}
