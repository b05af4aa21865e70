import {HttpModule} from '@nestjs/axios';
import {type DynamicModule, Module} from '@nestjs/common';
import {createAdapter, type MtlsOptions} from 'axios-mtls';
import {BankController} from './bank.controller';

export interface BankOptions {
	readonly baseURL: string;
	readonly mtls: MtlsOptions;
}

@Module({})
export class BankModule {
	static register(options: BankOptions): DynamicModule {
		return {
			module: BankModule,
			imports: [
				HttpModule.registerAsync({
					useFactory: () => ({
						baseURL: options.baseURL,
						timeout: 10_000,
						adapter: createAdapter({mtls: options.mtls, jar: true}),
					}),
				}),
			],
			controllers: [BankController],
		};
	}
}
