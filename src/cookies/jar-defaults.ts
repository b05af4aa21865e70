import type {CreateCookieJarOptions} from 'tough-cookie';

/**
 * What a jar for a session over TLS is made with: a cookie that is `Secure` travels over TLS alone,
 * on localhost too, which is where tough-cookie would make an exception.
 */
export const createDefaultJar = {
	allowSecureOnLocal: false,
	prefixSecurity: 'strict',
} as const satisfies CreateCookieJarOptions;
