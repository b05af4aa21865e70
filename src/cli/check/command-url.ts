import {withoutSecrets} from '../shared/io.ts';

/** Parameters that choose a page or a form of the response, in APIs of every kind; they carry no secret. */
const knownParameters =
	/^(page|per_page|page_size|limit|offset|size|count|sort|order|format|lang|locale|pretty|version|v)$/i;
const plainValue = /^[\w.,-]{0,20}$/;

/**
 * The URL for a command to try next: without user, password and fragment, and with its query only where
 * each parameter is known to carry no secret. A part of a query would be another request.
 *
 * Security: commands are copied into tickets and chats, and a query may hold a token under any name: so the
 * names that may stay are listed, not those that may not.
 */
export function commandUrl(url: URL): string {
	const parameters = [...url.searchParams];
	const isHarmless = parameters.every(
		([name, value]) => knownParameters.test(name) && plainValue.test(value),
	);
	return withoutSecrets(url) + (isHarmless ? url.search : '');
}
