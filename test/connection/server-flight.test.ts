import {expect, test} from 'vitest';
import {readServerFlight} from '../../src/connection/server-flight.ts';
import {nameOf, text} from '../support/certificate-writer.ts';

function record(type: number, ...content: readonly Buffer[]): Buffer {
	const body = Buffer.concat(content);
	const head = Buffer.from([type, 3, 3, 0, 0]);
	head.writeUInt16BE(body.length, 3);
	return Buffer.concat([head, body]);
}

function message(type: number, body = Buffer.alloc(0)): Buffer {
	const head = Buffer.from([type, 0, 0, 0]);
	head.writeUIntBE(body.length, 1, 3);
	return Buffer.concat([head, body]);
}

const name = nameOf(text('Some CA'));
const body = Buffer.concat([
	Buffer.from([1, 1, 0, 2, 4, 1]),
	Buffer.from([0, name.length + 2, 0, name.length]),
	name,
]);
const serverHello = message(2, Buffer.alloc(40));
const request = message(13, body);
const done = message(14);
const handshake = 22;

test('a server that asks for a certificate is read up to the end of its flight', () => {
	const flight = readServerFlight(record(handshake, serverHello, request, done));

	expect(flight).toMatchObject({
		state: 'done',
		request: {signatureAlgorithms: ['rsa_pkcs1_sha256'], authorities: [{text: 'CN=Some CA'}]},
	});
});

test('a server that does not ask for a certificate is read without a request', () => {
	const flight = readServerFlight(record(handshake, serverHello, done));

	expect(flight).toEqual({state: 'done', request: undefined});
});

test('messages are put together from the records that they are cut over', () => {
	const bytes = Buffer.concat([serverHello, request, done]);
	for (let at = 1; at < bytes.length; at++) {
		const parts = [bytes.subarray(0, at), bytes.subarray(at)];
		const flight = readServerFlight(
			Buffer.concat(parts.map((content) => record(handshake, content))),
		);
		expect(flight).toMatchObject({state: 'done', request: {authorities: [{}]}});
	}
});

test('a flight is incomplete until its last byte has come', () => {
	const bytes = record(handshake, serverHello, request, done);
	for (let length = 0; length < bytes.length; length++) {
		expect(readServerFlight(bytes.subarray(0, length))).toEqual({state: 'incomplete'});
	}
	expect(readServerFlight(bytes).state).toBe('done');
});

test('an alert ends the flight, with its number', () => {
	expect(readServerFlight(record(21, Buffer.from([2, 70])))).toEqual({state: 'alert', alert: 70});
	const late = Buffer.concat([record(handshake, serverHello), record(21, Buffer.from([2, 40]))]);
	expect(readServerFlight(late)).toEqual({state: 'alert', alert: 40});
});

test('bytes of another protocol are not taken for TLS, from the first on', () => {
	for (const greeting of [
		'SSH-2.0-x\r\n',
		'220 mail ESMTP\r\n',
		'HTTP/1.1 400 Bad Request\r\n',
		'S',
	]) {
		expect(readServerFlight(Buffer.from(greeting))).toEqual({state: 'not-tls'});
	}
	expect(readServerFlight(Buffer.from([22, 1]))).toEqual({state: 'not-tls'});
	expect(readServerFlight(Buffer.from([22]))).toEqual({state: 'incomplete'});
});
