import {isAccount, isTransfer, transfer} from './answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'HTTP/2 POST of JSON',
	server: 'http2',
	peers: ['ours', 'axios-http2', 'raw-http2', 'core'],
	against: 'axios-http2',
	call: ({axios}, origin) => axios.post(`${origin}/account`, transfer),
	isRight: isAccount,
	isSent: isTransfer,
	target: {httpVersion: 2},
};
