import {BlockList, isIP, isIPv4} from 'node:net';
import {domainToASCII} from 'node:url';
import {bareHost, portOfUrl} from '../../util/url.ts';

/**
 * Whether `url` bypasses the proxy by `NO_PROXY`. There is no standard; the rules are those of axios:
 * names with or without a port, `.example.com` and `*.example.com` for subdomains, `*`, addresses and
 * CIDR ranges in any notation, and any loopback address for all of them.
 */
export function bypassesProxy(url: URL, noProxy: string): boolean {
	const host = canonical(url.hostname);
	const port = portOfUrl(url);
	return noProxy
		.toLowerCase()
		.split(/[\s,]+/)
		.some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: number): boolean {
	if (entry === '*') return true;
	if (entry.includes('/')) return isWithin(host, entry);
	const {name, port: wanted} = parseEntry(entry);
	if (wanted !== 0 && wanted !== port) return false;
	if (/^[*.]/.test(entry)) return host.endsWith(canonicalEnding(name.replace(/^\*/, '')));
	const other = canonical(name);
	return other !== '' && (host === other || (isLoopback(host) && isLoopback(other)));
}

/** `example.com:8443`, `[::1]:8443` or either without its port. An IPv6 address needs no brackets. */
function parseEntry(entry: string): {name: string; port: number} {
	const [, bracketed, rest] = /^\[([^\]]*)\](.*)$/.exec(entry) ?? [];
	const [, name = entry, port] =
		bracketed === undefined
			? (/^([^:]*):(\d+)$/.exec(entry) ?? [])
			: [entry, bracketed, /^:(\d+)$/.exec(rest ?? '')?.[1]];
	return {name, port: Number(port ?? 0)};
}

/** Whether an address is in a CIDR range (RFC 4632). An invalid range matches nothing. */
function isWithin(host: string, entry: string): boolean {
	const [, base = '', bits = ''] = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(entry) ?? [];
	const [, bracketed] = /^\[(.*:.*)\]$/.exec(base) ?? [];
	const network = /[[\]]|\.$/.test(bracketed ?? base) ? '' : canonical(bracketed ?? base);
	if (!isIP(network) || !isIP(host) || isIPv4(network) !== isIPv4(host)) return false;
	// The first 96 bits of a mapped IPv4 address are its prefix.
	const length = Number(bits) - (base.includes(':') && isIPv4(network) ? 96 : 0);
	if (length < 0 || length > (isIPv4(network) ? 32 : 128)) return false;
	const family = isIPv4(network) ? 'ipv4' : 'ipv6';
	const range = new BlockList();
	range.addSubnet(network, length, family);
	return range.check(host, family);
}

const isAscii = /^[\x20-\x7e]*$/;

/** A host in one notation: an address as the URL parser writes it, a mapped IPv4 one as IPv4. */
function canonical(name: string): string {
	const bare = bareHost(name).replace(/\.+$/, '');
	if (bare.includes(':')) return unmapped(URL.parse(`http://[${bare}]/`)?.hostname ?? bare);
	// The URL parser would also read a single number as an address.
	if (/^[\da-fx]+(\.[\da-fx]+){1,3}$/i.test(bare)) {
		return URL.parse(`http://${bare}/`)?.hostname ?? bare;
	}
	return isAscii.test(bare) ? bare : domainToASCII(bare);
}

function canonicalEnding(ending: string): string {
	const [dots = '', name = ''] = /^(\.*)(.*)$/.exec(ending)?.slice(1) ?? [];
	return dots + canonical(name);
}

// RFC 4291 §2.5.5.2: the URL parser writes it in hexadecimal groups.
function unmapped(hostname: string): string {
	const address = bareHost(hostname);
	const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address) ?? [];
	if (high === undefined || low === undefined) return address;
	const bytes = [high, low].flatMap((group) => {
		const value = Number.parseInt(group, 16);
		return [value >> 8, value & 0xff];
	});
	return bytes.join('.');
}

function isLoopback(host: string): boolean {
	if (host === 'localhost' || host === '::1') return true;
	// A connection to the unspecified address reaches this machine too.
	if (host === '::' || host === '0.0.0.0') return true;
	return isIPv4(host) && host.startsWith('127.');
}
