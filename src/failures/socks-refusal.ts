/*
 * The replies by which a SOCKS proxy refuses a connection, in words.
 */
import type {Cause, Facts} from './facts.ts';
import {allowHost, bypass, cause, settingOf} from './proxy-setting.ts';

type Reason = readonly [text: string, repair: (facts: Facts) => string];

const askOperator = () => 'have the operator of the proxy look for this moment in its log';

const checkServer = (facts: Facts) =>
	`check that ${facts.words.address} is right and up; if the proxy cannot reach it, ${bypass(facts)}`;

const checkName = (facts: Facts) =>
	`check the name '${facts.host}'; if it is known inside this network only, ${bypass(facts)}`;

/** By code: RFC 1928 §6. */
const replies: Readonly<
	Record<number, {readonly name: string; readonly reasons: readonly Reason[]}>
> = {
	1: {
		name: 'general SOCKS server failure',
		reasons: [
			['the proxy cannot reach the host', checkServer],
			['the proxy failed for a reason of its own', askOperator],
		],
	},
	2: {
		name: 'connection not allowed by ruleset',
		reasons: [['the rules of the proxy do not allow this host or port', allowHost]],
	},
	3: {
		name: 'network unreachable',
		reasons: [['the proxy has no route to the host', checkServer]],
	},
	4: {
		name: 'host unreachable',
		reasons: [
			['the proxy cannot look the name up', checkName],
			['the proxy has no route to the host', checkServer],
		],
	},
	5: {
		name: 'connection refused',
		reasons: [
			['nothing listens on this port of the host', checkServer],
			['a firewall behind the proxy cut it off', checkServer],
		],
	},
	6: {name: 'TTL expired', reasons: [['the proxy has no route to the host', checkServer]]},
	7: {
		name: 'command not supported',
		reasons: [
			[
				'the proxy gives no outgoing connections',
				(facts) => `have CONNECT allowed on the proxy, or ${bypass(facts)}`,
			],
		],
	},
	8: {
		name: 'address type not supported',
		reasons: [
			['the proxy knows no IPv6', checkServer],
			[
				'the proxy takes only addresses',
				(facts) => `give \`socks5\` in place of \`socks5h\` in ${settingOf(facts)}`,
			],
		],
	},
};

/** The name of a reply with its code. */
export function socksReplyName(reply: number): string {
	return `${replies[reply]?.name ?? 'an unassigned reply'} (SOCKS reply ${reply})`;
}

/** Why a proxy sent a reply, most likely first. */
export function socksReplyCauses(reply = 1): readonly Cause[] {
	const reasons = replies[reply]?.reasons ?? [
		['the proxy has replies of its own', askOperator] as const,
	];
	return reasons.map(([text, repair], index) =>
		cause(`socks-reply-${reply}${'abc'[index]}`, text, repair),
	);
}
