import {isAccount, isGet} from './answers.js';

/**
 * A GET with a key in its config that axios does not know, as apps set one in an interceptor.
 *
 * @type {import('./types.js').Shape}
 */
export const shape = {
	title: 'GET, `metadata` in the config',
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	call: ({axios}, origin) => axios.get(`${origin}/account`, {metadata: {started: 0}}),
	isRight: (answer) => isAccount(answer) && answer.config.metadata.started === 0,
	isSent: isGet,
	beside: 'get',
};
