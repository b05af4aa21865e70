/** What each peer must bring home. */
export const account = {id: 7, owner: 'alice', iban: 'DE02120300000000202051', balance: 1204.5};

/** The one cookie of the session. */
export const cookie = 'session=7f3c9a52d4e14b0c';

/** @param {string} [head] further header lines */
function prepare(head = '') {
	const body = JSON.stringify(account);
	const lines = [
		'HTTP/1.1 200 OK',
		'Content-Type: application/json; charset=utf-8',
		`Content-Length: ${body.length}`,
		`Date: ${new Date().toUTCString()}`,
		head,
	];
	return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const kept = 'Connection: keep-alive\r\nKeep-Alive: timeout=120';

export const keepAlive = prepare(kept);
export const login = prepare(`${kept}\r\nSet-Cookie: ${cookie}; Path=/; Secure; HttpOnly`);
export const lastAnswer = prepare('Connection: close');
