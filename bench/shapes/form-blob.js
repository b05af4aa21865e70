import {isAccount} from './answers.js';
import {isForm, makeForm} from './form.js';

const text = 'receipt '.repeat(128);
const blob = new Blob([text]);

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'POST of FormData with a Blob',
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	call({axios}, origin) {
		const form = makeForm();
		form.append('receipt', blob, 'receipt.txt');
		return axios.post(`${origin}/account`, form);
	},
	isRight: isAccount,
	isSent: (sent) =>
		isForm(sent) && sent.body.includes('filename="receipt.txt"') && sent.body.includes(text),
};
