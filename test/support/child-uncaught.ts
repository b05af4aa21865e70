/*
 * Run as a process of its own: asks URL with secrets in every place, and catches nothing, so that
 * Node prints the error and ends the process. TWIN asks with axios's own adapter.
 */
import axios from 'axios';
import {createClient} from '../../src/index.ts';

const {URL: url = '', SECRET: secret = '', TWIN: twin} = process.env;
const config = {
	headers: {Authorization: `Bearer ${secret}`, Cookie: `session=${secret}`},
	proxy: false as const,
};
const client = twin ? axios.create(config) : createClient({...config, logger: false});
await client.post(url, {password: secret});
