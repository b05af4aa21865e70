import {parity, type Scenario} from '../support/parity.ts';
import {bodies} from '../support/parity-bodies.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'LINK'] as const;
const unknownLength = [
	'a Readable',
	'a form without a length',
	'a form whose length fails',
	'a stream with headers that is no form',
	'a stream with headers and a length that is no form',
];
function exchange(body: string): Scenario['by'] {
	return body === 'a number' ? 'any' : 'client';
}

// Node sends such a stream without any framing, so what a server makes of it is chance.
function isUnframed(method: string, body: string): boolean {
	return unknownLength.includes(body) && ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method);
}

parity(
	methods.flatMap((method) =>
		Object.entries(bodies)
			.filter(([body]) => !isUnframed(method, body))
			.map(
				([body, make]): Scenario => ({
					title: `${method} with ${body}`,
					request: (s) => ({url: s.url('a', '/m'), method, data: make()}),
					answers: () => {
						// axios refuses it before there is a request.
						if (body === 'a number') return [];
						return method === 'HEAD'
							? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-A: 1\r\n\r\n'}]
							: [{}];
					},
					ends: body === 'a number' ? 'ERR_BAD_REQUEST' : 200,
					by: exchange(body),
				}),
			),
	),
);
