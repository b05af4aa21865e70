/*
 * One request, through axios's own http adapter and through ours: the same bytes on the wire, the
 * same result.
 */
import https from 'node:https';
import type {Readable} from 'node:stream';
import axios, {
	type AxiosAdapter,
	type AxiosInstance,
	type AxiosRequestConfig,
	type InternalAxiosRequestConfig,
} from 'axios';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {createAdapter} from '../../src/index.ts';
import {iterations, sample} from './iterations.ts';
import {
	type Answer,
	type ParityServers,
	type ServerName,
	startParityServers,
	type WireRequest,
} from './parity-server.ts';
import {
	describeError,
	describeResponse,
	exchangeOf,
	type Outcome,
	type ReadBody,
	shortened,
} from './parity-suite.ts';

export {
	type Answer,
	inChunks,
	type ParityServers,
	type ParityServers as Stage,
	redirect,
} from './parity-server.ts';

/** For scenarios whose end is axios's to tell, such as that of zlib. */
export const anyEnd: unique symbol = Symbol('any end');

export interface Scenario {
	/** Ends the sentence `the two agree on ...`. */
	readonly title: string;
	/** Asked once for each adapter, as streams are read once. */
	readonly request: (stage: ParityServers) => AxiosRequestConfig;
	/** In the order of the requests, whichever server gets them. @defaultValue one 200 `ok` */
	readonly answers?: (stage: ParityServers) => readonly Answer[];
	/** Status of the response, or code of the error: that the scenario is what it says it is. */
	readonly ends: number | string | undefined | typeof anyEnd;
	/** How many requests reach the servers. @defaultValue one for each answer */
	readonly requests?: number | typeof anyEnd;
	/** What carries the request of ours; `any` where no request is left to tell. @defaultValue `client` */
	readonly by?: 'client' | 'axios' | 'any' | undefined;
	/** How much of a request arrives is up to the system: how far its body came is not compared. */
	readonly looseBody?: boolean;
	/** The same for whether a request arrives at all: none is compared. */
	readonly looseWire?: boolean;
	/** Why ours is not as axios's: to be taken away, with the difference. */
	readonly differs?: string | undefined;
	/** Takes that difference out of the JSON of both; the rest is compared. */
	readonly except?: (text: string) => string;
	/** What the app does with a streamed body. @defaultValue reads it to its end */
	readonly read?: (stage: ParityServers, client: AxiosInstance) => ReadBody;
	/** Compares what became of the stream that the app gave as a body, too. */
	readonly watchBody?: boolean;
	/** What the request of ours says beside. */
	readonly ours?: AxiosRequestConfig;
	readonly moved?: Moved;
	/** Takes out of both what differs by nature on this way; the rest is compared. */
	readonly normalise?: (run: Run) => unknown;
	/** Says it once more through the exchange that is not `by`. @defaultValue `true` */
	readonly both?: boolean;
}

type Moved = ParityServers['moved'];

/** A scenario for each of several ways to the servers. */
export interface Row extends Omit<Scenario, 'request' | 'answers'> {
	readonly config?: (stage: ParityServers, url: string) => AxiosRequestConfig;
	readonly answers?: (stage: ParityServers, server: ServerName) => readonly Answer[];
}

export interface Way {
	readonly title: string;
	readonly server: ServerName;
	readonly config?: AxiosRequestConfig | ((stage: ParityServers) => AxiosRequestConfig);
	readonly ours?: AxiosRequestConfig;
	/** The servers that stand in for others. */
	readonly moved?: Moved;
	readonly normalise?: (run: Run) => unknown;
}

const direct = {maxRedirects: 0};
export const plainWay: Way = {title: 'over http', server: 'a'};
export const ways: readonly Way[] = [
	plainWay,
	{title: 'over http, without redirects', server: 'a', config: direct},
	{title: 'over https with a client certificate', server: 'm'},
	{title: 'over https with a client certificate, without redirects', server: 'm', config: direct},
];

