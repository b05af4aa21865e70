import {length} from '../server/answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'HEAD',
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	call: ({axios}, origin) => axios.head(`${origin}/account`),
	isRight: ({data, headers}) => !data && headers['content-length'] === String(length),
	isSent: ({head}) => head.startsWith('HEAD /account'),
	beside: 'get',
};
