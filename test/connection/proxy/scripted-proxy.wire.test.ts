import {execFile} from 'node:child_process';
import type {AddressInfo} from 'node:net';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {createTestPki} from '../../../src/testing/index.ts';
import {sample} from '../../support/iterations.ts';
import {onTestFinished, separateConcurrentTests} from '../../support/on-test-finished.ts';
import {type Scene, scenes, startScriptedProxy} from '../../support/scripted-proxy.ts';
import type {Report} from '../../support/scripted-proxy-ask.ts';

const script = fileURLToPath(new URL('../../support/scripted-proxy-ask.ts', import.meta.url));

separateConcurrentTests();

/** Ends of the connection after each byte of a reply. */
const cuts = Object.keys(scenes).filter((name) => /^close-\d/.test(name));
const names = [...Object.keys(scenes).filter((name) => !cuts.includes(name)), ...sample(cuts)];

test.concurrent.each(['http', 'https'])(
	'each misbehaviour of an %s proxy has its own code in time, and leaves nothing behind',
	async (protocol) => {
		const pki = await createTestPki();
		const {cert, key} = await pki.server();
		const proxy = await startScriptedProxy(protocol === 'https' ? {cert, key} : undefined);
		onTestFinished(() => {
			proxy.close();
		});
		const {port} = proxy.address() as AddressInfo;

		// A process that something is left in does not end by itself.
		const {stdout} = await promisify(execFile)(
			process.execPath,
			[script, `${protocol}://localhost:${port}`],
			{
				env: {
					PATH: process.env.PATH,
					CA: pki.ca,
					SCENES: names.join(),
					NODE_NO_WARNINGS: '1',
					NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
				},
				timeout: 40_000,
			},
		);

		const {asked, left} = JSON.parse(stdout) as Report;
		expect(left).toEqual([]);
		expect(asked.map(({elapsedMs, ...facts}) => facts)).toEqual(
			names.flatMap((name) => {
				const {code, kind, status} = scenes[name] as Scene;
				return ['undici', 'axios'].map((exchange) => ({
					name,
					exchange,
					code,
					...(kind !== undefined && {kind, side: kind.startsWith('proxy') ? 'proxy' : 'both'}),
					...(status !== undefined && {status}),
					answered: false,
				}));
			}),
		);
		const slow = asked.filter(({elapsedMs}) => elapsedMs > 2_000);
		expect(slow).toEqual([]);
	},
);
