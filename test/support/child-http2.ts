/*
 * Run as a process of its own: asks argv's URL over HTTP/2 as CERT, KEY and CA say, prints what came
 * of it as JSON, and does not close its client.
 */
import {createClient} from '../../src/index.ts';

const [url = ''] = process.argv.slice(2);
const {CA: ca = '', CERT: cert = '', KEY: key = ''} = process.env;
const client = createClient({httpVersion: 2, mtls: {cert, key, ca}, proxy: false, logger: false});
const {status, data} = await client.get(url);
process.stdout.write(JSON.stringify({status, client: data.client}));
