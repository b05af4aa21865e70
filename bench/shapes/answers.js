import {account} from '../server/answers.js';

/** @param {{data: any}} answer */
export function isAccount({data}) {
	return data?.id === account.id && data.owner === account.owner;
}

/** What the shapes with a JSON body send. */
export const transfer = {to: 'DE02100100100006820101', amount: 25.5, currency: 'EUR', text: 'rent'};

/**
 * Whether a request was a POST of `transfer`.
 *
 * @param {{head: string, body: string}} sent
 */
export function isTransfer({head, body}) {
	return head.startsWith('POST /account') && body === JSON.stringify(transfer);
}

/** @param {{head: string}} sent */
export function isGet({head}) {
	return head.startsWith('GET /account');
}
