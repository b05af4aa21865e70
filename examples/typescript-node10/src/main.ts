import {createBank, explain, logIn, readAccounts} from './accounts';

const {BANK_URL, BANK_USER = '', BANK_PASSWORD = ''} = process.env;

async function main(): Promise<void> {
	const bank = createBank({
		baseURL: BANK_URL,
		mtls: {cert: 'client.crt', key: 'client.key', ca: 'ca.crt'},
	});
	await logIn(bank, BANK_USER, BANK_PASSWORD);
	console.log(await readAccounts(bank));
}

main().catch((error: unknown) => {
	console.error(explain(error));
	process.exitCode = 1;
});
