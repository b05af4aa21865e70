import {Axios, type AxiosRequestConfig} from 'axios';
import {describeType, MtlsConfigError, numberOrType} from '../config-error.ts';
import type {CookieJar} from '../cookies/jar.ts';
import type {SessionOptions} from '../options.ts';
import {readOptions} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {redactUrl} from '../util/redact-url.ts';

/** The options of a session, each with a value. */
export interface SessionSettings {
	readonly jar: CookieJar;
	readonly login: SessionOptions['login'];
	/** `undefined`: what an answer says by itself. */
	readonly isExpired: SessionOptions['isExpired'];
	readonly loginUrl: URL | undefined;
	readonly loginTimeoutMs: number;
	readonly backoffMs: number;
	readonly maxBackoffMs: number;
}

const known = [
	'login',
	'isExpired',
	'loginUrl',
	'loginTimeoutMs',
	'backoffMs',
	'maxBackoffMs',
] as const;

/**
 * @param client - The client's jar, and where its relative URLs begin.
 * @throws {MtlsConfigError} when an option cannot be used.
 */
export function resolveSession(
	given: SessionOptions,
	client: {jar: CookieJar | undefined; baseURL: string | undefined},
): SessionSettings {
	const options = readOptions<SessionOptions>(given, {
		known,
		option: 'session',
		expected: 'an object with login(), or false',
	});
	const {login, isExpired} = options;
	// JavaScript does not look at the types.
	if (typeof login !== 'function') {
		throw bad('session.login', `expected a function, found ${describeType(login)}`);
	}
	if (isExpired !== undefined && typeof isExpired !== 'function') {
		throw bad('session.isExpired', `expected a function, found ${describeType(isExpired)}`);
	}
	if (client.jar === undefined) {
		throw bad('session', 'expected a client with a jar, which keeps the session: give `jar` too');
	}
	return {
		jar: client.jar,
		// Called on the options, where they may be an object with a state of its own.
		login: (using) => login.call(given, using),
		isExpired: isExpired && ((response) => isExpired.call(given, response)),
		loginUrl: parseLoginUrl(options.loginUrl, client.baseURL),
		loginTimeoutMs: milliseconds(options, 'loginTimeoutMs', 30_000),
		backoffMs: milliseconds(options, 'backoffMs', 1_000),
		maxBackoffMs: milliseconds(options, 'maxBackoffMs', 60_000),
	};
}

// As axios joins the two in a request.
const uris = new Axios({});

function parseLoginUrl(text: unknown, baseURL: string | undefined): URL | undefined {
	if (text === undefined) return undefined;
	if (typeof text !== 'string') {
		throw bad('session.loginUrl', `expected a string, found ${describeType(text)}`);
	}
	const url = URL.parse(uris.getUri({url: text, baseURL} as AxiosRequestConfig));
	if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
	throw bad(
		'session.loginUrl',
		`expected a URL, or a path and a \`baseURL\`, found '${redactUrl(text)}'`,
	);
}

function milliseconds(
	options: SessionOptions,
	name: 'loginTimeoutMs' | 'backoffMs' | 'maxBackoffMs',
	fallback: number,
): number {
	const value: unknown = options[name] ?? fallback;
	if (typeof value === 'number' && value > 0 && value <= MAX_TIMER_MS) return value;
	throw bad(
		`session.${name}`,
		`expected milliseconds, more than 0 and at most ${MAX_TIMER_MS}, found ${numberOrType(value)}`,
	);
}

function bad(option: string, reason: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, reason);
}
