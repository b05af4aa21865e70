// Calls the function twice, as the runtime does. The folder has this file and the bundle alone.
const {handler} = require('./handler.cjs');

(async () => {
	for (const account of ['1', '2']) {
		const {statusCode, body} = await handler({queryStringParameters: {account}});
		console.log(statusCode, body);
	}
})();
