import {isMtlsError} from 'axios-mtls';
import {createBank} from './client.js';

const [url] = process.argv.slice(2);
const bank = createBank();
try {
	const {data} = await bank.get(url);
	console.log(data);
} catch (error) {
	console.error(error.message);
	if (isMtlsError(error)) console.error(error.failure.hint);
	process.exitCode = 1;
} finally {
	await bank.mtls.close();
}
