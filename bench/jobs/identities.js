import assert from 'node:assert/strict';
import {createClient} from '../../dist/index.js';
import {account} from '../server/answers.js';
import {usedMemory} from './used-memory.js';

/** One client, an identity for each of a thousand origins; what it keeps when all of them are in use. */
export async function run({target: {ca}, origins, clients}) {
	const mtls = origins.map((origin, index) => ({...clients[index], ca, origins: [origin]}));
	const before = usedMemory();
	const client = createClient({mtls, logger: false});
	for (const origin of origins) {
		const {data, tls} = await client.get(`${origin}/account`);
		assert.deepEqual(data, account);
		assert.equal(tls.resumed, false, 'no session is shared between identities');
	}
	assert.equal(client.mtls.stats().identities, origins.length);
	const after = usedMemory();
	await client.mtls.close();
	return {resident: after.resident - before.resident, heap: after.heap - before.heap};
}
