import {beforeAll, expect, onTestFinished, test, vi} from 'vitest';
import {type ClientConfig, createClient, type MtlsOptions} from '../../src/index.ts';
import {createFixture} from '../support/fixture.ts';

let list: MtlsOptions[];
beforeAll(async () => {
	const {alice, pki} = await createFixture();
	const bob = await pki.client({commonName: 'bob'});
	list = [
		{cert: alice.cert, key: alice.key, origins: ['https://bank.test']},
		{cert: bob.cert, key: bob.key, origins: ['https://bank.test:8443']},
	];
});

function make(config: ClientConfig) {
	const warn = vi.fn();
	const client = createClient({logger: {warn, error: vi.fn()}, proxy: false, ...config});
	onTestFinished(() => client.mtls.close({deadlineMs: 0}));
	return {client, warn};
}

const expected = [
	{
		event: 'jar_shared_by_identities',
		origins: ['https://bank.test', 'https://bank.test:8443'],
	},
	'`mtls[0]` (https://bank.test) and `mtls[1]` (https://bank.test:8443) are used on one host with one jar, and cookies know no ports: those of one identity are sent to the server of the other; give each a jar of its own, by `jar` of a request, or a client each',
];

test('a jar that two identities of one host share is logged once', () => {
	const {client, warn} = make({mtls: list, jar: true});
	expect(warn).toHaveBeenCalledExactlyOnceWith(...expected);
	// The same jar is no news, a new one is.
	client.create({timeout: 5});
	expect(warn).toHaveBeenCalledOnce();
	client.create({jar: true});
	expect(warn).toHaveBeenCalledTimes(2);
	expect(warn).toHaveBeenLastCalledWith(...expected);
});

test('a list that gets a jar later, with the jar or with the list, is logged', () => {
	const withoutJar = make({mtls: list});
	expect(withoutJar.warn).not.toHaveBeenCalled();
	withoutJar.client.create({jar: true});
	expect(withoutJar.warn).toHaveBeenCalledExactlyOnceWith(...expected);

	const withoutList = make({jar: true});
	expect(withoutList.warn).not.toHaveBeenCalled();
	const child = withoutList.client.create({mtls: list});
	onTestFinished(() => child.mtls.close({deadlineMs: 0}));
	expect(withoutList.warn).toHaveBeenCalledExactlyOnceWith(...expected);
});

test('a list without a jar, on hosts of their own or with one identity is not logged', () => {
	const [alice = {}, bob = {}] = list;
	for (const config of [
		{mtls: list, jar: false},
		{mtls: [alice, {...bob, origins: ['https://other.test']}], jar: true},
		{mtls: [alice, {...alice, origins: ['https://bank.test:8443']}], jar: true},
		{mtls: {...alice, origins: ['https://bank.test', 'https://bank.test:8443']}, jar: true},
	]) {
		expect(make(config).warn).not.toHaveBeenCalled();
	}
});
