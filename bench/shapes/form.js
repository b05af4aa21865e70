import {isAccount} from './answers.js';

const fields = {to: 'DE02100100100006820101', amount: '25.50', text: 'rent'};

/** @type {import('./types.js').Shape} */
export const shape = {
	title: 'POST of FormData, three strings',
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	call: ({axios}, origin) => axios.post(`${origin}/account`, makeForm()),
	isRight: isAccount,
	isSent: isForm,
};

/** A new one for each request, as an app makes it. */
export function makeForm() {
	const form = new FormData();
	for (const name in fields) form.append(name, fields[name]);
	return form;
}

/** @param {{head: string, body: string}} sent */
export function isForm({head, body}) {
	return (
		head.startsWith('POST /account') &&
		/^content-type: multipart\/form-data; boundary=/im.test(head) &&
		Object.entries(fields).every(([name, value]) => {
			const field = `name="${name}"\r\n(?:[^\r\n]+\r\n)*\r\n${value}\r\n`;
			return new RegExp(field).test(body);
		})
	);
}
