/*
 * Run as a process of its own, as what it does would end a test runner: in each of PHASES puts each of
 * CASES into `Object.prototype`, AT_ONCE of them at a time but for those in UNSURVIVABLE, makes requests
 * meanwhile, and prints what came of them as JSON.
 */
import https from 'node:https';
import {createClient, isMtlsError, type MtlsClient} from '../../src/index.ts';

/** When the prototype is polluted. */
type Phase = 'before creation' | 'after creation' | 'for one request';

/** Where to, and as whom. */
interface PollutionFixture {
	readonly cert: string;
	readonly key: string;
	readonly ca: string;
	readonly mallory: {readonly cert: string; readonly key: string};
	readonly strangerCa: string;
	readonly bank: string;
	readonly http2: string;
	readonly stranger: string;
	readonly proxyPort: number;
}

const {FIXTURE = '', CASES = '', AT_ONCE = '1', UNSURVIVABLE = '{}', PHASES = '[]'} = process.env;
const fixture = JSON.parse(FIXTURE) as PollutionFixture;
const cases = JSON.parse(CASES) as readonly (readonly [name: string, literals: unknown[]])[];
const atOnce = Number(AT_ONCE);
const phases: readonly Phase[] = JSON.parse(PHASES);

/** Each of these names would fail the others of its group, by the requests that fail with it. */
const unsurvivable: Readonly<Record<string, readonly string[] | 'all'>> = JSON.parse(UNSURVIVABLE);

function make(): MtlsClient {
	const {cert, key, ca} = fixture;
	return createClient({
		mtls: {cert, key, ca},
		jar: true,
		logger: false,
		proxy: false,
		timeout: 3_000,
	});
}

/** Nothing that differs from one run to the next. */
function told(text: unknown): string {
	return String(JSON.stringify(text)).replaceAll(/:\d{4,5}\b/g, ':port');
}

async function outcome(request: Promise<{status: number; data: unknown}>): Promise<string> {
	try {
		const {status, data} = await request;
		return told([status, data]);
	} catch (error) {
		if (isMtlsError(error)) return told([error.code, error.failure.kind]);
		if (!(error instanceof Error)) return told(['thrown', String(error)]);
		const {name, message} = error;
		return told([name, message.slice(0, 200)]);
	}
}

const axiosExchange = {onDownloadProgress() {}};

type Request = (
	client: MtlsClient,
	config: {timeout?: number},
) => Promise<{status: number; data: unknown}>;

const {bank, stranger} = fixture;
const bearer = {headers: {Authorization: 'Bearer t'}};
const noAuth = {auth: {} as {username: string; password: string}};

/** What is asked of those whom the client knows, and of those whom it must not trust. */
const requests: readonly (readonly [what: string, Request])[] = [
	['plain', (client, config) => client.get(`${bank}/echo`, {...bearer, ...config})],
	['authorized', (client, config) => client.post(`${bank}/echo`, 'body', {...noAuth, ...config})],
	['axios', (client, config) => client.post(`${bank}/echo`, {a: 1}, {...axiosExchange, ...config})],
	['http2', (client, config) => client.get(`${fixture.http2}/echo`, {httpVersion: 2, ...config})],
	['stranger', (client, config) => client.get(stranger, {...bearer, ...config})],
	['strangerByAxios', (client, config) => client.get(stranger, {...axiosExchange, ...config})],
	['redirected', (client, config) => client.get(`${bank}/to-other`, config)],
	['downgraded', (client, config) => client.get(`${bank}/to-plain`, config)],
	['notRedirected', (client, config) => client.get(`${bank}/nowhere`, config)],
];

/** What came of each request; `mayFail` are those of which nothing is expected. */
async function ask(
	client: MtlsClient,
	mayFail: readonly string[] | 'all' = [],
): Promise<Record<string, string>> {
	const answers: [string, string][] = [];
	for (const [what, request] of requests) {
		// What hangs under the pollution would take the whole `timeout` of the client.
		const config = mayFail === 'all' || mayFail.includes(what) ? {timeout: 200} : {};
		answers.push([what, await outcome(request(client, config))]);
	}
	return Object.fromEntries(answers);
}

