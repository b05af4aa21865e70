import {describe, expect, test} from 'vitest';
import {type ConnectionLoss, mayResend} from '../../src/exchange/may-retry.ts';
import {lostRequest} from '../support/lost-request.ts';

/** A request on a connection that the server had closed. */
function ended(how: Partial<ConnectionLoss> = {}): boolean {
	return mayResend({...lostRequest, ...how});
}

describe('is sent once more', () => {
	test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])(
		'a %s on a closed connection is sent once more',
		(method) => {
			expect(ended({method})).toBe(true);
			expect(ended({method, sent: false})).toBe(true);
		},
	);

	test.each(['POST', 'PATCH', 'PURGE'])(
		'a %s of which nothing was sent is sent once more',
		(method) => {
			expect(ended({method, sent: false})).toBe(true);
		},
	);

	test('a request is sent once more whichever way the connection says that it is closed', () => {
		expect(ended({code: 'EPIPE'})).toBe(true);
	});
});

describe('what the server has refused to begin with is sent once more', () => {
	const refused = {refused: true, code: 'ERR_HTTP2_STREAM_ERROR'};

	test.each(['GET', 'POST', 'PATCH'])(
		'a %s that the server has refused to begin with is sent once more',
		(method) => {
			expect(ended({...refused, method})).toBe(true);
			expect(ended({...refused, method, reused: false})).toBe(true);
		},
	);

	test('a refused request with a body that cannot be read twice is not sent again', () => {
		expect(ended({...refused, replayable: false})).toBe(false);
	});
});

describe('what a server has ended that had resumed a TLS session', () => {
	const unresumed = {unresumed: true, reused: false};

	test.each(['GET', 'PUT', 'DELETE'])(
		'a %s after a TLS session that the server did not resume is sent once more, whatever the server said',
		(method) => {
			expect(ended({...unresumed, method})).toBe(true);
			expect(ended({...unresumed, method, alerted: true, code: 'ERR_SSL_SOME_ALERT'})).toBe(true);
		},
	);

	test.each(['POST', 'PATCH'])(
		'a %s after a TLS session that the server did not resume is sent once more if nothing of it was sent',
		(method) => {
			expect(ended({...unresumed, method, sent: false})).toBe(true);
			expect(ended({...unresumed, method, sent: true})).toBe(false);
		},
	);

	test('a request that was answered in part, or cannot be read twice, is not sent again after resumption', () => {
		expect(ended({...unresumed, answered: true})).toBe(false);
		expect(ended({...unresumed, replayable: false})).toBe(false);
	});
});

describe('is not sent again', () => {
	test.each(['POST', 'PATCH', 'CONNECT', 'LINK', 'PURGE', 'get'])(
		'a %s that may have been received is not sent again',
		(method) => {
			expect(ended({method})).toBe(false);
		},
	);

	test.each<[string, Partial<ConnectionLoss>]>([
		['what a new connection has lost', {reused: false}],
		['what a new connection has lost before it was sent', {reused: false, sent: false}],
		['what was answered in part', {answered: true}],
		['what the server refused by an alert', {alerted: true}],
		['what the server refused by an alert before it was sent', {alerted: true, sent: false}],
		['a body that cannot be read twice', {method: 'PUT', replayable: false}],
		[
			'a body that cannot be read twice, of which nothing was sent',
			{replayable: false, sent: false},
		],
	])('a request is not sent again: %s', (_, how) => {
		expect(ended(how)).toBe(false);
	});

	test.each([
		'ERR_CANCELED',
		'ECONNABORTED',
		'ETIMEDOUT',
		'ECONNREFUSED',
		'EPROTO',
		'ERR_MTLS_FIRST_BYTE_TIMEOUT',
		'HPE_INVALID_CONSTANT',
		undefined,
	])('a request that ended by %s is not sent again', (code) => {
		expect(ended({code})).toBe(false);
	});
});
