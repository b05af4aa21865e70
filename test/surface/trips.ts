/*
 * Run as a process of its own (`node test/surface/trips.ts`): walks the main ways through the code
 * against a real server, and prints which files of src each of them enters, by V8's own coverage.
 */
import {type Profiler, Session} from 'node:inspector/promises';
import {CookieJar, createClient} from '../../src/index.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';

/** The most files that a trip may enter: a reader has to follow it. */
const trips = {
	createClient: 43,
	'second GET on a kept connection': 24,
	'failed handshake': 47,
} as const;

const src = new URL('../../src/', import.meta.url).href;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', {callCount: true, detailed: false});

/** The files of which a function has run since the last look. */
async function entered(): Promise<string[]> {
	const {result} = await session.post('Profiler.takePreciseCoverage');
	return result
		.filter(({url, functions}) => isOfClient(url) && functions.some(hasRun))
		.map(({url}) => url.slice(src.length))
		.sort();
}

function isOfClient(url: string): boolean {
	return url.startsWith(src) && !url.startsWith(`${src}testing/`);
}

function hasRun({ranges}: Profiler.FunctionCoverage): boolean {
	return ranges.some(({count}) => count > 0);
}

async function walk(name: keyof typeof trips, trip: () => unknown): Promise<void> {
	await entered();
	await trip();
	const files = await entered();
	console.log(`${name}: ${files.length} files, at most ${trips[name]}`);
	for (const file of files) console.log(`  ${file}`);
	if (files.length > trips[name]) process.exitCode = 1;
}

const pki = await createTestPki();
const server = await startMtlsServer({pki});
const {cert, key} = await pki.client();
const mtls = {cert, key, ca: pki.ca};
const options = {baseURL: server.origin, proxy: false, logger: false} as const;

await walk('createClient', () => createClient({...options, mtls, jar: new CookieJar()}));
const client = createClient({...options, mtls});
await client.get('/whoami');
await walk('second GET on a kept connection', () => client.get('/whoami'));
const anonymous = createClient({...options, mtls: {ca: pki.ca}});
await walk('failed handshake', () =>
	anonymous.get('/whoami').then(
		() => {
			throw new Error('the server has taken a client without a certificate');
		},
		() => {},
	),
);
await server.close();
