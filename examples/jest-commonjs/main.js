const {createBank} = require('./bank.js');
const {createService} = require('./service.js');

const {BANK_URL, BANK_USER, BANK_PASSWORD, PORT = '8080'} = process.env;

const bank = createBank({
	baseURL: BANK_URL,
	mtls: {cert: 'client.crt', key: 'client.key', ca: 'ca.crt'},
	user: BANK_USER,
	password: BANK_PASSWORD,
});
createService(bank).listen(Number(PORT));
