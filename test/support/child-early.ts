/*
 * Run as a process of its own, with --expose-gc: uploads argv's number of bytes to argv's URL, argv's
 * number of times, and prints as JSON what is kept of it. CERT, KEY and CA say who it is.
 */
import {createClient} from '../../src/index.ts';

const [url = '', exchange = '', bytes = '', count = ''] = process.argv.slice(2);
const {CA: ca = '', CERT: cert = '', KEY: key = ''} = process.env;
const exchanges: Readonly<Record<string, object>> = {
	undici: {},
	axios: {onDownloadProgress() {}},
	http2: {httpVersion: 2},
};
const client = createClient({
	mtls: {cert, key, ca},
	proxy: false,
	logger: false,
	validateStatus: null,
	timeout: 20_000,
	...exchanges[exchange],
});
const body = Buffer.alloc(Number(bytes));

async function upload(times: number): Promise<number> {
	let answered = 0;
	for (let n = 0; n < times; n += 1) {
		const {data} = await client.post(url, body);
		if (data === 'early') answered += 1;
	}
	return answered;
}

/** What is held once nothing is in flight, in bytes. */
async function held(): Promise<number> {
	while (client.mtls.stats().sockets.active > 0) await new Promise((done) => setTimeout(done, 10));
	for (let n = 0; n < 3; n += 1) {
		await new Promise((resolve) => setImmediate(resolve));
		global.gc?.();
	}
	const {heapUsed, external} = process.memoryUsage();
	return heapUsed + external;
}

await upload(20);
const before = await held();
const answered = await upload(Number(count));
const after = await held();
const {sockets} = client.mtls.stats();
process.stdout.write(JSON.stringify({answered, grown: after - before, sockets}));
// Its connections may wait for a server that reads no more.
await client.mtls.close({deadlineMs: 0});
