import {createPrivateKey} from 'node:crypto';
import {expect} from 'vitest';
import {type Credential, createTestPki, type TestPki} from '../../src/testing/index.ts';
import {pemMarks, printedForms} from './printed-forms.ts';

/** Each secret of a request, marked by where it was put. */
export const marks = {
	passphrase: 'MARK-passphrase',
	cookie: 'MARK-cookie',
	jar: 'MARK-jar',
	authorization: 'MARK-authorization',
	apiKey: 'MARK-api-key',
	auth: 'MARK-auth',
	body: 'MARK-body',
	userinfo: 'MARK-userinfo',
	query: 'MARK-query',
	proxy: 'MARK-proxy',
	proxyUrl: 'MARK-proxy-url',
} as const;

/** A PKI with a client whose key is encrypted with the marked passphrase. */
export interface Secrets {
	readonly pki: TestPki;
	readonly client: Credential;
	/** Fails for the first secret that `text` holds, as it is, in base64 or percent-encoded. */
	expectNone(text: string): void;
}

export async function createSecrets(): Promise<Secrets> {
	const pki = await createTestPki();
	const client = await pki.client({commonName: 'alice', passphrase: marks.passphrase});
	const plain = createPrivateKey({key: client.key, passphrase: marks.passphrase})
		.export({type: 'pkcs8', format: 'pem'})
		.toString();
	const secrets = new Map<string, string>();
	for (const [place, mark] of Object.entries(marks)) {
		secrets.set(mark, place);
		// Wherever a mark begins in its group of three bytes, this much of its base64 is the same.
		for (const lead of ['', '.', '..']) {
			const encoded = Buffer.from(lead + mark).toString('base64');
			secrets.set(encoded.slice(lead === '' ? 0 : 4, 16), `${place} in base64`);
		}
	}
	for (const pem of [client.key, plain]) {
		for (const mark of pemMarks(pem)) secrets.set(mark, 'the key');
	}
	return {
		pki,
		client,
		expectNone(text) {
			for (const [secret, place] of secrets) {
				if (text.includes(secret)) {
					const at = text.indexOf(secret);
					expect.fail(`${place} is told: …${text.slice(Math.max(0, at - 200), at + 60)}…`);
				}
			}
		},
	};
}

/**
 * Everything of a request that is secret. Its login is in a header, or in the URL, which axios lets
 * win over the header.
 */
export function secretRequest(url: string, login: 'header' | 'url' = 'header') {
	const asked = login === 'url' ? url.replace('//', `//alice:${marks.userinfo}@`) : url;
	return {
		url: `${asked}?token=${marks.query}`,
		method: 'post',
		params: {token: marks.query},
		data: {user: 'alice', password: marks.body},
		headers: {
			...(login === 'header' && {Authorization: `Bearer ${marks.authorization}`}),
			Cookie: `own=${marks.cookie}`,
			'X-Api-Key': marks.apiKey,
		},
	};
}

/** The way a value is printed, and printed as a field of another. */
export function printed(...values: unknown[]): string {
	return values.map(printedForms).join('\n');
}
