import {isAccount, isTransfer, transfer} from './answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'POST of JSON',
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	call: ({axios}, origin) => axios.post(`${origin}/account`, transfer),
	isRight: isAccount,
	isSent: isTransfer,
	beside: 'get',
};
