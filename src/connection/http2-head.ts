import {validateHeaderName, validateHeaderValue} from 'node:http';
import {BoundedMap} from '../util/bounded-map.ts';
import type {WireRequest} from './request-connection.ts';

/** Headers of HTTP/1.1 connections (RFC 9113 §8.2.2) and of proxies, which no request has. */
const connectionHeaders: ReadonlySet<string> = new Set([
	'connection',
	'http2-settings',
	'keep-alive',
	// Security: a proxy gets its credentials with the CONNECT, and the server must not.
	'proxy-authorization',
	'proxy-connection',
	'transfer-encoding',
	'upgrade',
]);

const dropped = '';

// Every request has the same few names.
const fieldNames = new BoundedMap<string, string>({maxEntries: 1_000, maxBytes: 256 * 1024});

/** A name as HTTP/2 has it, in lower case. @throws {TypeError} Node's own, for one that is no token. */
function fieldName(name: string): string {
	let field = fieldNames.get(name);
	if (field !== undefined) return field;
	validateHeaderName(name);
	const lower = name.toLowerCase();
	field = connectionHeaders.has(lower) ? dropped : lower;
	fieldNames.set(name, field, 100 + 4 * name.length);
	return field;
}

/**
 * The head of a request over HTTP/2 (RFC 9113 §8.3.1), names and values in turn.
 *
 * @throws {TypeError} Node's own, for a path or a header that HTTP cannot carry.
 */
export function headOf(
	{method, path, headers}: WireRequest,
	{scheme, authority}: {readonly scheme: string; readonly authority: string},
): string[] {
	assertPath(path);
	const head = [':scheme', scheme, ':method', method, ':path', path, ':authority', authority];
	for (let i = 0; i < headers.length; i += 2) {
		const name = headers[i] as string;
		const value = headers[i + 1] as string;
		const field = fieldName(name);
		if (field === dropped) continue;
		validateHeaderValue(name, value);
		if (field === 'host') head[7] = value;
		else if (field !== 'te' || value.trim().toLowerCase() === 'trailers') head.push(field, value);
	}
	return head;
}

// Node checks the path for HTTP/1.1 only, but a server may forward the request over HTTP/1.1.
function assertPath(path: string): void {
	if (!/[^\x21-\xff]/.test(path)) return;
	const error = new TypeError('Request path contains unescaped characters');
	throw Object.assign(error, {code: 'ERR_UNESCAPED_CHARACTERS'});
}
