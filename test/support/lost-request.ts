import type {ConnectionLoss} from '../../src/exchange/may-retry.ts';

/** A GET on a kept connection that the server had closed. */
export const lostRequest: ConnectionLoss = {
	method: 'GET',
	code: 'ECONNRESET',
	reused: true,
	sent: true,
	answered: false,
	alerted: false,
	unresumed: false,
	refused: false,
	othersBegun: false,
	goneAway: false,
	replayable: true,
};
