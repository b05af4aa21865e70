import {expect, test, vi} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {clientFlags, flagOf, flagRows} from '../../src/cli/shared/flags.ts';
import type {MtlsFailure} from '../../src/facts.ts';
import {keepOptionNames} from '../../src/failures/decide.ts';
import {createClient, type MtlsOptions} from '../../src/index.ts';
import {failureLines} from '../../src/logging/failure-lines.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, tempDir} from '../support/fake-io.ts';

const failure = {
	reasons: ['one', 'two'],
	url: 'https://a.test/',
	host: 'a.test',
	port: 443,
	identity: null,
} as unknown as MtlsFailure;

function commandFor(names: readonly string[]): string | undefined {
	const each = {...failure};
	keepOptionNames(each, names);
	return failureLines(each, undefined)
		.at(-1)
		?.replace(/^.*a\.test:443\/ ?/, '');
}

const ofMtls = flagRows.filter(([, {option}]) => option.startsWith('mtls.'));

test.each(ofMtls.filter(([, {option}]) => option !== 'mtls.origins'))(
	'an option in use is named by its flag: %s',
	(name, {option}) => {
		expect(commandFor([option.replace('mtls.', '')])).toBe(`(with ${flagOf(name)} as in \`mtls\`)`);
	},
);

test.each([
	[[], ''],
	[['verify', 'reload', 'origins'], ''],
	[['identity', 'ca'], '(with --cert, --key and --ca as in `mtls`)'],
	[['secureContext'], '(with --cert and --key as in `mtls`)'],
	[
		['ca', 'passphrase', 'pfx', 'proxy.ca'],
		'(with --pfx, --passphrase-file, --ca and --proxy-ca as in `mtls`)',
	],
])('the options %j are named in the order of the help', (names, says) => {
	expect(commandFor(names)).toBe(says);
});

test.each([false, true])(
	'the logged command runs with the flags that it names, with an expired certificate: %s',
	async (expired) => {
		using dir = tempDir();
		const pki = await createTestPki();
		const {cert, key} = await pki.client({expired});
		const credential = await pki.server({selfSigned: true});
		await using server = await startMtlsServer({pki, credential, clientAuth: 'request'});
		const files = {
			cert: dir.write('client.crt', cert),
			key: dir.write('client.key', key),
			ca: dir.write('ca.crt', pki.ca),
		};
		const mtls: MtlsOptions = {...files, ...(expired && {allowExpired: true})};
		const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
		vi.spyOn(console, 'warn').mockImplementation(() => {});
		await using client = createClient({mtls, proxy: false});
		await expect(client.get(server.url('/'))).rejects.toThrow();
		const text = String(printed.mock.calls);
		vi.restoreAllMocks();

		const [, url = '', names = ''] =
			/axios-mtls check (\S+) \(with (.*) as in `mtls`\)/.exec(text) ?? [];
		expect(names.includes('--allow-expired')).toBe(expired);
		const argv = names.split(/, | and /).flatMap((flag) => {
			const [name] = flagRows.find(([each]) => flagOf(each) === flag) ?? [];
			if (name === undefined) throw new Error(`there is no ${flag}`);
			return clientFlags[name].argument
				? [flag, String(files[name as keyof typeof files])]
				: [flag];
		});

		expect(await run(['check', url, ...argv], fakeIo())).toBe(1);
		expect(server.requests).toEqual([]);
		expect(server.connections.length).toBeGreaterThan(1);
		expect(server.connections.every(({plaintextBytes}) => plaintextBytes === 0)).toBe(true);
	},
);
