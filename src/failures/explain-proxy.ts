import {type Explanation, explain, type Facts} from './explain.ts';

/**
 * Puts in words why there is no TLS with an `https://` proxy.
 *
 * @param facts - Of the connection to the proxy, as if it were a server.
 */
export function explainAtProxy(facts: Facts): Explanation {
	const {summary, reasons, hint} = explain(facts);
	// A redirect leads to no proxy.
	const own = reasons.filter((reason) => !reason.includes('`mtls.origins`'));
	return {summary: ofProxy(summary), reasons: [summary, ...own].map(ofProxy), hint: ofProxy(hint)};
}

// The other end is the proxy, and has options of its own.
function ofProxy(text: string): string {
	return text.replace(/\bthe server\b/g, 'the proxy').replaceAll('`mtls.', '`mtls.proxy.');
}
