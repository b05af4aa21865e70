/*
 * Errors of ours that wrap what code of an app threw, or that tell of a body or a URL. Tests load this,
 * and so do their child processes and workers: nothing of vitest is in it.
 */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Readable} from 'node:stream';
import {CookieJar, MemoryCookieStore, type Store} from 'tough-cookie';
import {type ClientConfig, createClient, type MtlsClient} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {FakeLoginLock, jarWith} from './fake-login-lock.ts';

export const secret = 'hunter2-of-the-app';

/** What an app throws that has never heard of logs: the secret is in the message and in each field. */
function appError(message = `the vault refused ${secret}`, code = `refused: ${secret}`): Error {
	return Object.assign(new Error(message, {cause: new Error(secret)}), {
		code,
		token: secret,
		config: {auth: {password: secret}},
	});
}

const refuse = (...words: Parameters<typeof appError>): never => {
	throw appError(...words);
};

/** Fails, as tough-cookie hears it: by the callback. */
function failing(method: 'findCookies' | 'putCookie'): Store {
	return Object.assign(new MemoryCookieStore(), {
		[method](...args: unknown[]) {
			const callback = args.find((arg) => typeof arg === 'function');
			callback?.(appError());
			return new Promise(() => {});
		},
	});
}

function brokenLock(): CookieJar {
	const lock = new FakeLoginLock();
	return jarWith(Object.assign(lock, {generation: async () => refuse()}));
}

interface Stage {
	/** Answers with a cookie, and a body that is no JSON and holds the secret; `/old` is a redirect. */
	readonly url: string;
	readonly client: (config: ClientConfig) => MtlsClient;
}

export interface WrappedKind {
	readonly code: string;
	/** How many causes down the app finds what it threw; absent where it threw nothing. */
	readonly depth?: 1 | 2;
	/** Of axios's own make, so that `cause` is its own field, as in axios. */
	readonly byAxios?: true;
	readonly run: (stage: Stage) => unknown;
}

const failed = 'ERR_MTLS_LOGIN_FAILED';

