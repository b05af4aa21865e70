import {randomBytes} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import type {RecordedRequest} from './request-log.ts';

/** Answers one request; its body has arrived. */
export type Route = (request: RecordedRequest, response: ServerResponse) => void;

/** The routes of a small bank: a login that sets a cookie, and pages that need the session. */
export function createRoutes(users: Readonly<Record<string, string>>): Route {
	const passwords = new Map(Object.entries(users));
	const sessions = new Map<string, string>();

	const login: Route = (request, response) => {
		const {user, password} = parseCredentials(request);
		if (user === undefined || password === undefined || passwords.get(user) !== password) {
			return sendJson(response, 401, {error: 'wrong user or password'});
		}
		const session = randomBytes(16).toString('base64url');
		sessions.set(session, user);
		response.writeHead(302, {
			location: '/accounts',
			'set-cookie': `session=${session}; Path=/; HttpOnly; Secure; SameSite=Lax`,
		});
		response.end();
	};

	const logout: Route = (request, response) => {
		sessions.delete(sessionCookie(request));
		response.writeHead(204, {
			'set-cookie': 'session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0',
		});
		response.end();
	};

	const accounts: Route = (request, response) => {
		const user = sessions.get(sessionCookie(request));
		if (user === undefined) return sendJson(response, 401, {error: 'no session'});
		sendJson(response, 200, {
			user,
			client: request.connection.clientCertificate?.subject ?? null,
			accounts: [
				{id: 'checking', balance: 1200},
				{id: 'savings', balance: 34000},
			],
		});
	};

	const whoami: Route = (request, response) => {
		const {clientCertificate, protocol} = request.connection;
		sendJson(response, 200, {
			client: clientCertificate?.subject ?? null,
			issuer: clientCertificate?.issuer ?? null,
			fingerprint256: clientCertificate?.fingerprint256 ?? null,
			protocol,
			user: sessions.get(sessionCookie(request)) ?? null,
		});
	};

	const echo: Route = ({method, url, headers, body}, response) => {
		sendJson(response, 200, {method, url, headers, body: body.toString()});
	};

	const routes = new Map([
		['POST /login', login],
		['POST /logout', logout],
		['GET /accounts', accounts],
		['GET /whoami', whoami],
	]);

	return (request, response) => {
		const path = request.url.replace(/\?.*/s, '');
		const route = path === '/echo' ? echo : routes.get(`${request.method} ${path}`);
		if (route === undefined) return sendJson(response, 404, {error: `no ${path} here`});
		route(request, response);
	};
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
	response.writeHead(status, {'content-type': 'application/json'});
	response.end(JSON.stringify(value));
}

function parseCredentials({headers, body}: RecordedRequest): {user?: string; password?: string} {
	const text = body.toString();
	const fields = headers['content-type']?.startsWith('application/json')
		? parseJsonFields(text)
		: new Map(new URLSearchParams(text));
	const result: {user?: string; password?: string} = {};
	for (const name of ['user', 'password'] as const) {
		const value = fields.get(name);
		if (typeof value === 'string') result[name] = value;
	}
	return result;
}

function parseJsonFields(text: string): Map<string, unknown> {
	try {
		const value: unknown = JSON.parse(text);
		return new Map(Object.entries(value ?? {}));
	} catch {
		// Not JSON: no credentials.
		return new Map();
	}
}

function sessionCookie({headers}: RecordedRequest): string {
	const pairs = headers.cookie?.split('; ') ?? [];
	return pairs.find((pair) => pair.startsWith('session='))?.slice('session='.length) ?? '';
}
