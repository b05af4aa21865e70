/** Node's error for the body of a request that is not as long as its `Content-Length`. */
export function lengthMismatch(): Error {
	return Object.assign(
		new Error('the body of the request is not as long as its Content-Length header says'),
		{code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'},
	);
}
