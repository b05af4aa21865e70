import {describe, expect, test} from 'vitest';
import {beginConnection} from '../../src/connection/connection.ts';
import {describeProgress, type Progress} from '../../src/exchange/progress.ts';
import type {FailurePhase} from '../../src/facts.ts';

const start: Progress = {
	host: 'a.test:443',
	waitsFor: undefined,
	connected: false,
	attempt: undefined,
	sent: undefined,
	status: undefined,
};

function attemptIn(phase: FailurePhase | undefined) {
	return beginConnection({
		snapshot: {} as never,
		host: 'a.test',
		port: 443,
		servername: 'a.test',
		proxy: {toString: () => 'http://proxy.test:3128'} as never,
		identity: null,
		phase,
	});
}

describe('how far a request has come', () => {
	test.each<[string, Partial<Progress>, string]>([
		['nothing', {}, ': there is no connection to a.test:443 yet'],
		['a queue', {waitsFor: 'b.test:1'}, ' waiting for a free connection to b.test:1'],
		[
			'an attempt',
			{attempt: attemptIn(undefined)},
			': there is no TCP connection to a.test:443 yet',
		],
		[
			'a tunnel',
			{attempt: attemptIn('tunnel')},
			': there is no connection to a.test:443 through the proxy http://proxy.test:3128 yet',
		],
		[
			'a handshake',
			{attempt: attemptIn('handshake')},
			': there is a TCP connection to a.test:443, and the TLS handshake is not complete',
		],
		[
			'the settings of HTTP/2',
			{attempt: attemptIn('response')},
			': there is a TLS connection to a.test:443, and HTTP/2 has not begun',
		],
		[
			'a connection',
			{connected: true},
			': there is a connection to a.test:443, and the request was not sent yet',
		],
		[
			'half a request',
			{connected: true, sent: false},
			': part of the request was sent to a.test:443, and no response has begun',
		],
		[
			'a request',
			{connected: true, sent: true},
			': the request was sent to a.test:443, and no response has begun',
		],
		[
			'a head',
			{connected: true, sent: true, status: 200},
			': the head of the response (200) has arrived from a.test:443, and its body is not complete',
		],
		[
			'half a body',
			{connected: true, sent: true, status: 200, bytes: 0},
			': the head of the response (200) has arrived from a.test:443, and 0 bytes of its body',
		],
	])('a request with %s is described', (_, more, words) => {
		expect(describeProgress({...start, ...more})).toBe(words);
	});
});
