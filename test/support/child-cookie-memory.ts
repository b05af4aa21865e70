/*
 * Run as a process of its own, with --expose-gc: asks argv's origin for ever new paths with the cookies
 * that the server sets and more, and prints by how many bytes the process has grown.
 */
import {CookieJar, createClient} from '../../src/index.ts';

const [origin = '', ca = '', count = ''] = process.argv.slice(2);

/** 300 of 4,000 bytes: 1.2 MB. */
async function fillJar(): Promise<CookieJar> {
	const jar = new CookieJar();
	for (let index = 0; index < 300; index += 1) {
		await jar.setCookie(`c${index}=${'x'.repeat(4_000)}; Path=/`, origin);
	}
	return jar;
}

function usedBytes(): number {
	globalThis.gc?.();
	const {heapUsed, external} = process.memoryUsage();
	return heapUsed + external;
}

const client = createClient({mtls: {ca}, jar: await fillJar(), proxy: false, logger: false});
await client.get(`${origin}/warm-up`);
const before = usedBytes();
for (let index = 0; index < Number(count); index += 1) await client.get(`${origin}/path/${index}`);
const grown = usedBytes() - before;
await client.mtls.close();
process.stdout.write(JSON.stringify({grown}));
