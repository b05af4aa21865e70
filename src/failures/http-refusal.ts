/*
 * Servers that accept any client in the handshake, and refuse the certificate, or its absence, in HTTP.
 */
import type {RefusalPageName} from './facts.ts';

/** The part of a response that shows which server wrote it. */
export interface RefusalPage {
	readonly status: number;
	/** The `Server` header. */
	readonly server: unknown;
	/** The body, before any transformation. */
	readonly data: unknown;
}

// With their padding for old browsers the pages have some 700 characters.
const longestPage = 4_096;

const nginx = /^(nginx|openresty|tengine|angie)\b/i;

// nginx's own status codes. An `error_page` may send them; otherwise nginx sends 400 with a page.
const nginxStatus: ReadonlyMap<number, RefusalPageName> = new Map([
	[495, 'nginx-refused'],
	[496, 'nginx-required'],
]);

// Matches head and heading, because an app behind nginx may quote the words.
const nginxPage =
	/^<html>\r?\n<head><title>400 (.+?)<\/title><\/head>\r?\n<body[^>]*>\r?\n<center><h1>400 Bad Request<\/h1><\/center>\r?\n<center>\1<\/center>\r?\n/;

const nginxWords: ReadonlyMap<string, RefusalPageName> = new Map([
	['The SSL certificate error', 'nginx-refused'],
	['No required SSL certificate was sent', 'nginx-required'],
]);

// mod_ssl's reason, in the default page of Apache. A TLS 1.3 client must offer post-handshake
// authentication (RFC 8446 §4.2.6), and Node does not.
const apachePage =
	/^<!DOCTYPE HTML [^>]+>\s*<html><head>\s*<title>403 Forbidden<\/title>\s*<\/head><body>\s*<h1>Forbidden<\/h1>\s*<p>[^<]*Reason: Cannot perform Post-Handshake Authentication\.<br \/>/;

/**
 * Whether a response is the page by which nginx or Apache refuses a client certificate.
 *
 * @returns `undefined` for any other page: one of the app's own may mention certificates too.
 */
export function classifyRefusal({status, server, data}: RefusalPage): RefusalPageName | undefined {
	if (typeof server !== 'string') return undefined;
	if (nginx.test(server)) {
		if (status !== 400) return nginxStatus.get(status);
		return nginxWords.get(nginxPage.exec(textOf(data))?.[1] ?? '');
	}
	const apache = status === 403 && /^Apache\b/.test(server);
	return apache && apachePage.test(textOf(data)) ? 'apache-post-handshake' : undefined;
}

/** The text of a small body; a stream belongs to the app. */
function textOf(data: unknown): string {
	if (typeof data !== 'string' && !Buffer.isBuffer(data)) return '';
	return data.length > longestPage ? '' : data.toString();
}
