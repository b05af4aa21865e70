import {isAccount, isGet} from './answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'HTTP/2 GET',
	server: 'http2',
	peers: ['ours', 'axios-http2', 'raw-http2', 'core'],
	against: 'axios-http2',
	call: (client) => client.get('/account'),
	isRight: isAccount,
	isSent: isGet,
	target: {httpVersion: 2},
};
