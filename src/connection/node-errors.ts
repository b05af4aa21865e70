/*
 * Errors in Node's words: those of undici and of its parser, and those of Node that are made here.
 */

/** Node's error for one of undici's; any other as it is. */
export function toNodeError(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
	return parseError(error) ?? connectionError(error);
}

/** Whether a response that had begun broke off with its connection. */
export function isBrokenOff(error: NodeJS.ErrnoException): boolean {
	if (error.code?.startsWith('UND_ERR_')) return true;
	// After `Connection: close` undici leaves it to the parser to notice the end.
	return parseError(error)?.code === 'HPE_INVALID_EOF_STATE';
}

function connectionError(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
	switch (error.code) {
		case 'UND_ERR_SOCKET':
		case 'UND_ERR_CLOSED':
		case 'UND_ERR_DESTROYED':
			return hangUp();
		// Security: what is longer than its Content-Length would be the beginning of another request.
		case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
			return lengthMismatch();
		default:
			return error;
	}
}

/**
 * Node's code for each reason of llhttp, the parser of both: undici keeps only the reason.
 * https://github.com/nodejs/llhttp, `src/llhttp/http.ts`.
 */
const codes: readonly (readonly [reason: RegExp, code: string])[] = [
	[/^Expected HTTP\//, 'HPE_INVALID_CONSTANT'],
	[/version$|^Expected dot$/, 'HPE_INVALID_VERSION'],
	[/^Invalid (status code|response status)$/, 'HPE_INVALID_STATUS'],
	[/^Missing expected CR/, 'HPE_CR_EXPECTED'],
	[/^Missing expected LF|^Expected LF after CR/, 'HPE_LF_EXPECTED'],
	[/^Duplicate Content-Length$|^Content-Length can't/, 'HPE_UNEXPECTED_CONTENT_LENGTH'],
	[/Content-Length( overflow)?$/, 'HPE_INVALID_CONTENT_LENGTH'],
	[/Transfer-Encoding/, 'HPE_INVALID_TRANSFER_ENCODING'],
	[/chunk size( overflow)?$/i, 'HPE_INVALID_CHUNK_SIZE'],
	[/header (token|field|value)/, 'HPE_INVALID_HEADER_TOKEN'],
	[/^Data after/, 'HPE_CLOSED_CONNECTION'],
	[/start line$/, 'HPE_UNEXPECTED_SPACE'],
	[/^Invalid EOF/, 'HPE_INVALID_EOF_STATE'],
];

/** Node's error for a response that is not HTTP; `undefined` for an error of another kind. */
function parseError({
	name,
	message,
	code,
	data,
}: NodeJS.ErrnoException & {readonly data?: unknown}): NodeJS.ErrnoException | undefined {
	if (code === 'UND_ERR_HEADERS_OVERFLOW')
		return parserError('Header overflow', 'HPE_HEADER_OVERFLOW');
	// undici checks the length first, and does not report that the head was malformed after it.
	if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
		return parserError('Duplicate Content-Length', 'HPE_UNEXPECTED_CONTENT_LENGTH');
	}
	// The parser accepts a status below 100, and an assertion in undici fails.
	if (name === 'AssertionError') return parserError('Invalid status code', 'HPE_INVALID_STATUS');
	if (name !== 'HTTPParserError') return undefined;
	const reason = /\((.*)\)$/.exec(message)?.[1] ?? message;
	const found = codes.find(([pattern]) => pattern.test(reason))?.[1] ?? 'HPE_STRICT';
	const error = parserError(reason, found);
	// As Node's own error has it: what could not be parsed.
	const rawPacket = typeof data === 'string' ? Buffer.from(data.slice(0, 16)) : undefined;
	return rawPacket === undefined
		? error
		: Object.defineProperty(error, 'rawPacket', {value: rawPacket});
}

function parserError(reason: string, code: string): NodeJS.ErrnoException {
	return Object.assign(new Error(`Parse Error: ${reason}`), {code});
}

/** Node's error for a connection that ends without a response. */
export function hangUp(): Error {
	return Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'});
}

/** Node's error for the body of a request that is not as long as its `Content-Length`. */
export function lengthMismatch(): Error {
	return Object.assign(
		new Error('the body of the request is not as long as its Content-Length header says'),
		{code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'},
	);
}
