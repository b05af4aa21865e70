import {streamSize} from '../server/answers.js';

/** @type {import('./types.js').Shape} */
export const shape = {
	title: "GET, `responseType: 'stream'`, 1 kB",
	server: 'requests',
	peers: ['ours', 'axios-agent'],
	against: 'axios-agent',
	async call({axios}, origin) {
		const {data} = await axios.get(`${origin}/stream`, {responseType: 'stream'});
		return readAll(data);
	},
	isRight: (size) => size === streamSize,
	isSent: ({head}) => head.startsWith('GET /stream'),
};

/**
 * @param {import('node:stream').Readable} stream
 * @returns {Promise<number>} the size
 */
function readAll(stream) {
	return new Promise((resolve, reject) => {
		let size = 0;
		stream.on('data', (chunk) => {
			size += chunk.length;
		});
		stream.on('end', () => resolve(size));
		stream.on('error', reject);
	});
}
