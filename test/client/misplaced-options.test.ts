import axios from 'axios';
import {describe, expect, test} from 'vitest';
import {
	createAdapter,
	createClient,
	MtlsAgent,
	MtlsConfigError,
	type MtlsOptions,
	withMtls,
} from '../../src/index.ts';
import {refusalBy} from '../support/config-refusal.ts';

type Make = (options: never) => unknown;

const makers: [string, Make][] = [
	['createClient', createClient as Make],
	['withMtls', ((options: object) => withMtls(axios.create(), options)) as Make],
	['createAdapter', createAdapter as Make],
	['client.create', ((options: object) => createClient().create(options)) as Make],
];

describe.each(makers)('%s refuses, and says what to do instead', (_, make) => {
	test.each(['cert', 'key', 'pfx', 'ca', 'passphrase', 'pins', 'servername'])(
		'the option %s beside `mtls` is refused with the place where it belongs',
		(name) => {
			const error = refusalBy(() => make({[name]: 'hunter2'} as never));
			expect(error).toMatchObject({code: 'ERR_MTLS_UNKNOWN_OPTION', option: name});
			expect(error.message).toContain(`belongs in \`mtls\`: give mtls: {${name}: …}`);
			expect(error.message).not.toContain('hunter2');
		},
	);

	test.each([
		['rejectUnauthorized', 'verification cannot be switched off'],
		['checkServerIdentity', 'verification cannot be replaced'],
	])('the option %s is refused at the top and in `mtls`', (name, message) => {
		for (const [option, options] of [
			[name, {[name]: false}],
			[`mtls.${name}`, {mtls: {[name]: false}}],
		]) {
			const error = refusalBy(() => make(options as never));
			expect(error).toMatchObject({code: 'ERR_MTLS_UNKNOWN_OPTION', option});
			expect(error.message).toContain(message);
		}
	});

	test.each([
		['cookieJar', 'jar'],
		['tls', 'mtls'],
		['ssl', 'mtls'],
		['Mtls', 'mtls'],
		['mtl', 'mtls'],
		['cookie', 'cookies'],
		['maxsockets', 'maxSockets'],
		['allowInsecureRedirect', 'allowInsecureRedirects'],
	])('the name %s is refused, with the option %s that was likely meant', (name, meant) => {
		const error = refusalBy(() => make({[name]: 'hunter2'} as never));
		expect(error).toMatchObject({code: 'ERR_MTLS_UNKNOWN_OPTION', option: name});
		expect(error.message).toBe(`${name}: no such option: did you mean \`${meant}\`?`);
	});

	test.each([null, 5, 'x', []])('the value %j is refused as options', (given) => {
		const error = refusalBy(() => make(given as never));
		expect(error.code).toBe('ERR_MTLS_BAD_OPTION');
		expect(error.option).toMatch(/^(config|options)$/);
		expect(error.message).toContain('expected an object');
	});

	test('unknown keys that an app has put into the config are kept', () => {
		const options = make === createClient ? {metadata: 1, id: 'a'} : {};
		expect(() => make(options as never)).not.toThrow();
	});
});

test.each([
	['cert', 'belongs in the first argument: {cert: …}'],
	['rejectUnauthorized', 'verification cannot be switched off'],
])('an MtlsAgent refuses %s beside its mtls', (name, message) => {
	const error = refusalBy(() => new MtlsAgent({}, {[name]: false}));
	expect(error).toMatchObject({code: 'ERR_MTLS_UNKNOWN_OPTION', option: name});
	expect(error.message).toContain(message);
	expect(() => new MtlsAgent({}, {keepAliveMsecs: 500} as never)).not.toThrow();
});

test.each(['mtls', 'pins', 'spiffeId', 'requireClientAuth'])(
	'a request that brings %s is refused before anything is asked',
	async (name) => {
		const client = createClient({logger: false, proxy: false});
		const config = {[name]: {} as MtlsOptions} as object;
		const error = await client.get('https://localhost:1/', config).catch((reason) => reason);
		expect(error).toBeInstanceOf(MtlsConfigError);
		expect(error).toMatchObject({code: 'ERR_MTLS_UNKNOWN_OPTION', option: name});
		expect(error.message).toBe(
			`${name}: belongs to a client, not to a request: create({mtls: …}) makes one that shares the defaults, and neither cookies nor login if \`mtls\` has credentials; or give a list of \`mtls\` with their origins`,
		);
		await client.mtls.close();
	},
);

test('an instance that axios has made with mtls is refused where it is equipped', () => {
	const instance = axios.create({mtls: {}} as object);
	expect(refusalBy(() => withMtls(instance))).toMatchObject({option: 'mtls'});
	expect(refusalBy(() => withMtls(5 as never))).toMatchObject({option: 'instance'});
});

test('a deadline of close() that is not a time is refused, and an event as argument is ignored', async () => {
	const client = createClient({logger: false});
	await expect(client.mtls.close({deadlineMs: '5' as never})).rejects.toMatchObject({
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'deadlineMs',
	});
	await client.mtls.close('SIGTERM' as never);
	await client.mtls.close(null as never);
});
