/*
 * Run as a process of its own: asks for COUNT long URLs of ORIGIN, each once and in the ways in which an
 * app may say them, and prints how much more memory is in use than at the start.
 */
import {createClient} from '../../src/index.ts';

const {ORIGIN: origin = '', COUNT: count = ''} = process.env;
const {gc} = globalThis;
if (gc === undefined) throw new Error('run it with --expose-gc');

const client = createClient({proxy: false, logger: false});
const long = 'x'.repeat(200_000);

function ask(index: number): Promise<{status: number}> {
	const own = `${index}-${long}`;
	switch (index % 4) {
		case 0:
			return client.get(`${origin}/${own}`);
		case 1:
			return client.get(`/${own}`, {baseURL: origin});
		case 2:
			return client.get('/', {baseURL: `${origin}/${own}`});
		default:
			return client.get(origin, {params: {q: own}});
	}
}

function usedBytes(): number {
	gc?.();
	return process.memoryUsage().heapUsed;
}

await ask(0);
const before = usedBytes();
let answered = 0;
for (let index = 1; index <= Number(count); index += 1) {
	if ((await ask(index)).status === 200) answered += 1;
}
process.stdout.write(JSON.stringify({answered, grownBytes: usedBytes() - before}));
await client.mtls.close();
