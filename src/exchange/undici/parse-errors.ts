/*
 * Answers that are not HTTP. undici and Node use one parser, llhttp, but undici keeps its reason and
 * forgets the code.
 */

/** llhttp's reasons by the code that Node gives them: https://github.com/nodejs/llhttp, `src/llhttp/http.ts`. */
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

/** The error as Node words it; `undefined` for an error of another kind. */
export function parseError({
	name,
	message,
	code,
}: NodeJS.ErrnoException): NodeJS.ErrnoException | undefined {
	if (code === 'UND_ERR_HEADERS_OVERFLOW') return worded('Header overflow', 'HPE_HEADER_OVERFLOW');
	// undici looks at the length first, and does not say that the head was broken after it.
	if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
		return worded('Duplicate Content-Length', 'HPE_UNEXPECTED_CONTENT_LENGTH');
	}
	// A status below 100 is no error of the parser, and trips undici.
	if (name === 'AssertionError') return worded('Invalid status code', 'HPE_INVALID_STATUS');
	if (name !== 'HTTPParserError') return undefined;
	const reason = /\((.*)\)$/.exec(message)?.[1] ?? message;
	return worded(reason, codes.find(([pattern]) => pattern.test(reason))?.[1] ?? 'HPE_STRICT');
}

function worded(reason: string, code: string): NodeJS.ErrnoException {
	return Object.assign(new Error(`Parse Error: ${reason}`), {code});
}