const evilJar = {getCookies: async () => [], setCookie: async () => undefined, store: {}};
const evil: Readonly<Record<string, readonly unknown[]>> = Object.assign(Object.create(null), {
	adapter: [async () => ({status: 200, data: 'evil', headers: {}})],
	auth: [{username: 'evil', password: 'evil'}],
	baseURL: [fixture.stranger],
	beforeRedirect: [
		(options: {hostname?: string}) => {
			options.hostname = 'evil.test';
		},
	],
	ca: [fixture.strangerCa],
	cert: [fixture.mallory.cert],
	cookies: [{blockedDomains: ['localhost']}],
	cancelToken: [{reason: 'evil', throwIfRequested() {}, subscribe() {}, unsubscribe() {}}],
	headers: [{'X-Evil': '1'}],
	httpAgent: [new https.Agent()],
	httpsAgent: [new https.Agent({ca: fixture.strangerCa})],
	http2Options: [{ca: fixture.strangerCa}],
	identity: [() => fixture.mallory],
	jar: [evilJar],
	key: [fixture.mallory.key],
	login: [async () => {}],
	logger: [{error() {}, warn() {}}],
	lookup: [(_: string, __: object, done: (error: Error) => void) => done(new Error('evil'))],
	maxRedirects: [0, 5],
	mtls: [{verify: 'report'}, {ca: fixture.strangerCa}],
	origins: [[fixture.stranger, fixture.bank]],
	allowRedirectsFrom: [[fixture.bank]],
	params: [{evil: 1}],
	proxy: [{host: '127.0.0.1', port: fixture.proxyPort}, `http://127.0.0.1:${fixture.proxyPort}`],
	session: [Buffer.from('evil'), {login() {}}],
	signal: [AbortSignal.abort()],
	socketPath: ['/no/evil.sock'],
	timeouts: [{requestMs: 1}],
	transformRequest: [[() => 'evil']],
	transformResponse: [[() => 'evil']],
	transport: [https],
	url: [fixture.stranger],
	validateStatus: [() => false],
});

const count = /Ms$|^max|^timeout$|^port$|^family$|^httpVersion$/;

function hostile(name: string, literals: readonly unknown[]): unknown[] {
	return [
		...new Set([...literals, ...(evil[name] ?? []), ...(count.test(name) ? [1] : []), 'evil']),
	];
}

/** What `Object.prototype` is given at a time. */
type Pollution = ReadonlyMap<string, unknown>;

function pollute(pollution: Pollution): void {
	for (const [name, value] of pollution) {
		const how = {value, configurable: true, enumerable: true, writable: true};
		Object.defineProperty(Object.prototype, name, Object.assign(Object.create(null), how));
	}
}

function clean(pollution: Pollution): void {
	for (const name of pollution.keys()) Reflect.deleteProperty(Object.prototype, name);
}

async function run(phase: Phase, pollution: Pollution): Promise<Record<string, string>> {
	let client: MtlsClient | undefined;
	try {
		if (phase === 'before creation') pollute(pollution);
		client = make();
		if (phase === 'after creation') {
			pollute(pollution);
			await client.mtls.reload();
		}
		if (phase === 'for one request') {
			await ask(client);
			pollute(pollution);
		}
		const [name = ''] = pollution.keys();
		const answers = await ask(client, pollution.size === 1 ? unsurvivable[name] : []);
		clean(pollution);
		return answers;
	} catch (error) {
		clean(pollution);
		return {failed: told(String(error))};
	} finally {
		await client?.mtls.close({deadlineMs: 0});
	}
}

let current: Pollution = new Map();
let uncaught: unknown;
process.on('uncaughtException', (error) => {
	clean(current);
	uncaught = error;
});

const usual = make();
const expected = await ask(usual);
await usual.mtls.close();
process.stdout.write(`${JSON.stringify({expected})}\n`);

/** What becomes otherwise. */
async function differencesBy(
	phase: Phase,
	pollution: Pollution,
): Promise<[what: string, answer: string][]> {
	current = pollution;
	uncaught = undefined;
	const answers = await run(phase, pollution);
	if (uncaught !== undefined) answers.uncaught = String(uncaught);
	return Object.entries({...expected, ...answers}).filter(
		([what, answer]) => answer !== expected[what],
	);
}

/** Several at a time that change nothing together change nothing; others are tried in halves. */
async function tryAll(
	phase: Phase,
	all: readonly (readonly [name: string, value: unknown])[],
): Promise<void> {
	const differs = await differencesBy(phase, new Map(all));
	if (differs.length > 0 && all.length > 1) {
		const half = all.length >> 1;
		await tryAll(phase, all.slice(0, half));
		await tryAll(phase, all.slice(half));
		return;
	}
	for (const [name, value] of all) {
		const shown = typeof value === 'function' ? 'a function' : told(value).slice(0, 60);
		process.stdout.write(`${JSON.stringify({phase, name, value: shown, differs})}\n`);
	}
}

const pairs = cases.map(([name, literals]) =>
	hostile(name, literals).map((value) => [name, value] as const),
);
const most = Math.max(...pairs.map(({length}) => length));
for (const phase of phases) {
	for (let nth = 0; nth < most; nth += 1) {
		const round = pairs.flatMap((values) => values.slice(nth, nth + 1));
		const together = round.filter(([name]) => !Object.hasOwn(unsurvivable, name));
		for (let first = 0; first < together.length; first += atOnce) {
			await tryAll(phase, together.slice(first, first + atOnce));
		}
		for (const one of round) if (!together.includes(one)) await tryAll(phase, [one]);
	}
}
process.exit(0);
