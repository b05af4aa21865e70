import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {findPackageJSON} from 'node:module';
import os from 'node:os';

/** The machine and the versions, one fact a line. */
export function describeMachine() {
	const cpus = os.cpus();
	return {
		cpu: `${cpus[0]?.model.trim()}, ${cpus.length} cores`,
		memory: `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`,
		system: `${os.type()} ${os.release()} ${os.arch()}`,
		node: `${process.version}, OpenSSL ${process.versions.openssl}`,
		packages: packageVersions().join(', '),
	};
}

/**
 * Where the server and the measured process are pinned: two cores that this process may use, or
 * `undefined` where there is one core or no `taskset`.
 *
 * @returns {{server: number, peer: number} | undefined}
 */
export function chooseCores() {
	const {stdout, status} = spawnSync('taskset', ['-c', '-p', String(process.pid)], {
		encoding: 'utf8',
	});
	if (status !== 0) return undefined;
	// "pid 4711's current affinity list: 0,2-5"
	const ranges = stdout.slice(stdout.lastIndexOf(':') + 1).split(',');
	const cores = ranges.flatMap((range) => {
		const [from, to = from] = range.split('-').map(Number);
		return Array.from({length: to - from + 1}, (_, index) => from + index);
	});
	return cores.length > 1 ? {server: cores[0], peer: cores[1]} : undefined;
}

/**
 * The versions of the peers, each beside the one that our package runs on where the two differ: then
 * the ratios compare more than they say.
 */
function packageVersions() {
	const {dependencies} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
	return Object.keys(dependencies)
		.filter((name) => name !== 'node')
		.map((name) => {
			const version = versionOf(name, import.meta.url);
			const own = ['axios', 'tough-cookie', 'undici'].includes(name)
				? versionOf(name, new URL('..', import.meta.url).href)
				: version;
			return `${name} ${version}${own === version ? '' : ` (ours: ${own})`}`;
		});
}

/**
 * @param {string} name
 * @param {string} from whoever imports it
 */
function versionOf(name, from) {
	try {
		return JSON.parse(readFileSync(findPackageJSON(name, from), 'utf8')).version;
	} catch (error) {
		// The bench's own packages are needed for the peers that use them, and no others.
		if (error.code === 'ERR_MODULE_NOT_FOUND') return 'not installed';
		throw error;
	}
}
