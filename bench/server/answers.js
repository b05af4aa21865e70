/** What each peer must bring home. */
export const account = {id: 7, owner: 'alice', iban: 'DE02120300000000202051', balance: 1204.5};

/** The one cookie of the session. */
export const cookie = 'session=7f3c9a52d4e14b0c';

/** With `/login`. */
export const setCookie = `${cookie}; Path=/; Secure; HttpOnly`;

export const json = JSON.stringify(account);

/** Of the JSON, in bytes. */
export const length = Buffer.byteLength(json);

/** With `/stream`, in bytes. */
export const streamSize = 1_024;

/**
 * @param {string} head further header lines
 * @param {string} [type]
 * @param {string} [body]
 */
function prepare(head, type = 'application/json; charset=utf-8', body = json) {
	const lines = [
		'HTTP/1.1 200 OK',
		`Content-Type: ${type}`,
		`Content-Length: ${Buffer.byteLength(body)}`,
		`Date: ${new Date().toUTCString()}`,
		head,
	];
	return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const kept = 'Connection: keep-alive\r\nKeep-Alive: timeout=120';

export const keepAlive = prepare(kept);
export const login = prepare(`${kept}\r\nSet-Cookie: ${setCookie}`);
export const lastAnswer = prepare('Connection: close');
export const streamed = prepare(kept, 'application/octet-stream', 'x'.repeat(streamSize));
export const headOnly = keepAlive.subarray(0, keepAlive.length - length);
