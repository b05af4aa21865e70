import assert from 'node:assert/strict';
import {account} from '../server/answers.js';
import {measureRate} from './rate.js';

const busy = 32;

/**
 * The steps of measuring one peer with one shape. They are questions of their own, so that the peers,
 * each in its process, can take turns. The process keeps between them what is open.
 */
const steps = {warm, open, measure, close};

/** @type {{send: () => Promise<any>, isRight: (answer: any) => boolean, client: any, inFlight: number}} */
const state = {};

export function run({step, ...question}) {
	return steps[step](question);
}

/**
 * Warms the code at full load, whatever the load that is measured: the compiler counts requests, and
 * one at a time brings too few.
 *
 * @returns {Promise<{impossible?: string}>}
 */
async function warm({shape: name, peer, target, warmup}) {
	const {shape} = await import(`../shapes/${name}.js`);
	const {open: openPeer} = await import(`../peers/${peer}.js`);
	state.openClient = () => openPeer({...target, ...shape.target});
	state.send = () => shape.call(state.client, target.origin);
	state.isRight = shape.isRight;
	state.client = state.openClient();
	try {
		await logIn(state.client);
	} catch (error) {
		if (error.code !== 'ERR_NOT_SUPPORT') throw error;
		return {impossible: error.message};
	}
	await measureRate(state.send, busy, warmup, state.isRight);
	await close();
	return {};
}

/** Opens a client of its own for a load, with no more connections than that needs. */
async function open({inFlight, warmup}) {
	state.inFlight = inFlight;
	state.client = state.openClient();
	await logIn(state.client);
	await measure({seconds: warmup / 8});
	return {};
}

/** @returns {Promise<import('./rate.js').Rate>} */
function measure({seconds}) {
	return measureRate(state.send, state.inFlight, seconds, state.isRight);
}

async function close() {
	await state.client.close();
	return {};
}

async function logIn(client) {
	for (const path of ['/login', '/account']) {
		const {status, data} = await client.get(path);
		assert.equal(status, 200);
		assert.deepEqual(data, account);
	}
}
