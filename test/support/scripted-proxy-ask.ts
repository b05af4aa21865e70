/*
 * Run as a process of its own: asks a scripted proxy (argv's URL, with the CA in CA) for each
 * of SCENES, in both exchanges, prints what came of it as JSON, and has nothing left to do.
 */
import axios from 'axios';
import {createClient, isMtlsError} from '../../src/index.ts';
import {scenes} from './scripted-proxy.ts';

/** What came of one scene. */
export interface ProxyRequest {
	readonly name: string;
	readonly exchange: string;
	readonly code: string | undefined;
	readonly kind: string | undefined;
	readonly side: string | undefined;
	readonly status: number | undefined;
	readonly answered: boolean;
	readonly elapsedMs: number;
}

/** What the process prints. */
export interface Report {
	readonly asked: readonly ProxyRequest[];
	/** What would keep the process alive when all is done. */
	readonly left: readonly string[];
}

const [proxyUrl = ''] = process.argv.slice(2);
const {protocol, hostname, port} = new URL(proxyUrl);
const client = createClient({
	mtls: {proxy: {ca: process.env.CA ?? 'default'}},
	proxy: {protocol, host: hostname, port: Number(port)},
	logger: false,
});

async function ask(name: string, exchange: string, options: object): Promise<ProxyRequest> {
	// Nothing but the timeout ends a wait for a proxy that is silent.
	const timeout = scenes[name]?.code === 'ECONNABORTED' ? 50 : 10_000;
	const start = performance.now();
	const error: unknown = await client
		.post(`https://${name}.test/`, 's3cret', {timeout, ...options})
		.then(
			() => undefined,
			(reason: unknown) => reason,
		);
	const failure = isMtlsError(error) ? error.failure : undefined;
	return {
		name,
		exchange,
		code: axios.isAxiosError(error) ? error.code : String(error),
		kind: failure?.kind,
		side: failure?.side,
		status: failure?.proxy?.status,
		answered: axios.isAxiosError(error) && error.response !== undefined,
		elapsedMs: performance.now() - start,
	};
}

const asked: ProxyRequest[] = [];
for (const name of process.env.SCENES?.split(',') ?? []) {
	asked.push(await ask(name, 'undici', {}));
	asked.push(await ask(name, 'axios', {onDownloadProgress() {}}));
}
// A socket that was destroyed tells its end in one of the next turns.
for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
const left = process.getActiveResourcesInfo().filter((resource) => !/Pipe|TTY/.test(resource));
process.stdout.write(JSON.stringify({asked, left} satisfies Report));
