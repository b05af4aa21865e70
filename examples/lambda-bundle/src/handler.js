import {createClient, isMtlsError} from 'axios-mtls';

const {BANK_URL, CLIENT_CERT, CLIENT_KEY, BANK_CA} = process.env;

// Once for all invocations of this instance.
const bank = createClient({
	baseURL: BANK_URL,
	mtls: {cert: CLIENT_CERT, key: CLIENT_KEY, ca: BANK_CA},
	timeout: 10_000,
});

export async function handler(event) {
	try {
		const {data} = await bank.get('/whoami', {params: event.queryStringParameters});
		return {statusCode: 200, body: JSON.stringify(data)};
	} catch (error) {
		// The client has logged the failure with its facts.
		const reason = isMtlsError(error) ? error.failure.kind : error.code;
		return {statusCode: 502, body: JSON.stringify({reason})};
	}
}
