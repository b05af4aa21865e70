import {isAccount, isGet} from './answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'HTTP/2 GET through a proxy',
	server: 'http2',
	peers: ['ours', 'ours-direct'],
	against: 'ours-direct',
	call: (client) => client.get('/account'),
	isRight: isAccount,
	isSent: isGet,
	target: {httpVersion: 2},
	proxied: true,
};