/** Each row over each way. What carries it is not compared. */
export function over(rows: readonly Row[], along: readonly Way[] = ways): Scenario[] {
	// Beside another Node, one way says what there is to say of a row.
	const taken = along.slice(0, iterations({usual: along.length, short: 1}));
	return rows.flatMap(({config, answers, ...row}) =>
		taken.map((way) => ({
			by: 'any' as const,
			...row,
			...settingsOf(way),
			title: `${row.title}, ${way.title}`,
			request: (s: ParityServers) => {
				const url = s.url(way.server, '/parity');
				const common = typeof way.config === 'function' ? way.config(s) : way.config;
				return {url, ...common, ...config?.(s, url)};
			},
			...(answers && {answers: (s: ParityServers) => answers(s, way.server)}),
		})),
	);
}

export interface Run extends Outcome {
	readonly wire: readonly WireRequest[];
	readonly notes: readonly unknown[];
	readonly source?: object | undefined;
}

/** What a way says of the two sides, and not of the request. */
function settingsOf({ours, moved, normalise}: Way): Partial<Scenario> {
	return {...(ours && {ours}), ...(moved && {moved}), ...(normalise && {normalise})};
}

interface Cast {
	readonly stage: ParityServers;
	readonly theirs: AxiosInstance;
	/** With `createAdapter()` alone. */
	readonly ours: AxiosInstance;
	/** The same, which believes the servers of the stage. */
	readonly trusting: AxiosInstance;
	captured: InternalAxiosRequestConfig | undefined;
	exchange: 'client' | 'axios' | undefined;
}

/**
 * What axios says in other words since the version given: we say it in those of the newest. Before
 * it a URL that could not be built was an error without a config, a stream that is too long one of
 * follow-redirects, an address that is no text a TypeError, and a path alone no URL for a Unix socket.
 */
