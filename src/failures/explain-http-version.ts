import {authorityOf} from '../util/url.ts';
import type {Explanation, Facts} from './explain.ts';

/**
 * Puts in words that the server wants another version of HTTP than was asked for.
 *
 * @param asked - What was offered in ALPN (RFC 7301).
 */
export function explainHttpVersion(facts: Facts, asked: string | undefined): Explanation {
	const {host, port, alert, phase} = facts;
	const place = authorityOf(host, port);
	const said = alert ? `: ${alert}` : '';
	if (asked !== 'h2') {
		return {
			summary: `${place} does not speak HTTP/1.1${said}`,
			reasons: ['the server speaks HTTP/2 alone'],
			hint: 'send the request with `httpVersion: 2`',
		};
	}
	const hint = 'send the request with `httpVersion: 1`';
	if (phase !== 'response') {
		return {
			summary: `${place} does not speak HTTP/2${said}`,
			reasons: [
				'HTTP/2 is not switched on there',
				'a load balancer or an antivirus on the way speaks HTTP/1.1 alone',
			],
			hint,
		};
	}
	return {
		summary: `${place} wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)`,
		reasons: [
			'the server asks for a client certificate on this path alone, which HTTP/2 does not allow (RFC 9113 §9.2)',
		],
		hint,
	};
}
