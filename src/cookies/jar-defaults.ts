import type {CreateCookieJarOptions} from 'tough-cookie';

/**
 * The options of a jar for sessions over TLS: a `Secure` cookie is sent over TLS alone, on localhost
 * too, where tough-cookie makes an exception.
 */
export const jarDefaults = {
	allowSecureOnLocal: false,
	prefixSecurity: 'strict',
} as const satisfies CreateCookieJarOptions;
