import {execFile} from 'node:child_process';
import {createServer} from 'node:http';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import {createTestPki} from '../../src/testing/index.ts';
import {createFixture, type Fixture, pages, redirect} from '../support/fixture.ts';
import {startH2Server} from '../support/h2-server.ts';
import {iterations} from '../support/iterations.ts';
import {listening} from '../support/listening.ts';
import {optionNames} from '../support/option-names.ts';
import {startRecordingServer} from '../support/recording-server.ts';

// Seen: `Object.prototype.verify = 'report'`, which a library had merged there from some JSON, and a
// server of an unknown CA was answered to, with our certificate and Authorization; and any name at all
// failed every plain GET.

const child = fileURLToPath(new URL('../support/child-polluted.ts', import.meta.url));

/**
 * What no client of Node survives, by what it cannot do then: it fails, and nobody is shown anything.
 * Node's and undici's own objects read these where nobody can say them.
 */
const unsurvivable: ReadonlyMap<string, readonly string[] | 'all'> = new Map<
	string,
	readonly string[] | 'all'
>([
	// Of each write to a socket, and of undici's requests.
	['error', 'all'],
	// Of each IncomingMessage, and with Node 22 of each Http2Stream: it is what ends them.
	['signal', ['axios', 'strangerByAxios', 'http2']],
	// Events of an Http2Stream, which looks its listeners up by them.
	['timeout', ['http2']],
	['headers', ['http2']],
]);

let fixture: Fixture;
let names: Map<string, unknown[]>;
beforeAll(async () => {
	fixture = await createFixture();
	names = optionNames();
}, 60_000);

test('the names come from the declarations of every entry point', () => {
	for (const name of [
		'verify',
		'secureContext',
		'everyMs',
		'paramsSerializer',
		'prefix',
		'login',
	]) {
		expect([...names.keys()]).toContain(name);
	}
	expect(names.get('verify')).toContain('report');
	expect(names.size).toBeGreaterThan(100);
});

const phases = ['before creation', 'after creation', 'for one request'];

/** What one value of one name changes in a phase. */
interface Run {
	readonly phase: string;
	readonly name: string;
	readonly differs: readonly [what: string, answer: string][];
}

test('a polluted Object.prototype changes no response, no verification and no byte sent', {
	timeout: 600_000,
}, async () => {
	const plain = createServer((_, response) => response.end('plain'));
	let plainRequests = 0;
	plain.on('request', () => {
		plainRequests += 1;
	});
	const plainPort = await listening(plain);
	const proxy = await fixture.proxy();
	const strangers = await createTestPki({commonName: 'Stranger CA'});
	const stranger = await startRecordingServer(strangers);
	const other = await fixture.recordingServer({
		handler(request, response, {connection}) {
			const shown = connection.clientCertificate?.subject ?? 'nothing';
			response.end(JSON.stringify({shown, authorization: request.headers.authorization}));
			return true;
		},
	});
	const bank = await fixture.server({
		handler: pages({
			'/to-other': redirect(`${other.origin}/`),
			'/to-plain': redirect(`http://127.0.0.1:${plainPort}/`),
			'/nowhere': (_, response) => response.writeHead(302).end('nowhere'),
		}),
	});
	const http2 = await startH2Server(fixture.pki);
	const {cert, key} = fixture.alice;
	const mallory = await strangers.client({commonName: 'mallory'});

	const {stdout} = await promisify(execFile)(process.execPath, ['--no-warnings', child], {
		maxBuffer: 64 * 1024 * 1024,
		env: {
			NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
			PHASES: JSON.stringify(phases),
			CASES: JSON.stringify([...names]),
			UNSURVIVABLE: JSON.stringify(Object.fromEntries(unsurvivable)),
			AT_ONCE: String(iterations({usual: 16, short: 48, long: 1})),
			FIXTURE: JSON.stringify({
				cert,
				key,
				ca: fixture.pki.ca,
				mallory: {cert: mallory.cert, key: mallory.key},
				strangerCa: strangers.ca,
				bank: bank.origin,
				http2: http2.origin,
				stranger: stranger.origin,
				proxyPort: proxy.port,
			}),
		},
	});
	await stranger.close();

	const [begin = '', ...lines] = stdout.trim().split('\n');
	const {expected} = JSON.parse(begin);
	expect(expected).toMatchObject({
		plain: expect.stringMatching(/^\[200/),
		axios: expect.stringMatching(/^\[200/),
		http2: expect.stringMatching(/^\[200/),
		stranger: expect.stringContaining('untrusted-issuer'),
		strangerByAxios: expect.stringContaining('untrusted-issuer'),
		redirected: expect.stringContaining('nothing'),
		downgraded: expect.stringContaining('insecure-redirect'),
	});
	const runs: Run[] = lines.map((line) => JSON.parse(line));
	for (const phase of phases) {
		const tried = runs.filter((run) => run.phase === phase).map(({name}) => name);
		expect(new Set(tried), phase).toEqual(new Set(names.keys()));
	}
	const changed = runs.filter(({name, differs}) => {
		const known = unsurvivable.get(name);
		if (known === undefined) return differs.length > 0;
		return known !== 'all' && differs.some(([what]) => ![...known, 'uncaught'].includes(what));
	});
	expect(changed).toEqual([]);

	expect(stranger.requests).toEqual([]);
	expect(stranger.connections.length).toBeGreaterThan(0);
	for (const {plaintextBytes, clientCertificate} of stranger.connections) {
		expect({plaintextBytes, clientCertificate}).toEqual({
			plaintextBytes: 0,
			clientCertificate: undefined,
		});
	}
	expect(plainRequests).toBe(0);
	expect([...proxy.tunnels, ...proxy.forwarded]).toEqual([]);
});
