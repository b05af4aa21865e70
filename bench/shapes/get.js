import {isAccount, isGet} from './answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'GET',
	server: 'requests',
	peers: [
		'ours',
		'axios-agent',
		'http-cookie-agent',
		'axios-cookiejar-support',
		'got',
		'superagent',
		'raw',
		'core',
		'least',
	],
	against: 'axios-agent',
	call: (client) => client.get('/account'),
	isRight: isAccount,
	isSent: isGet,
};
