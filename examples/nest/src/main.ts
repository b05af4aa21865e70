import 'reflect-metadata';
import {NestFactory} from '@nestjs/core';
import {BankModule} from './bank.module';

async function bootstrap(): Promise<void> {
	const {BANK_URL = '', PORT = '3000'} = process.env;
	const bank = BankModule.register({
		baseURL: BANK_URL,
		mtls: {cert: 'client.crt', key: 'client.key', ca: 'ca.crt'},
	});
	const app = await NestFactory.create(bank);
	await app.listen(PORT);
}

void bootstrap();
