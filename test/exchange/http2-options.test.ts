import {expect, test} from 'vitest';
import {sessionOptions, tlsHttp2Option, wantsHttp2} from '../../src/exchange/http2-options.ts';
import {followsRedirects} from '../../src/request/prepare-call.ts';

test.each([
	[2, true],
	['2', true],
	[1, false],
	['1', false],
	[undefined, false],
	[3, false],
	['two', false],
])('httpVersion %j wants HTTP/2: %s', (httpVersion, wants) => {
	expect(wantsHttp2({httpVersion: httpVersion as 2})).toBe(wants);
});

test.each([
	['maxDeflateDynamicTableSize', 1],
	['maxHeaderListPairs', 1],
	['maxOutstandingPings', 1],
	['maxSendHeaderBlockLength', 1],
	['maxSessionMemory', 1],
	['maxSettings', 1],
	['paddingStrategy', 1],
	['peerMaxConcurrentStreams', 1],
	['sessionTimeout', null],
	['settings', {enablePush: true}],
])('the http2Option %s is accepted', (name, value) => {
	const http2Options = {[name]: value, nothing: undefined};
	expect(tlsHttp2Option({http2Options})).toBeUndefined();
	expect(sessionOptions({http2Options})).toEqual({[name]: value});
});

// An allow-list: an option of a future Node is refused before it is known what it decides.
test.each([
	'ca',
	'cert',
	'checkServerIdentity',
	'constructor',
	'createConnection',
	'host',
	'key',
	'lookup',
	'minVersion',
	'pfx',
	'protocol',
	'rejectUnauthorized',
	'secureContext',
	'servername',
	'session',
	'socket',
	'somethingNew',
])('the http2Option %s is refused, as it would choose the TLS', (name) => {
	expect(tlsHttp2Option({http2Options: {settings: {}, [name]: false}})).toBe(name);
	expect(tlsHttp2Option({http2Options: {[name]: undefined}})).toBeUndefined();
});

test("redirects are followed over the client's own sessions, and not over one that the app brings", () => {
	const http2 = {httpVersion: 2} as const;
	expect(followsRedirects(http2)).toBe(true);
	expect(followsRedirects({...http2, http2Options: {sessionTimeout: 1}})).toBe(true);
	expect(followsRedirects({...http2, transport: {}})).toBe(true);
	expect(followsRedirects({...http2, maxRedirects: 0})).toBe(false);
	expect(followsRedirects({...http2, http2Options: {ca: 'PEM'}})).toBe(false);
});
