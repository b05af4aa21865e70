import {describe, expect, test} from 'vitest';
import {classifyRefusal, type RefusalPage} from '../../src/failures/http-refusal.ts';

const required = 'nginx-required';
const refused = 'nginx-refused';
const late403 = 'apache-post-handshake';

// As nginx 1.22 and Apache 2.4 wrote them.
function nginxPage(words: string): string {
	return `<html>\r\n<head><title>400 ${words}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>${words}</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n`;
}
const none = nginxPage('No required SSL certificate was sent');
const bad = nginxPage('The SSL certificate error');
const late = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html><head>\n<title>403 Forbidden</title>\n</head><body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.Reason: Cannot perform Post-Handshake Authentication.<br /></p>\n</body></html>\n`;

describe('a refusal', () => {
	test.each<[string, RefusalPage, string]>([
		['nginx that saw none', {status: 400, server: 'nginx/1.22.1', data: none}, required],
		['nginx that saw a bad one', {status: 400, server: 'nginx', data: bad}, refused],
		['its relatives', {status: 400, server: 'openresty/1.25.3.1', data: bad}, refused],
		['nginx in bytes', {status: 400, server: 'nginx', data: Buffer.from(none)}, required],
		['nginx by number, none', {status: 496, server: 'nginx', data: ''}, required],
		['nginx by number, bad', {status: 495, server: 'nginx', data: {}}, refused],
		['Apache that cannot ask', {status: 403, server: 'Apache/2.4.71', data: late}, late403],
		['Apache of few words', {status: 403, server: 'Apache', data: late}, late403],
		[
			'an older Apache',
			{
				status: 403,
				server: 'Apache/2.4.41 (Ubuntu)',
				data: late
					.replace(/<!.*>\n<html>/, '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html>')
					.replace('<br /></p>', '<br />\n</p>'),
			},
			late403,
		],
	])('the page of %s is recognised as a refusal', (_, page, kind) => {
		expect(classifyRefusal(page)).toBe(kind);
	});
});

describe('no refusal', () => {
	const quote = 'No required SSL certificate was sent';
	test.each<[string, RefusalPage]>([
		['the page with another status', {status: 403, server: 'nginx', data: none}],
		['the page of another server', {status: 400, server: 'Apache/2.4', data: none}],
		['the page of no server', {status: 400, server: undefined, data: none}],
		[
			'the page of a server that has nginx in its name',
			{status: 400, server: 'my-nginx', data: none},
		],
		['the words of an app behind nginx', {status: 400, server: 'nginx', data: quote}],
		['the words as JSON', {status: 400, server: 'nginx', data: JSON.stringify({error: none})}],
		['the page within a page', {status: 400, server: 'nginx', data: `<p>${none}</p>`}],
		[
			'the words in a title alone',
			{status: 400, server: 'nginx', data: `<html><head><title>400 ${quote}</title></head></html>`},
		],
		['another page of nginx', {status: 400, server: 'nginx', data: nginxPage('Bad Request')}],
		[
			'plain http on the port of https',
			{
				status: 400,
				server: 'nginx',
				data: nginxPage('The plain HTTP request was sent to HTTPS port'),
			},
		],
		['a name that every object has', {status: 400, server: 'nginx', data: nginxPage('toString')}],
		['a status that is near', {status: 497, server: 'nginx', data: none}],
		['a number of another server', {status: 495, server: 'Microsoft-IIS/10.0', data: ''}],
		['a number of no server', {status: 496, server: undefined, data: ''}],
		['a 401 of Apache', {status: 401, server: 'Apache', data: late}],
		['another 403 of Apache', {status: 403, server: 'Apache', data: late.replace('Cannot', 'Can')}],
		[
			'the words of an app behind Apache',
			{status: 403, server: 'Apache', data: 'Cannot perform Post-Handshake Authentication.'},
		],
		['the page of Apache, from nginx', {status: 403, server: 'nginx', data: late}],
		['a page that was parsed', {status: 400, server: 'nginx', data: {toString: () => none}}],
		['no body', {status: 400, server: 'nginx', data: undefined}],
	])('the response %s is not a refusal', (_, page) => {
		expect(classifyRefusal(page)).toBeUndefined();
	});

	test('a page that is too long is not a refusal', () => {
		const page = (length: number) => none.padEnd(length, ' ');
		const kind = (length: number) =>
			classifyRefusal({status: 400, server: 'nginx', data: page(length)});
		expect([4095, 4096, 4097].map(kind)).toEqual([required, required, undefined]);
	});
});
