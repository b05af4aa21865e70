/*
 * Who may import whom (design, section 4), as one list to read from top to bottom.
 */
import type {Import} from './imports.ts';

/** A path ends in a slash for a folder. A file imports from the lines above its own. */
const layers: readonly (readonly string[])[] = [
	['facts.ts'],
	[
		'bounded-map.ts',
		'certificate.ts',
		'config-error.ts',
		'escape-controls.ts',
		'host.ts',
		'legacy-certificate.ts',
		'longest-delay.ts',
		'percent.ts',
	],
	['redact-url.ts', 'peer-chain.ts'],
	['own-options.ts'],
	['errors.ts'],
	['redact.ts', 'lifetime.ts'],
	['options.ts'],
	['events.ts'],
	['tls/'],
	['tell.ts'],
	['net/'],
	['jar/'],
	['redis/'],
	['http/'],
	['log/'],
	['client.ts'],
	['parts.ts'],
	['create.ts'],
	['index.ts'],
	['cli/'],
];

// Stands beside the others: it is what a server does, and knows nothing of the client. Both read the
// certificates of the other side.
const testing = 'testing/';

/** What a part may see of us, where that is less than all the lines above it. */
const narrow: Readonly<Record<string, readonly string[]>> = {
	[testing]: ['peer-chain.ts'],
	// Serves an app without axios, which errors.ts needs.
	'redis/': [
		'config-error.ts',
		'longest-delay.ts',
		'own-options.ts',
		'jar/expiry.ts',
		'jar/login-ledger.ts',
		'jar/store-counts.ts',
	],
	// As any user of the package; what a terminal may be shown is one rule for both.
	'cli/': ['index.ts', 'testing/index.ts', 'escape-controls.ts'],
};

/** Where a package may be imported. */
interface Door {
	readonly open: readonly string[];
	/** For `import type`, besides. */
	readonly types?: readonly string[];
}

export const doors: Readonly<Record<string, Door>> = {
	axios: {
		open: ['create.ts', 'parts.ts', 'errors.ts', 'http/', 'log/interceptors.ts'],
		types: ['options.ts', 'client.ts', 'redact.ts', 'log/events.ts'],
	},
	'tough-cookie': {
		open: ['http/cookies.ts', 'http/cookie-cache.ts', 'jar/', 'redis/'],
		types: ['options.ts', 'client.ts'],
	},
	undici: {open: ['net/pool.ts', 'http/lean/exchange.ts']},
	'node:http2': {open: ['net/http2-session.ts'], types: ['http/']},
	'node:tls': {
		open: ['tls/', 'net/', testing, 'peer-chain.ts'],
		types: ['legacy-certificate.ts', 'options.ts', 'http/global-agent.ts'],
	},
	'@peculiar/x509': {open: [testing]},
	'reflect-metadata': {open: [testing]},
	commander: {open: ['cli/']},
	picocolors: {open: ['cli/']},
};

/** The axios that sends, rather than its classes: whoever holds it could send past our adapter. */
const wholeAxios: readonly string[] = [
	'create.ts',
	'parts.ts',
	'http/exchange-axios.ts',
	// For the version in `User-Agent`.
	'http/lean/request.ts',
];

/** What is wrong with an import of a file of ours; `undefined` when nothing is. */
export function judgeLayer({file, target}: Import): string | undefined {
	// Its version; the bundler writes it in.
	if (target === '../package.json' && isIn(file, ['cli/'])) return undefined;
	const from = partOf(file);
	const to = partOf(target);
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