const newWords: readonly (readonly [RegExp, since: number])[] = [
	[/^params: (a lone surrogate|text)$|^paramsSerializer: a serializer that throws$/, 19],
	[/^maxBodyLength (0|99) and a stream that is longer$/, 21],
	[/^maxBodyLength (0|99|null) .*(stream|Blob|FormData|npm's form)/, 21],
	[/^maxBodyLength 10[01] and 100 bytes of FormData/, 21],
	// Before it axios asked the proxy for the page itself, and opened no tunnel.
	[/, over https through a tunnel$/, 21],
	[/ a lookup whose address is a number|by a socket path and a URL that is a path/, 21],
];
const minor = Number(axios.VERSION.split('.')[1]);

/** Runs each scenario as a test of its own, on servers of their own. */
export function parity(scenarios: readonly Scenario[]): void {
	let cast: Cast;
	beforeAll(async () => {
		cast = castOf(await startParityServers());
	});
	afterAll(() => cast.stage[Symbol.asyncDispose]());

	for (const scenario of sample(scenarios)) {
		const newer = newWords.some(([title, since]) => title.test(scenario.title) && minor < since);
		const {title, differs} = scenario;
		const sentence = differs
			? `the two differ on ${title}, as ${differs}`
			: `the two agree on ${title}`;
		test.skipIf(newer)(sentence, async () => {
			const {requests = scenario.answers?.(cast.stage).length ?? 1} = scenario;
			const least = requests === anyEnd ? 0 : requests;
			const {normalise = (run) => run} = scenario;
			const theirRun = await runWhole(cast, 'theirs', scenario, least);
			if (scenario.ends !== anyEnd) expect(endOf(theirRun), 'axios itself').toBe(scenario.ends);
			if (requests !== anyEnd) {
				expect(theirRun.wire.length, 'requests by axios itself').toBe(requests);
			}

			const theirs = normalise(theirRun);
			const ourRun = await runWhole(cast, 'ours', scenario, least);
			const ours = normalise(ourRun);
			if (scenario.ours?.httpVersion === 2) {
				expect(ourRun.wire.filter(({version}) => version !== '2.0')).toEqual([]);
			}
			if (differs !== undefined) {
				expect(ours).not.toEqual(theirs);
				const {except} = scenario;
				if (except) expect(except(JSON.stringify(ours))).toBe(except(JSON.stringify(theirs)));
				return;
			}
			expect(ours).toEqual(theirs);
			const {by = 'client'} = scenario;
			if (by !== 'any') expect(cast.exchange).toBe(by);
			if (by !== 'client' || scenario.both === false || process.env.SHORT) return;
			// Without a body this option changes nothing but who sends the request.
			const again = await runWhole(cast, 'ours', scenario, least, {onUploadProgress() {}});
			expect(again, "through axios's exchange").toEqual(theirs);
			expect(cast.exchange).toBe('axios');
		});
	}
}

function castOf(stage: ParityServers): Cast {
	const {ca, credential} = stage;
	const cast: Cast = {
		stage,
		theirs: axios.create({
			httpsAgent: new https.Agent({...credential, ca, keepAlive: true}),
			adapter: capturing(axios.getAdapter('http')),
		}),
		ours: axios.create({adapter: capturing(createAdapter())}),
		trusting: axios.create({adapter: capturing(createAdapter({mtls: {...credential, ca}}))}),
		captured: undefined,
		exchange: undefined,
	};
	function capturing(adapter: AxiosAdapter): AxiosAdapter {
		return (config) => {
			cast.captured = config;
			return adapter(config);
		};
	}
	return cast;
}

/** Runs it until `least` requests have arrived: on a busy machine a short timeout may be over before. */
async function runWhole(
	cast: Cast,
	whose: 'theirs' | 'ours',
	scenario: Scenario,
	least: number,
	extra?: object,
): Promise<Run> {
	for (let attempt = 1; ; attempt += 1) {
		const done = await run(cast, whose, scenario, extra);
		if (done.wire.length >= least || attempt === 5) return done;
	}
}

async function run(
	cast: Cast,
	side: 'theirs' | 'ours',
	scenario: Scenario,
	extra: object = {},
): Promise<Run> {
	const {stage} = cast;
	stage.requests.length = 0;
	stage.notes = [];
	stage.secure = false;
	stage.moved = scenario.moved ?? {};
	stage.answers = [...(scenario.answers?.(stage) ?? [{}])];
	cast.captured = undefined;
	const config = {...scenario.request(stage), ...extra};
	const trusted = side === 'ours' && stage.secure ? cast.trusting : cast[side];
	const client = side === 'ours' && scenario.ours ? trusted.create(scenario.ours) : trusted;
	const outcome = await outcomeOf(cast, client, config, scenario.read?.(stage, client));
	await stage.quiet();
	const wire = scenario.looseWire
		? []
		: stage.requests.map((request) =>
				scenario.looseBody
					? {...request, body: '', end: 'open' as const}
					: {...request, body: shortened(withoutBoundary(request.body))},
			);
	const source = scenario.watchBody ? describeSource(config.data) : undefined;
	return withoutBoundaries({...outcome, wire, notes: stage.notes, source});
}

/** What became of the stream that the app gave as a body. */
function describeSource(data: Readable): object {
	const {destroyed, readableEnded, errored} = data;
	return {destroyed, readableEnded, errored: errored?.message};
}

async function outcomeOf(
	cast: Cast,
	client: AxiosInstance,
	config: AxiosRequestConfig,
	read: ReadBody | undefined,
): Promise<Outcome> {
	try {
		// Ours refuses the way from https to http unless it is told to go: that has a test of its own.
		const response = await client.request({allowInsecureRedirects: true, ...config});
		cast.exchange = exchangeOf(response);
		return {response: await describeResponse(response, cast.captured, read)};
	} catch (error) {
		cast.exchange = exchangeOf(error);
		return {error: await describeError(error, cast.captured, read)};
	}
}

function endOf({response, error}: Run): unknown {
	if (response) return (response as {status: number}).status;
	return (error as {code?: string}).code;
}

// Axios tells the user and the password of a URL, ours does not: a difference on purpose.
function withoutLogins(text: string): string {
	return text.replaceAll(/(https?:\/\/)[^/"]*@/g, '$1');
}

function withoutBoundaries(run: Run): Run {
	return JSON.parse(withoutBoundary(withoutLogins(JSON.stringify(run))));
}

// Axios and form-data choose the boundary of a form by chance, ours anew for each hop.
function withoutBoundary(text: string): string {
	return text.replaceAll(/axios-[\d.]+-boundary-[\w-]{25}|-{26}[\da-f]{24}/g, 'BOUNDARY');
}
