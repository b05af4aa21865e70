/*
 * Who may import whom as one list to read from top to bottom.
 */
import type {Import} from './imports.ts';

/** A path ends in a slash for a folder. A file imports from the lines above its own. */
const layers: readonly (readonly string[])[] = [
	['runtime/'],
	['copies.ts'],
	['config-error.ts', 'facts.ts'],
	['util/'],
	['errors.ts', 'options/'],
	['options.ts'],
	['failures/'],
	['tls/'],
	['logging/'],
	['connection/'],
	['cookies/'],
	['login/'],
	['redis/'],
	['exchange/'],
	['request/'],
	['client/'],
	['index.ts'],
	['cli/'],
];

// Stands beside the others: it is what a server does, and knows nothing of the client. Both read the
// certificates of the other side.
const testing = 'testing/';

/** What a part may see of us, where that is less than all the lines above it. */
const narrow: Readonly<Record<string, readonly string[]>> = {
	[testing]: ['runtime/check-runtime.ts', 'tls/peer/peer-chain.ts'],
	// Serves an app without axios, which errors.ts needs.
	'redis/': [
		'runtime/check-runtime.ts',
		'copies.ts',
		'config-error.ts',
		'util/abortable.ts',
		'util/clock.ts',
		'util/check-options.ts',
		'cookies/expiry.ts',
		'cookies/eviction.ts',
		'login/login-lock.ts',
	],
	// As a user of the package. Beyond that, what is to have one answer for both: the proxy of a URL,
	// what a key file holds and what is wrong with it, how a URL is written, what a terminal may be sent.
	'cli/': [
		'index.ts',
		'testing/index.ts',
		'runtime/unsupported-runtime.ts',
		'connection/handshake-probe.ts',
		'connection/proxy/resolve-proxy.ts',
		'connection/server-flight.ts',
		'failures/our-certificate.ts',
		'tls/credentials/certificate-facts.ts',
		'tls/credentials/chain.ts',
		'tls/credentials/expiry.ts',
		'tls/credentials/load-credentials.ts',
		'tls/credentials/passphrase.ts',
		'tls/credentials/pem.ts',
		'tls/credentials/private-key.ts',
		'tls/credentials/read-input.ts',
		'tls/peer/certificate-request.ts',
		'tls/peer/distinguished-name.ts',
		'tls/trust/ca.ts',
		'tls/pkcs12/der.ts',
		'tls/pkcs12/pkcs12.ts',
		'util/abortable.ts',
		'util/check-options.ts',
		'util/clock.ts',
		'util/day.ts',
		'util/escape-controls.ts',
		'util/file-permissions.ts',
		'util/url.ts',
	],
};

/** `inspect` reads keys, certificates and PKCS#12 as the client does: two readers would disagree. */
const inspectReads = [
	'tls/credentials/',
	'tls/peer/certificate-details.ts',
	'tls/peer/peer-chain.ts',
	'tls/pkcs12/',
	'tls/tls-options.ts',
	'util/purposes.ts',
];

/** Where a package may be imported. */
interface Door {
	readonly open: readonly string[];
	/** For `import type`, besides. */
	readonly types?: readonly string[];
}

export const doors: Readonly<Record<string, Door>> = {
	axios: {
		open: ['errors.ts', 'logging/log-failures.ts', 'exchange/', 'login/', 'request/', 'client/'],
		types: ['options.ts', 'logging/', 'failures/'],
	},
	'tough-cookie': {
		open: ['cookies/', 'redis/'],
		types: ['options.ts', 'client/types.ts', 'login/'],
	},
	undici: {open: ['connection/http1-connection.ts']},
	socks: {open: ['connection/proxy/socks.ts']},
	'node:http2': {
		open: ['connection/http2-connection.ts', 'connection/http2-stream.ts'],
		types: ['connection/socket-options.ts'],
	},
	'node:tls': {
		open: ['tls/', 'connection/', testing],
		types: ['options/mtls.ts', 'exchange/global-agent.ts', 'failures/'],
	},
	// Optional dependencies: whoever loads them says what to install where they are not there.
	'@peculiar/x509': {open: ['testing/x509.ts'], types: [testing]},
	'reflect-metadata': {open: ['testing/x509.ts']},
	commander: {open: ['cli/']},
	picocolors: {open: ['cli/']},
};

/** The axios that sends, rather than its classes: whoever holds it could send past our adapter. */
const wholeAxios: readonly string[] = [
	'client/create-client.ts',
	'client/build-adapter.ts',
	'exchange/axios/axios-exchange.ts',
	'exchange/axios-version.ts',
	// For the version in `User-Agent`.
];

/** What is wrong with an import of a file of ours; `undefined` when nothing is. */
export function judgeLayer({file, target}: Import): string | undefined {
	// Its version; the bundler writes it in.
	if (target === '../package.json' && isIn(file, ['cli/'])) return undefined;
	const from = partOf(file);
	const to = partOf(target);
	if (isIn(file, ['cli/inspect/']) && isIn(target, inspectReads)) return undefined;
	if (from === undefined) return 'the file is in no layer';
	if (to === undefined) return 'what it imports is in no layer';
	if (from === to && from.endsWith('/')) return undefined;

	const seen = narrow[from];
	if (seen !== undefined) {
		if (seen.includes(target)) return undefined;
		return `${from} imports ${['itself', ...seen].join(', ')}`;
	}
	if (to === testing) return 'testing/ is for tests, the cli and users';
	return rank(to) < rank(from) ? undefined : `${to} is no layer before ${from}`;
}

/** What is wrong with an import of a package or of `node:`; `undefined` when nothing is. */
export function judgeDoor({file, target, of, typesAlone, names}: Import): string | undefined {
	const door = doors[target];
	if (door === undefined) {
		return of === 'node' ? undefined : 'the package has no door: give it one in rules.ts';
	}
	const {open, types = []} = door;
	if (!isIn(file, open) && !(typesAlone && isIn(file, types))) {
		const also = types.length > 0 ? `; its types also in ${types.join(', ')}` : '';
		return `only in ${open.join(', ')}${also}`;
	}
	if (target === 'axios' && names.some((name) => name === 'default' || name === '*')) {
		return isIn(file, wholeAxios) ? undefined : `all of axios only in ${wholeAxios.join(', ')}`;
	}
	return undefined;
}

function partOf(file: string): string | undefined {
	return [...layers.flat(), testing].find((part) => isIn(file, [part]));
}

function rank(part: string): number {
	return layers.findIndex((layer) => layer.includes(part));
}

function isIn(file: string, places: readonly string[]): boolean {
	return places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place));
}
