/** What the code of a network error means. */
export interface NetworkError {
	readonly summary: string;
	/** Most likely first. */
	readonly reasons: readonly string[];
	readonly hint: string;
}

type Explanation = Omit<NetworkError, 'summary'>;

const unknownHost: Explanation = {
	reasons: [
		'the name is misspelt',
		'it is known inside another network only (a VPN, another DNS server)',
	],
	hint: 'look the name up from a machine where it works, and compare the DNS servers',
};

// EAI_AGAIN says nothing about the name.
const noNameServer: Explanation = {
	reasons: [
		'the DNS server did not answer',
		'this machine is not on its network (a VPN, no network at all)',
	],
	hint: 'check the network and the DNS servers of this machine, and try again',
};

const noRoute: Explanation = {
	reasons: [
		'this machine is not on the network that it takes (a VPN?)',
		'a firewall is in between',
	],
	hint: 'try from another machine, and ask the network people for the route to that host',
};

const noResponse: NetworkError = {
	summary: 'no response in time',
	reasons: ['a firewall drops what is sent there', 'the server is down'],
	hint: 'try from another machine, and ask the network people whether the port is open',
};

const cut: NetworkError = {
	summary: 'the connection was cut',
	reasons: [
		'the server ended the connection without a response: its log says why',
		'a firewall or load balancer between us cut it off',
	],
	hint: 'look for this moment in the log of the server',
};

const unexplained: Explanation = {
	reasons: ['the connection was not made, or did not last'],
	hint: 'try again, and from another machine',
};

const notHttp: Explanation = {
	reasons: [
		'what listens there speaks another protocol inside TLS',
		'it, or a proxy before it, breaks the rules of HTTP',
	],
	hint: 'look at what it sends, by `openssl s_client`; is the port that of the https service?',
};

const longHead: Explanation = {
	reasons: ['it sets very many or long cookies, or its header fields grow with each request'],
	hint: 'have the server send less, or raise the limit with NODE_OPTIONS=--max-http-header-size=65536',
};

/** A response that the parser of Node (llhttp, whose codes begin with HPE_) cannot read. */
function unreadableResponse(code: string): NetworkError | undefined {
	if (!code.startsWith('HPE_')) return undefined;
	if (code === 'HPE_HEADER_OVERFLOW') {
		return {summary: `the server answered with a head that is too long (${code})`, ...longHead};
	}
	return {summary: `the server answered what is not HTTP (${code})`, ...notHttp};
}

/** By the code of Node or axios. */
export const networkErrors: Readonly<Record<string, NetworkError>> = {
	ECONNREFUSED: {
		summary: 'nobody listens there',
		reasons: [
			'the server is not running',
			'it listens on another port',
			'a firewall refuses for it',
		],
		hint: 'check the port, and on the server that it is listening',
	},
	ENOTFOUND: {summary: 'no such host', ...unknownHost},
	EAI_AGAIN: {summary: 'the name cannot be looked up now', ...noNameServer},
	EHOSTUNREACH: {summary: 'no route to that host', ...noRoute},
	ENETUNREACH: {summary: 'no route to that network', ...noRoute},
	ETIMEDOUT: noResponse,
	ECONNABORTED: noResponse,
	ECONNRESET: cut,
	EPIPE: cut,
	ERR_STREAM_PREMATURE_CLOSE: {
		...cut,
		summary: 'the connection was cut before the body was complete',
	},
	ERR_FR_TOO_MANY_REDIRECTS: {
		summary: 'too many redirects',
		reasons: ['the server redirects in a circle: it misses a cookie, or a login'],
		hint: 'look at the first redirect, without --location; --jar keeps cookies',
	},
};

/** Explains an error of the network or of axios; `undefined` for any other. */
export function explainNetworkError(error: unknown): NetworkError | undefined {
	if (!(error instanceof Error)) return undefined;
	const {code, message} = error as NodeJS.ErrnoException;
	if (typeof code !== 'string') return undefined;
	const known = networkErrors[code];
	if (known !== undefined) return {...known, summary: `${known.summary} (${code})`};
	const unreadable = unreadableResponse(code);
	if (unreadable !== undefined) return unreadable;
	if (!('isAxiosError' in error || 'syscall' in error)) return undefined;
	return {summary: `${message || code} (${code})`, ...unexplained};
}