export const wrappedKinds: Readonly<Record<string, WrappedKind>> = {
	'a loader that rejects': {
		code: 'ERR_MTLS_IDENTITY_FAILED',
		depth: 1,
		run: ({client, url}) => client({mtls: {identity: async () => refuse()}}).get(url),
	},
	'a loader that throws text': {
		code: 'ERR_MTLS_IDENTITY_FAILED',
		run: ({client, url}) => client({mtls: {identity: () => Promise.reject(secret)}}).get(url),
	},
	'a passphrase function that throws': {
		code: 'ERR_MTLS_BAD_OPTION',
		depth: 1,
		run: async ({client}) => {
			const {cert, key} = await (await createTestPki()).client({passphrase: secret});
			client({mtls: {cert, key, passphrase: () => refuse()}});
		},
	},
	"a passphrase function of a loader's that throws": {
		code: 'ERR_MTLS_IDENTITY_FAILED',
		depth: 2,
		run: async ({client, url}) => {
			const {cert, key} = await (await createTestPki()).client({passphrase: secret});
			const identity = async () => ({cert, key, passphrase: () => refuse()});
			await client({mtls: {identity}}).get(url);
		},
	},
	'a jar that cannot be read': {
		code: 'ERR_MTLS_JAR_FAILED',
		depth: 1,
		run: ({client, url}) => client({jar: new CookieJar(failing('findCookies'))}).get(url),
	},
	'a jar that cannot be written': {
		code: 'ERR_MTLS_JAR_FAILED',
		depth: 1,
		run: ({client, url}) => client({jar: new CookieJar(failing('putCookie'))}).get(url),
	},
	'a login that throws': {
		code: failed,
		depth: 1,
		run: ({client, url}) => client({jar: true, session: {login: () => refuse()}}).get(url),
	},
	'a login that rejects with text': {
		code: failed,
		run: ({client, url}) =>
			client({jar: true, session: {login: () => Promise.reject(secret)}}).get(url),
	},
	'a login lock that throws': {
		code: 'ERR_MTLS_LEDGER_FAILED',
		depth: 1,
		run: ({client, url}) => client({jar: brokenLock(), session: {login() {}}}).get(url),
	},
	'isExpired that throws': {
		code: 'ERR_MTLS_EXPIRY_UNKNOWN',
		depth: 1,
		run: ({client, url}) =>
			client({jar: true, session: {login() {}, isExpired: () => refuse()}}).get(url),
	},
	'isExpired that rejects': {
		code: 'ERR_MTLS_EXPIRY_UNKNOWN',
		depth: 1,
		run: ({client, url}) =>
			client({jar: true, session: {login() {}, isExpired: async () => refuse()}}).get(url),
	},
	// From here on axios tells message and code of what was thrown, and so do we: the secret is beside them.
	'beforeRedirect that throws': {
		code: 'ERR_FR_REDIRECTION_FAILURE',
		byAxios: true,
		depth: 2,
		run: ({client, url}) =>
			client({}).get(`${url}/old`, {beforeRedirect: () => refuse('not there', 'EHERE')}),
	},
	'beforeRedirect that leads to no URL': {
		code: 'ERR_FR_REDIRECTION_FAILURE',
		byAxios: true,
		run: ({client, url}) =>
			client({}).get(`${url}/old`, {
				beforeRedirect(next) {
					Object.assign(next, {hostname: 'a b', path: `/?token=${secret}`});
				},
			}),
	},
	'a body that fails': {
		code: 'EMPTY',
		byAxios: true,
		depth: 1,
		run: ({client, url}) => {
			const data = new Readable({read: () => data.destroy(appError('no more', 'EMPTY'))});
			return client({}).post(url, data);
		},
	},
	'a paramsSerializer that throws': {
		code: 'ERR_BAD_REQUEST',
		byAxios: true,
		run: ({client, url}) =>
			client({}).get(url, {
				headers: {Authorization: secret},
				params: {token: secret},
				paramsSerializer: () => refuse('no such parameter', 'EHERE'),
			}),
	},
	'an answer that is nearly JSON': {
		code: 'ERR_BAD_RESPONSE',
		run: ({client, url}) =>
			client({transitional: {silentJSONParsing: false}}).get(`${url}/quoted`, {
				responseType: 'json',
			}),
	},
	'an answer that is no JSON': {
		code: 'ERR_BAD_RESPONSE',
		run: ({client, url}) =>
			client({transitional: {silentJSONParsing: false}}).get(url, {responseType: 'json'}),
	},
	'a URL without a host': {
		code: 'ERR_INVALID_URL',
		run: ({client}) => client({baseURL: `//alice:${secret}@`}).get(`/x?token=${secret}`),
	},
	'a URL that is none': {
		code: 'ERR_INVALID_URL',
		run: ({client}) => client({}).get(`https://alice:${secret}@[bad/?token=${secret}`),
	},
};

/** The error of a kind, and what was logged of it. */
export async function wrappedError(kind: string): Promise<{error: Error; told: unknown[]}> {
	const server = createServer((request, response) => {
		if (request.url === '/old') response.writeHead(302, {location: '/new'});
		else response.setHeader('set-cookie', 'a=1');
		response.end(request.url === '/quoted' ? `{"a":"b" "${secret}"}` : `${secret}: no JSON`);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as AddressInfo;
	const told: unknown[] = [];
	const tell = (...line: unknown[]) => told.push(line);
	const clients: MtlsClient[] = [];
	const client = (config: ClientConfig) => {
		const made = createClient({proxy: false, logger: {error: tell, warn: tell}, ...config});
		clients.push(made);
		return made;
	};
	try {
		await wrappedKinds[kind]?.run({url: `http://localhost:${port}`, client});
	} catch (error) {
		if (error instanceof Error) return {error, told};
	} finally {
		await Promise.all(clients.map(({mtls}) => mtls.close({deadlineMs: 0})));
		server.close();
		server.closeAllConnections();
	}
	throw new Error(`${kind} did not fail with an error`);
}
