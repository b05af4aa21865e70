/*
 * Failures of a SOCKS proxy in words.
 */
import type {FailureKind} from '../facts.ts';

/** The replies by which a proxy refuses a connection, and their likely reasons: RFC 1928 §6. */
const replies: Readonly<
	Record<number, {readonly name: string; readonly reasons: readonly string[]}>
> = {
	1: {
		name: 'general SOCKS server failure',
		reasons: ['the proxy cannot reach the host', 'the proxy failed for a reason of its own'],
	},
	2: {
		name: 'connection not allowed by ruleset',
		reasons: ['the rules of the proxy do not allow this host or port'],
	},
	3: {name: 'network unreachable', reasons: ['the proxy has no route to the host']},
	4: {
		name: 'host unreachable',
		reasons: ['the proxy cannot look the name up', 'the proxy has no route to the host'],
	},
	5: {
		name: 'connection refused',
		reasons: ['nothing listens on this port of the host', 'a firewall behind the proxy cut it off'],
	},
	6: {name: 'TTL expired', reasons: ['the proxy has no route to the host']},
	7: {name: 'command not supported', reasons: ['the proxy gives no outgoing connections']},
	8: {
		name: 'address type not supported',
		reasons: [
			'the proxy knows no IPv6',
			'the proxy takes only addresses: give `socks5` instead of `socks5h`',
		],
	},
};

/** The name of a reply with its code. */
export function socksReplyName(reply: number): string {
	return `${replies[reply]?.name ?? 'an unassigned reply'} (SOCKS reply ${reply})`;
}

/** What is known of the failure. */
interface SocksFailure {
	readonly kind: FailureKind;
	/** The code of the reply, if there was one. */
	readonly reply: number | undefined;
	/** Whether there were a user and password for the proxy. */
	readonly login: boolean;
}

/**
 * The reasons of a failure, most likely first, and what to do.
 *
 * @returns `undefined` for a kind of failure that has nothing to do with SOCKS.
 */
export function explainSocks({
	kind,
	reply,
	login,
}: SocksFailure): {readonly reasons: readonly string[]; readonly hint: string} | undefined {
	if (kind === 'proxy-refused') {
		return {
			reasons: replies[reply ?? 1]?.reasons ?? ['the proxy has replies of its own'],
			hint: 'have the host allowed on the proxy, or add it to NO_PROXY',
		};
	}
	if (kind === 'proxy-auth-required') {
		return login
			? {
					reasons: [
						'the user or the password is wrong',
						'the proxy takes another method than user and password (RFC 1929)',
					],
					hint: 'the proxy did not accept the user and password of `proxy` or ALL_PROXY: have them checked',
				}
			: {
					reasons: ['no user and password are set for it'],
					hint: 'put user and password into `proxy.auth` or the URL of ALL_PROXY',
				};
	}
	if (kind !== 'proxy-bad-reply') return undefined;
	return {
		reasons: [
			'the address in `proxy`, ALL_PROXY or HTTPS_PROXY is not that of a SOCKS 5 proxy',
			'the proxy is overloaded or restarting',
		],
		hint: 'check `proxy`, ALL_PROXY, HTTPS_PROXY and NO_PROXY',
	};
}
