/*
 * A response is the failure: a redirect that leaves TLS, or a page that refuses the client certificate.
 */
import {refusalPageRows} from './client-certificate.ts';
import type {Row} from './facts.ts';

export const responseRows: readonly Row[] = [
	{
		id: 'insecure-redirect',
		when: {source: 'redirect'},
		kind: 'insecure-redirect',
		certain: true,
		summary: ({url}) => `a redirect from https to http was not followed: ${url}`,
		causes: [
			{
				id: 'insecure-redirect',
				text: () => 'the server builds its Location without knowing that it is behind TLS',
				repair: () =>
					'have the server redirect to https, or set `allowInsecureRedirects: true` where nothing in the session is secret',
			},
		],
	},
	...refusalPageRows,
];
