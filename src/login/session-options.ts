import {Axios, type AxiosRequestConfig} from 'axios';
import {MtlsConfigError} from '../config-error.ts';
import type {CookieJar} from '../cookies/jar.ts';
import type {SessionOptions} from '../options.ts';
import {
	anything,
	assertOption,
	badOption,
	callback,
	describeType,
	numeric,
	readOptions,
} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {redactUrl} from '../util/redact-url.ts';

/** The `session` option, with its defaults. */
export interface SessionSettings {
	readonly jar: CookieJar;
	readonly login: SessionOptions['login'];
	/** `undefined`: status 401 or a redirect to `loginUrl` decides. */
	readonly isExpired: SessionOptions['isExpired'];
	readonly loginUrl: URL | undefined;
	readonly loginTimeoutMs: number;
	readonly backoffMs: number;
	readonly maxBackoffMs: number;
}

const known = {
	login: callback,
	isExpired: callback,
	loginUrl: anything,
	loginTimeoutMs: anything,
	backoffMs: anything,
	maxBackoffMs: anything,
};

const duration = numeric(
	`milliseconds, more than 0 and at most ${MAX_TIMER_MS}`,
	(ms) => ms > 0 && ms <= MAX_TIMER_MS,
);

/**
 * @param client - Its jar, and the base of its relative URLs.
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
	const {login, isExpired, loginTimeoutMs, backoffMs, maxBackoffMs} = options;
	assertOption(login, 'session.login', callback);
	if (client.jar === undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'session',
			'expected a client with a jar, which keeps the session: give `jar` too',
		);
	}
	const times = {
		loginTimeoutMs: loginTimeoutMs ?? 30_000,
		backoffMs: backoffMs ?? 1_000,
		maxBackoffMs: maxBackoffMs ?? 60_000,
	};
	for (const [name, ms] of Object.entries(times)) assertOption(ms, `session.${name}`, duration);
	return {
		jar: client.jar,
		// Called as a method of the options, which may be an object with a state of its own.
		login: (using) => login.call(given, using),
		isExpired: isExpired && ((response) => isExpired.call(given, response)),
		loginUrl: parseLoginUrl(options.loginUrl, client.baseURL),
		...times,
	};
}

// Joins `baseURL` and `loginUrl` as axios does in a request.
const uris = new Axios({});

function parseLoginUrl(text: unknown, baseURL: string | undefined): URL | undefined {
	if (text === undefined) return undefined;
	if (typeof text !== 'string') {
		throw badOption('session.loginUrl', 'a string', describeType(text));
	}
	const url = URL.parse(uris.getUri({url: text, baseURL} as AxiosRequestConfig));
	if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
	throw badOption('session.loginUrl', 'a URL, or a path and a `baseURL`', `'${redactUrl(text)}'`);
}
