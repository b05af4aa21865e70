const http = require('node:http');
const {isMtlsError} = require('axios-mtls');

/** A server that answers `GET /accounts` with what the bank says. */
function createService(bank) {
	return http.createServer(async (request, response) => {
		const send = (status, body) => {
			response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body));
		};
		if (request.url !== '/accounts') return send(404, {error: 'not found'});
		try {
			const {data} = await bank.get('/accounts');
			send(200, data.accounts);
		} catch (error) {
			// The message and its causes are in the log of the client. What made a login fail is its cause.
			const failed = [error, error.cause].find(isMtlsError);
			send(502, {error: failed?.failure.kind ?? 'bank-failed'});
		}
	});
}

module.exports = {createService};
