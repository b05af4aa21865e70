/*
 * The answers of the parity servers over HTTP/2: each is written for HTTP/1.1, and says the same here.
 */
import type {OutgoingHttpHeaders, ServerHttp2Stream} from 'node:http2';
import type {Socket} from 'node:net';
import type {Answer} from './parity-server.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** What an answer says, whichever version carries it. */
interface Message {
	readonly interim: readonly (readonly [status: number, fields: Fields])[];
	/** Missing where the answer ends within its head. */
	readonly head?: {readonly status: number; readonly fields: Fields};
	readonly body: Buffer;
	/** All of the body is there. */
	readonly isWhole: boolean;
	readonly trailers: Fields;
}

/** RFC 9113 section 8.2.2. */
const connectionFields = /^(connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;

/**
 * Answers a request.
 *
 * @param transport - The connection, which is closed where the answer over HTTP/1.1 ends too early.
 */
export function performOverH2(
	stream: ServerHttp2Stream,
	method: string | undefined,
	transport: Socket,
	answer: Answer,
	onCancel: () => void,
): void {
	if (stream.destroyed) return;
	const {interim, head, body, isWhole, trailers} = messageOf(answer, method);
	for (const [status, fields] of interim) {
		stream.additionalHeaders({':status': status, ...headersOf(fields)});
	}
	const next = 'raw' in answer ? answer.next : undefined;
	const proceed = () => {
		if (next === 'cancel') onCancel();
		else if (next === 'reset') transport.resetAndDestroy();
		else if (!isWhole && (next === 'end' || next === 'destroy')) transport.destroySoon();
	};
	if (head === undefined) {
		proceed();
		return;
	}
	// That of Node's compatibility API, which serves HTTP/1.1 here, would send none.
	stream.removeAllListeners('wantTrailers');
	stream.once('wantTrailers', () => stream.sendTrailers(headersOf(trailers)));
	stream.respond({':status': head.status, ...headersOf(head.fields)}, {
		waitForTrailers: trailers.length > 0,
		sendDate: false,
	} as object);
	if (isWhole) stream.end(body);
	else stream.write(body, proceed);
}

function messageOf(answer: Answer, method: string | undefined): Message {
	if (!('raw' in answer)) {
		const {status = 200, headers = [], body = 'ok'} = answer;
		const fields = pairs(headers);
		const bytes = Buffer.from(body as string);
		if (fields.some(([name]) => /^transfer-encoding$/i.test(name))) {
			return {interim: [], head: {status, fields}, ...dechunked(bytes)};
		}
		const sized = fields.some(([name]) => /^content-length$/i.test(name));
		const all: Fields = sized ? fields : [...fields, ['content-length', String(bytes.length)]];
		return {interim: [], head: {status, fields: all}, body: bytes, isWhole: true, trailers: []};
	}
	const interim: [number, Fields][] = [];
	let rest = Buffer.concat(
		[answer.raw].flat().map((part) => Buffer.from(part as string, 'latin1')),
	);
	for (;;) {
		const end = rest.indexOf('\r\n\r\n');
		if (end < 0) return {interim, body: rest, isWhole: false, trailers: []};
		const [line = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n');
		const status = Number(line.split(' ')[1]);
		const fields = fieldsOf(lines);
		rest = rest.subarray(end + 4);
		if (status >= 200) {
			const hasNone = method === 'HEAD' || status === 204 || status === 304;
			return {interim, head: {status, fields}, ...bodyOf(rest, fields, hasNone, answer.next)};
		}
		interim.push([status, fields]);
	}
}

type Body = Pick<Message, 'body' | 'isWhole' | 'trailers'>;

function bodyOf(rest: Buffer, fields: Fields, hasNone: boolean, next: string | undefined): Body {
	const value = (wanted: string) => fields.find(([name]) => name.toLowerCase() === wanted)?.[1];
	if (hasNone) return {body: Buffer.alloc(0), isWhole: true, trailers: []};
	if (value('transfer-encoding') === 'chunked') return dechunked(rest);
	const length = value('content-length');
	if (length === undefined) return {body: rest, isWhole: next === 'end', trailers: []};
	const body = rest.subarray(0, Number(length));
	return {body, isWhole: body.length === Number(length), trailers: []};
}

function dechunked(bytes: Buffer): Body {
	const parts: Buffer[] = [];
	let at = 0;
	for (;;) {
		const end = bytes.indexOf('\r\n', at);
		const size = end < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, end), 16);
		if (!(size > 0)) {
			const trailers = size === 0 ? trailersOf(bytes.toString('latin1', end + 2)) : undefined;
			const isWhole = trailers !== undefined;
			return {body: Buffer.concat(parts), isWhole, trailers: trailers ?? []};
		}
		parts.push(bytes.subarray(end + 2, end + 2 + size));
		at = end + 4 + size;
	}
}

/** @returns nothing where they are not complete. */
function trailersOf(text: string): Fields | undefined {
	if (text.startsWith('\r\n')) return [];
	const end = text.indexOf('\r\n\r\n');
	return end < 0 ? undefined : fieldsOf(text.slice(0, end).split('\r\n'));
}

function fieldsOf(lines: readonly string[]): Fields {
	return lines.map((line) => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
}

function pairs(flat: readonly string[]): Fields {
	return Array.from({length: flat.length / 2}, (_, i) => [
		flat[2 * i] as string,
		flat[2 * i + 1] as string,
	]);
}

function headersOf(fields: Fields): OutgoingHttpHeaders {
	const headers: Record<string, string[]> = {};
	for (const [name, value] of fields) {
		if (connectionFields.test(name)) continue;
		const lower = name.toLowerCase();
		headers[lower] = [...(headers[lower] ?? []), value];
	}
	return Object.fromEntries(
		Object.entries(headers).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
	);
}
