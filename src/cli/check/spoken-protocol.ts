/** A protocol that is not TLS, by the first bytes of a server that speaks it. */
export interface SpokenProtocol {
	readonly name: string;
	/** Its first line, where it is text. */
	readonly line: string | undefined;
	/** The word for `openssl s_client -starttls`, where TLS begins on its request. */
	readonly startTls: string | undefined;
}

// RFC 4253 §4.2, RFC 5321 §4.2, RFC 959 §5.4, RFC 9051 §7.1.1, RFC 1939 §4, RFC 9112 §4, RFC 6143 §7.1.1.
const greetings: readonly (readonly [pattern: RegExp, name: string, startTls?: string])[] = [
	[/^SSH-\d/, 'SSH'],
	[/^[245]\d\d[ -].*\bE?SMTP\b/i, 'SMTP', 'smtp'],
	[/^[245]\d\d[ -].*FTP/i, 'FTP', 'ftp'],
	[/^220[ -]/, 'SMTP or FTP', 'smtp'],
	[/^\* (OK|PREAUTH|BYE)\b/, 'IMAP', 'imap'],
	[/^\+OK\b/, 'POP3', 'pop3'],
	[/^HTTP\/\d/, 'plain HTTP'],
	// Python's http.server and other old ones answer a line that they cannot read without a status line.
	[/^\s*<(!doctype html|html|head)\b/i, 'plain HTTP'],
	[/^RFB \d{3}\.\d{3}/, 'VNC'],
	[/^-(ERR|NOAUTH|DENIED)\b/, 'Redis'],
	[/^AMQP/, 'AMQP'],
];

/** Names the protocol that begins with `bytes`; `undefined` for one that is not known. */
export function nameProtocol(bytes: Buffer): SpokenProtocol | undefined {
	const [line = ''] = bytes.toString('latin1').split(/\r?\n/, 1);
	const found = greetings.find(([pattern]) => pattern.test(line));
	if (found !== undefined) return {name: found[1], line, startTls: found[2]};
	return isMySql(bytes) ? {name: 'MySQL', line: undefined, startTls: 'mysql'} : isHttp2(bytes);
}

// A packet of 3 bytes of length and number 0, with protocol version 10 (MySQL: Protocol::HandshakeV10).
function isMySql(bytes: Buffer): boolean {
	return bytes.length > 5 && bytes[3] === 0 && bytes[4] === 10 && bytes.readUIntLE(0, 3) < 512;
}

// The first frame is SETTINGS, on stream 0 (RFC 9113 §3.4, §6.5).
function isHttp2(bytes: Buffer): SpokenProtocol | undefined {
	const isSettings = bytes.length >= 9 && bytes[3] === 4 && bytes.readUInt32BE(5) === 0;
	return isSettings && bytes.readUIntBE(0, 3) % 6 === 0
		? {name: 'HTTP/2 without TLS', line: undefined, startTls: undefined}
		: undefined;
}
