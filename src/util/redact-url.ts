/** Replaces a value that may be a secret. */
export const mask = '[redacted]';

/** The URL, or the path, without user, password, fragment and the values of its query. */
export function redactUrl(url: string): string {
	// As the URL parser does, so that the same part counts as credentials.
	const text = url.trim().replace(/[\t\n\r]/g, '');
	const scheme = /^([a-z][a-z0-9+.-]*:|(?=[/\\]{2}))/i.exec(text)?.[0];
	if (scheme === undefined) return redactParts(text);
	if (/^(data|blob):/i.test(scheme)) return scheme + mask;

	const parsed = URL.parse(text, scheme === '' ? 'https://base.invalid' : undefined);
	// In a URL that cannot be parsed, the place of the password is unknown.
	if (parsed === null) return text.includes('@') ? scheme + mask : redactParts(text);
	if (!parsed.username && !parsed.password) return redactParts(text);
	parsed.username = '';
	parsed.password = '';
	return redactParts(scheme === '' ? parsed.href.slice(parsed.protocol.length) : parsed.href);
}

function redactParts(text: string): string {
	const [path = '', query] = text.replace(/#.*$/s, '').split(/\?(.*)/s, 2);
	return query === undefined ? path : `${path}?${redactQuery(query)}`;
}

function redactQuery(query: string): string {
	return query.split('&').map(redactParameter).join('&');
}

// A parameter without a name may be a token itself.
function redactParameter(text: string): string {
	const equals = text.indexOf('=');
	if (equals === -1) return text && mask;
	return `${text.slice(0, equals)}=${mask}`;
}
