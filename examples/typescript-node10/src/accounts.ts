import type {AxiosInstance} from 'axios';
import {type ClientConfig, createClient, isMtlsError} from 'axios-mtls';

export interface Account {
	readonly id: string;
	readonly balance: number;
}

/** What the rest of the app gets: an axios instance, as it had before. */
export function createBank(config: ClientConfig): AxiosInstance {
	return createClient({timeout: 10_000, jar: true, ...config});
}

export async function logIn(bank: AxiosInstance, user: string, password: string): Promise<void> {
	await bank.post('/login', {user, password});
}

export async function readAccounts(bank: AxiosInstance): Promise<readonly Account[]> {
	const {data} = await bank.get<{accounts: Account[]}>('/accounts');
	return data.accounts;
}

/** One line for a log or a person. */
export function explain(error: unknown): string {
	if (!isMtlsError(error)) return String(error);
	const {kind, hint} = error.failure;
	return `${kind}: ${error.message} (${hint})`;
}
