/*
 * Ways on which not all is the same by nature, or on purpose: what is left out, and why, stands here alone.
 */
import type {ParityServers, Run, Way} from './parity.ts';

/** Takes members and header fields of these names out of plain data. */
function without(value: unknown, names: ReadonlySet<string>): unknown {
	if (Array.isArray(value)) {
		return value
			.filter((item) => !(isField(item) && names.has(item[0].toLowerCase())))
			.map((item) => without(item, names));
	}
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.filter(([name]) => !names.has(name))
			.map(([name, item]) => [name, without(item, names)]),
	);
}

function isField(item: unknown): item is [string, unknown] {
	return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
}

const notInHttp2: ReadonlySet<string> = new Set([
	// Fields of a connection (RFC 9113 section 8.2.2), and the host, which is `:authority`.
	'connection',
	'keep-alive',
	'transfer-encoding',
	'host',
	// It has no reason phrase (section 8.3.2), and writes names in lower case (section 8.2.1).
	'statusText',
	'statusMessage',
	'reason',
	'rawHeaders',
	'rawTrailers',
	'httpVersion',
	'version',
	// A short answer over HTTP/1.1 has all come with its head; over HTTP/2 it has frames of its own.
	'completeBefore',
]);

function withoutVersion(run: Run): unknown {
	const wire = run.wire.map(({headers, ...request}) => ({
		...request,
		headers: headers
			.map(([name, value]) => [name.toLowerCase(), value])
			// That there is no body is said by END_STREAM.
			.filter(([name, value]) => name !== 'content-length' || value !== '0'),
	}));
	const marked = JSON.stringify({...run, wire}, (name, value) => {
		if (name !== 'before') return value;
		const {complete: completeBefore, ...before} = value;
		return {...before, completeBefore};
	});
	return without(JSON.parse(marked), notInHttp2);
}

/** Axios over HTTP/1.1 and ours over HTTP/2, to servers of both versions. */
export const http2Way: Way = {
	title: 'over HTTP/2',
	server: 'h',
	moved: {a: 'h', b: 'i', s: 'h', t: 'i', m: 'h'},
	ours: {httpVersion: 2},
	normalise: withoutVersion,
};

/** The same without what the app made of a body that was still coming: a frame comes in a turn of its own. */
export const racingHttp2Way: Way = {
	...http2Way,
	normalise: (run) => without(withoutVersion(run), new Set(['outcome'])),
};

const proxyAt = (port: number) => ({proxy: {protocol: 'http', host: '127.0.0.1', port}});

/** The proxy is the server `b`, which answers itself: so all that a proxy is sent is compared. */
export const forwardedWay: Way = {
	title: 'over http through a proxy that forwards',
	server: 'a',
	config: (s: ParityServers) => proxyAt(s.ports.b),
	// axios shows the request to the proxy there, ours the one to the server.
	normalise: (run) =>
		JSON.parse(JSON.stringify(run), (name, value) =>
			name === 'request' ? without(value, new Set(['host', 'path'])) : value,
		),
};

export const tunnelledWay: Way = {
	title: 'over https through a tunnel',
	server: 'm',
	config: (s: ParityServers) => proxyAt(s.proxy.port),
	// axios closes each tunnel, with an agent of its own; ours uses one for all requests.
	normalise: (run) =>
		JSON.parse(JSON.stringify(without(run, new Set(['connection', 'agent']))), (name, value) =>
			name === 'rawHeaders' ? withoutConnection(value) : value,
		),
};

function withoutConnection(raw: readonly string[]): string[] {
	return raw.filter((_, index) => !/^connection$/i.test(raw[index - (index % 2)] ?? ''));
}
