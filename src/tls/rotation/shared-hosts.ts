import {types} from 'node:util';
import type {MtlsOptions} from '../../options/mtls.ts';
import {memberOf} from '../../util/check-options.ts';
import {credentialOptions} from '../tls-options.ts';

/** Two identities of a list that are used on different ports of one host. */
export interface SharedHost {
	/** A pattern of each, as `OriginSet` has them. */
	readonly origins: readonly [string, string];
	/** Their places in the list. */
	readonly indexes: readonly [number, number];
}

interface Pattern {
	readonly origin: string;
	readonly host: string;
	readonly port: string;
	readonly index: number;
}

/**
 * Finds two identities that would share the cookies of a host, since cookies know no ports (RFC 6265
 * §8.5). On one port a host has one identity, that of the most specific pattern.
 *
 * @param origins - The patterns of each entry of `list`.
 */
export function findSharedHost(
	list: readonly MtlsOptions[],
	origins: readonly Iterable<string>[],
): SharedHost | undefined {
	const patterns = origins.flatMap((each, index) =>
		Array.from(each, (origin): Pattern => {
			const {hostname: host, port} = new URL(origin);
			return {origin, host, port, index};
		}),
	);
	const byHost = Map.groupBy(patterns, ({host}) => host);
	for (const pattern of patterns) {
		const other = [pattern.host, ...wildcardsOver(pattern.host)]
			.flatMap((host) => byHost.get(host) ?? [])
			.find(
				({port, index}) =>
					port !== pattern.port && !isSameIdentity(list[index], list[pattern.index]),
			);
		if (other === undefined) continue;
		const [first, second] = other.index < pattern.index ? [other, pattern] : [pattern, other];
		return {
			origins: [first.origin, second.origin],
			indexes: [first.index, second.index],
		};
	}
	return undefined;
}

/** `*.bank.example` and `*.example` of `api.bank.example`. */
function wildcardsOver(host: string): string[] {
	const [, ...labels] = host.split('.');
	return labels.map((_, index) => `*.${labels.slice(index).join('.')}`);
}

// One client may have an entry for each port, with a `ca` of its own.
function isSameIdentity(one: MtlsOptions = {}, other: MtlsOptions = {}): boolean {
	return credentialOptions.every((name) => isSame(memberOf(one, name), memberOf(other, name)));
}

function isSame(one: unknown, other: unknown): boolean {
	if (types.isUint8Array(one) && types.isUint8Array(other)) return Buffer.compare(one, other) === 0;
	if (one instanceof URL && other instanceof URL) return one.href === other.href;
	return one === other;
}
