import {AxiosError, AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {describe, expect, test, vi} from 'vitest';
import type {ConnectionLoss} from '../../src/exchange/may-retry.ts';
import {Retries} from '../../src/request/retries.ts';
import {lostRequest} from '../support/lost-request.ts';

const refused: ConnectionLoss = {
	...lostRequest,
	method: 'POST',
	code: 'ERR_HTTP2_STREAM_ERROR',
	refused: true,
};

/** How often a request that always ends so is sent. */
function sends(ending: ConnectionLoss, retries = new Retries()): number {
	let count = 1;
	while (count < 1_000 && retries.allow(ending)) count += 1;
	return count;
}

describe('a request is sent', () => {
	test.each<[string, ConnectionLoss, number]>([
		['twice where the connection was stale', lostRequest, 2],
		['once where the connection was new', {...lostRequest, reused: false}, 1],
		['ten times where the server does nothing but refuse', refused, 10],
		['100 times where the server begins with others', {...refused, othersBegun: true}, 100],
		['once where its body cannot be read twice', {...refused, replayable: false}, 1],
	])('the exchange sends a request again: %s', (_, ending, count) => {
		expect(sends(ending)).toBe(count);
	});

	test('a request is sent ten times more after the server has begun with others', () => {
		const retries = new Retries();
		for (let n = 0; n < 9; n += 1) expect(retries.allow(refused)).toBe(true);
		expect(retries.allow({...refused, othersBegun: true})).toBe(true);
		expect(sends(refused, retries)).toBe(10);
	});

	test('a request is sent as often as it is refused after a stale connection, and not after a second one', () => {
		const retries = new Retries();
		expect(retries.allow(lostRequest)).toBe(true);
		expect(retries.allow(refused)).toBe(true);
		expect(retries.allow(lostRequest)).toBe(false);
	});
});

const config: InternalAxiosRequestConfig = {headers: new AxiosHeaders()};
const waiting = () => ({config, remainingMs: undefined, closed: new AbortController().signal});

test.each<[string, ConnectionLoss, number[]]>([
	[
		'grow where the server does nothing but refuse',
		refused,
		[0, 10, 20, 40, 80, 160, 250, 250, 250],
	],
	['grow where it begins with others', {...refused, othersBegun: true}, [0, 10, 20, 40, 80]],
	[
		'are none where it goes away after others',
		{...refused, othersBegun: true, goneAway: true},
		[0, 0, 0, 0, 0],
	],
	['grow where it goes away before any', {...refused, goneAway: true}, [0, 10, 20, 40, 80]],
	['are none after a stale connection', lostRequest, [0]],
])('the pauses %s', async (_, ending, expected) => {
	vi.useFakeTimers();
	try {
		const retries = new Retries();
		const pauses: number[] = [];
		while (retries.allow(ending) && pauses.length < expected.length) {
			const before = Date.now();
			const pause = retries.pause(waiting());
			await vi.runAllTimersAsync();
			await pause;
			pauses.push(Date.now() - before);
		}
		expect(pauses).toEqual(expected);
	} finally {
		vi.useRealTimers();
	}
});

test('a pause is over with the client', async () => {
	const retries = new Retries();
	for (let n = 0; n < 5; n += 1) retries.allow(refused);
	const closed = AbortSignal.abort();
	await expect(retries.pause({...waiting(), closed})).rejects.toMatchObject({
		code: 'ERR_MTLS_CLIENT_CLOSED',
	});
});

test('the last error says how often the server has refused, and any other error is unchanged', () => {
	const retries = new Retries();
	const error = new AxiosError('refused');
	retries.allow(refused);
	retries.explain(error, refused);
	expect(error.message).toBe('refused');
	retries.allow(refused);
	retries.explain(error, refused);
	expect(error.message).toBe('the server refused the request 2 times: refused');
});

test.each<[string, Partial<ConnectionLoss>, string]>([
	['a POST', {method: 'POST'}, 'the POST was not sent again, because it may have arrived'],
	[
		'a PUT of a stream',
		{method: 'PUT', replayable: false},
		'the PUT was not sent again, because its body cannot be read twice',
	],
	[
		'a POST of a stream',
		{method: 'POST', replayable: false},
		'the POST was not sent again, because it may have arrived',
	],
])('the error of %s that was lost with a kept connection says so', (_, loss, why) => {
	const error = new AxiosError('read ECONNRESET', 'ECONNRESET');
	new Retries().explain(error, {...lostRequest, ...loss});
	expect(error.message).toBe(
		`read ECONNRESET: the server closed this kept-alive connection as it was used again; ${why}`,
	);
});

test.each<[string, Partial<ConnectionLoss>]>([
	['on a new connection', {reused: false}],
	['after half a head', {answered: true}],
	['with an alert', {alerted: true}],
	['before it was sent', {sent: false}],
	['for another reason', {code: 'ETIMEDOUT'}],
	['and can be sent again', {method: 'GET'}],
])('the error of a request that was lost %s is unchanged', (_, loss) => {
	const error = new AxiosError('read ECONNRESET', 'ECONNRESET');
	new Retries().explain(error, {...lostRequest, method: 'POST', ...loss});
	expect(error.message).toBe('read ECONNRESET');
});
