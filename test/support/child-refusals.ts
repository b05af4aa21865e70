/*
 * Run as a process of its own with --expose-gc: is refused COUNT times the certificate of a server on PORT,
 * and prints by how many MB its memory has grown.
 */
import {createClient, isMtlsError} from '../../src/index.ts';

const {PORT: port = '', COUNT: count = ''} = process.env;
const client = createClient({logger: false, proxy: false, mtls: {}});

async function refused(times: number): Promise<void> {
	for (let i = 0; i < times; i++) {
		const error: unknown = await client.get(`https://localhost:${port}/`).catch((reason) => reason);
		if (!isMtlsError(error) || error.failure.kind !== 'self-signed') throw error;
	}
}

/** What is reachable, buffers included. */
function megabytes(): number {
	global.gc?.();
	const {heapUsed, external} = process.memoryUsage();
	return (heapUsed + external) / 1e6;
}

// What is loaded and compiled once does not count.
await refused(50);
const before = megabytes();
await refused(Number(count));
process.stdout.write(String(megabytes() - before));
await client.mtls.close();
