/*
 * What is known of the options, said when the server misses or distrusts something.
 */
import {beforeAll, expect, onTestFinished, test, vi} from 'vitest';
import {createClient, MtlsAgent, MtlsConfigError, type MtlsOptions} from '../../../src/index.ts';
import {createFixture, type Fixture, mtlsFailureOf} from '../../support/fixture.ts';
import {pfxOf} from '../../support/pfx-writer.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function client(mtls: MtlsOptions) {
	const warn = vi.fn();
	const made = createClient({mtls, logger: {warn, error: vi.fn()}, proxy: false});
	onTestFinished(() => made.mtls.close({deadlineMs: 0}));
	return {made, warn};
}

test.each<[string, object, string]>([
	['cert and key', {cert: undefined, key: undefined}, '`mtls.cert` and `mtls.key` are'],
	['pfx', {pfx: undefined, passphrase: undefined}, '`mtls.pfx` is'],
])('%s given as undefined are warned about, and named in the failure', async (_, unset, words) => {
	const server = await fixture.server();
	const {made, warn} = client({...unset, ca: fixture.pki.ca});
	const sentence = `${words} given as undefined, as by environment variables that are not set`;
	expect(warn).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({event: 'identity_unset'}),
		`there is no client certificate: ${sentence}`,
	);
	const {failure} = await mtlsFailureOf(made.get(server.url('/')));
	expect(failure.kind).toBe('client-certificate-required');
	expect(failure.reasons[0]).toBe(sentence);
});

test('options that are left out, or given in part, are not warned about', async () => {
	const {cert, key} = fixture.alice;
	for (const mtls of [
		{},
		{cert: undefined},
		{cert, key, pfx: undefined},
		{pfx: pfxOf(cert, key), cert: undefined, key: undefined},
		{identity: () => ({cert, key}), cert: undefined, key: undefined},
	]) {
		const {warn} = client({...(mtls as MtlsOptions)});
		expect(warn).not.toHaveBeenCalled();
	}
	const server = await fixture.server();
	const {failure} = await mtlsFailureOf(client({ca: fixture.pki.ca}).made.get(server.url('/')));
	expect(failure.reasons.join()).not.toContain('undefined');
});

const trust: readonly (readonly [option: string, meaning: string])[] = [
	['ca', 'for what Node trusts'],
	['crl', 'to check no revocation list'],
	['pins', 'to require no pinned key'],
	['spiffeId', 'to verify the host name instead'],
	['servername', "to verify the URL's host"],
];

const given =
	'it is given as undefined, as by an environment variable that is not set; leave it out';

test.each(trust)(
	'the option %s given as undefined is refused, since leaving it out trusts more',
	(name, meaning) => {
		const [mtls, origins] = [{[name]: undefined} as object, ['https://bank.example']];
		const makers: [string, () => unknown][] = [
			['mtls', () => createClient({mtls})],
			['mtls', () => new MtlsAgent(mtls)],
			['mtls', () => createClient().create({mtls})],
			[
				'mtls[1]',
				() => createClient({mtls: [{origins: ['https://a.example']}, {...mtls, origins}]}),
			],
		];
		if (name !== 'spiffeId') {
			makers.push(['mtls.proxy', () => createClient({mtls: {proxy: mtls}})]);
			makers.push(['mtls[0].proxy', () => createClient({mtls: [{proxy: mtls, origins}]})]);
		}
		for (const [path, make] of makers) {
			const option = `${path}.${name}`;
			expect(make).toThrow(MtlsConfigError);
			expect(make).toThrow(
				expect.objectContaining({
					code: 'ERR_MTLS_BAD_OPTION',
					option,
					message: `${option}: ${given} ${meaning}`,
				}),
			);
		}
	},
);

test.each(['ca', 'crl'])(
	'an identity whose %s is undefined is refused, and its request reaches no server',
	async (name) => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const {made} = client({
			ca: fixture.pki.ca,
			identity: async () => ({cert, key, [name]: undefined}),
		});
		await expect(made.get(server.url('/'))).rejects.toMatchObject({
			code: 'ERR_MTLS_IDENTITY_FAILED',
			cause: {code: 'ERR_MTLS_BAD_OPTION', option: `mtls.identity.${name}`},
		});
		expect(server.requests).toEqual([]);

		const {data} = await client({
			ca: fixture.pki.ca,
			identity: () => ({cert, key}),
		}).made.get(server.url('/whoami'));
		expect(data).toMatchObject({client: 'alice'});
	},
);

test('the CA of the server that came in pfx is named, with how to trust it on purpose', async () => {
	const server = await fixture.server();
	const {cert, key} = fixture.alice;
	const pfx = pfxOf(cert + fixture.pki.ca, key);
	const {failure} = await mtlsFailureOf(client({pfx}).made.get(server.url('/')));
	expect(failure).toMatchObject({kind: 'untrusted-issuer', side: 'server'});
	expect(failure.reasons[0]).toBe(
		"the CA 'CN=Test Root CA' is in `mtls.pfx`, and is not trusted by that",
	);
	expect(failure.hint).toContain('give the same file as `mtls.ca` too');
	const {data} = await client({pfx, ca: pfx}).made.get(server.url('/whoami'));
	expect(data).toMatchObject({client: 'alice'});

	// Another CA than that of the server is not the reason.
	const stranger = await createFixture();
	const other = pfxOf(cert + stranger.pki.ca, key);
	const told = await mtlsFailureOf(client({pfx: other}).made.get(server.url('/')));
	expect(told.failure.reasons.join()).not.toContain('mtls.pfx');
});
