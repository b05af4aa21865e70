import {parseDate} from 'tough-cookie';
import {maxLifetimeMs} from './expiry.ts';

/** Longer ones are ignored (RFC 6265bis §5.6). */
const maxAttributeBytes = 1_024;

/**
 * A `Set-Cookie` line without the attributes that are too long, and with no longer life than a cookie
 * may have (RFC 6265bis §5.5, §5.6).
 *
 * @param line - A character for each byte.
 */
export function limitAttributes(line: string, now: number): string {
	return mapAttributes(line, ({text, name, value}) => {
		if (name.length > maxAttributeBytes || value.length > maxAttributeBytes) return undefined;
		if (name === 'max-age' && /^\d+$/.test(value) && Number(value) * 1_000 > maxLifetimeMs) {
			return ` Max-Age=${maxLifetimeMs / 1_000}`;
		}
		if (name === 'expires' && Number(parseDate(value)) > now + maxLifetimeMs) {
			return ` Expires=${new Date(now + maxLifetimeMs).toUTCString()}`;
		}
		return text;
	});
}

/** A host that is a public suffix, or an address, keeps a cookie for itself alone (§5.7, step 9). */
export function withoutDomain(line: string): string {
	return mapAttributes(line, ({text, name}) => (name === 'domain' ? undefined : text));
}

interface Attribute {
	/** With the space around it. */
	readonly text: string;
	/** In lower case. */
	readonly name: string;
	/** Empty where there is none. */
	readonly value: string;
}

function mapAttributes(line: string, change: (attribute: Attribute) => string | undefined): string {
	const [pair = '', ...attributes] = line.split(';');
	const changed = attributes.map((text) => {
		const end = text.includes('=') ? text.indexOf('=') : text.length;
		const name = text.slice(0, end).trim().toLowerCase();
		return change({text, name, value: text.slice(end + 1).trim()});
	});
	return [pair, ...changed.filter((text) => text !== undefined)].join(';');
}
