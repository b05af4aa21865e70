import {expect, test} from 'vitest';
import {nameProtocol} from '../../../src/cli/check/spoken-protocol.ts';

const greetings = [
	['SSH-2.0-OpenSSH_9.6\r\n', 'SSH', undefined],
	['220 mail.example ESMTP Postfix\r\n', 'SMTP', 'smtp'],
	['554 mail.example SMTP service not available\r\n', 'SMTP', 'smtp'],
	['220 ProFTPD Server ready\r\n', 'FTP', 'ftp'],
	['220 (vsFTPd 3.0.5)\r\n', 'FTP', 'ftp'],
	['220 welcome\r\n', 'SMTP or FTP', 'smtp'],
	['* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n', 'IMAP', 'imap'],
	['+OK POP3 ready\r\n', 'POP3', 'pop3'],
	['HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', 'plain HTTP', undefined],
	['<!DOCTYPE HTML>\n<html lang="en">', 'plain HTTP', undefined],
	['RFB 003.008\n', 'VNC', undefined],
	["-ERR Protocol error, got '\\x16'\r\n", 'Redis', undefined],
	['AMQP\u0000\u0000\u0009\u0001', 'AMQP', undefined],
	['J\u0000\u0000\u0000\n8.0.36\u0000', 'MySQL', 'mysql'],
	['\u0000\u0000\u0012\u0004\u0000\u0000\u0000\u0000\u0000', 'HTTP/2 without TLS', undefined],
] as const;

test.for(greetings)('the greeting %j is that of %s', ([greeting, name, startTls]) => {
	expect(nameProtocol(Buffer.from(greeting, 'latin1'))).toMatchObject({name, startTls});
});

test('bytes that are no known greeting have no name', () => {
	for (const bytes of ['', '2', 'hello', '\u0016\u0003\u0003\u0000\u0002', '99 bottles']) {
		expect(nameProtocol(Buffer.from(bytes, 'latin1'))).toBe(undefined);
	}
});
