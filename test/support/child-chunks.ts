/*
 * Asks for a body of many small chunks, and tells what memory it holds when the last but one has come.
 */
import {createClient} from '../../src/index.ts';

const {URL = ''} = process.env;
const client = createClient({logger: false, proxy: false});
const before = process.memoryUsage().arrayBuffers;
let held = 0;
const measure = setInterval(() => {
	globalThis.gc?.();
	held = Math.max(held, process.memoryUsage().arrayBuffers - before);
}, 20);
const {data} = await client.get(URL, {responseType: 'arraybuffer', maxContentLength: 10_000});
clearInterval(measure);
console.log(JSON.stringify({received: data.length, heldBytes: held}));
