/*
 * The replies of a SOCKS proxy in words.
 */
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

/** Why a proxy sent a reply, most likely first. */
export function socksReplyReasons(reply: number | undefined): readonly string[] {
	return replies[reply ?? 1]?.reasons ?? ['the proxy has replies of its own'];
}
