/*
 * An instance that `create()` makes with credentials of its own acts for somebody else. Cookies and login
 * are what servers know the first one by, so it inherits neither.
 */
import {MtlsConfigError} from '../config-error.ts';
import {type CookieJar, jarOf} from '../cookies/jar.ts';
import type {ClientOptions} from '../options.ts';
import {credentialOptions} from '../tls/tls-options.ts';
import {memberOf, withoutPrototype} from '../util/check-options.ts';
import type {ClientState} from './client-state.ts';

/**
 * Whether `mtls` has credentials, in one entry of a list at least. `ca` and all else say whom the client
 * trusts, not who it is.
 */
export function hasCredentials(mtls: ClientOptions['mtls']): boolean {
	return [mtls].flat().some(
		(each: unknown) =>
			typeof each === 'object' &&
			each !== null &&
			credentialOptions.some(
				// Security: a variable of the environment that is not set must not share a session.
				(name) => Object.hasOwn(each, name) || memberOf(each, name) !== undefined,
			),
	);
}

/**
 * The options of an instance with credentials of its own, with the jar and the session that it gets in
 * place of those of `parent`.
 *
 * @param inherited - The default `jar` that axios's `create` has copied, that of axios-cookiejar-support.
 * @throws {MtlsConfigError} when only the app can say which jar or login it should have.
 */
export function withOwnSession(
	options: ClientOptions,
	parent: ClientState,
	inherited: unknown,
): ClientOptions {
	const jar = options.jar ?? ownJar(parent, inherited);
	const shared = parent.session !== undefined && jar === parent.session.settings.jar;
	const session = options.session ?? (shared ? undefined : false);
	if (options.session === undefined && parent.session !== undefined && !shared && jar !== false) {
		throw needsOwn(
			'session',
			'the login it would inherit is that of another: give a `session` that logs in as this one, `session: false` for no login, or the same `jar` to share cookies and login on purpose',
		);
	}
	return withoutPrototype({...options, jar, ...(session !== undefined && {session})});
}

/** As the `jar` option: `true` is a new one, `false` none. */
function ownJar(parent: ClientState, inherited: unknown): boolean {
	const jar: CookieJar | undefined = jarOf({jar: inherited}, parent.jar);
	if (jar === undefined) return false;
	if (parent.madeJar && (inherited === undefined || inherited === true)) return true;
	throw needsOwn(
		'jar',
		'the cookies in the jar it would inherit are those of another: give `jar: true` for a jar of its own, `jar: false` for none, or the same `jar` to share the cookies on purpose',
	);
}

function needsOwn(option: 'jar' | 'session', remedy: string): MtlsConfigError {
	return new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`this instance has credentials of its own in \`mtls\`, and ${remedy}`,
	);
}
