const {createClient} = require('axios-mtls');

/**
 * Makes the client of the bank. `mtls` holds the client certificate, its key, and the CA of the bank.
 * Every axios option can stand beside it.
 */
function createBank({baseURL, mtls, user, password, logger}) {
	return createClient({
		baseURL,
		mtls,
		logger,
		// Keeps the cookie of the login; `session` logs in when it is needed.
		jar: true,
		session: {
			login: (client) => client.post('/login', {user, password}),
			isExpired: (response) => response.status === 401,
		},
	});
}

module.exports = {createBank};
