import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {createClient, type IdentityEvent, MtlsAgent} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const pki = await createTestPki();

function logger() {
	return {error: vi.fn(), warn: vi.fn()};
}

test('a client certificate that ends within 30 days is warned about when the client is made', async () => {
	const {cert, key} = await pki.client({validTo: new Date(Date.now() + 9.5 * DAY_MS)});
	const log = logger();
	createClient({mtls: {cert, key}, logger: log});
	expect(log.warn).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({
			event: 'identity_expiring',
			daysLeft: 9,
			identity: expect.objectContaining({subject: 'CN=client'}),
		}),
		expect.stringMatching(
			/^our certificate 'CN=client' expires on \d{4}-\d\d-\d\d, in 9 days: renew it$/,
		),
	);
});

test('a client certificate that is good for long is not warned about', async () => {
	const {cert, key} = await pki.client();
	const log = logger();
	createClient({mtls: {cert, key}, logger: log});
	expect(log.warn).not.toHaveBeenCalled();
});

test('a key that others may read is warned about, without a word of the key', async () => {
	const {cert, key} = await pki.client();
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
	onTestFinished(() => rmSync(folder, {recursive: true}));
	const path = join(folder, 'client.key');
	writeFileSync(path, key);
	chmodSync(path, 0o644);
	const log = logger();
	new MtlsAgent({cert, key: path}, {logger: log});
	expect(log.warn).toHaveBeenCalledExactlyOnceWith(
		expect.objectContaining({event: 'file_exposed', option: 'mtls.key', path}),
		expect.any(String),
	);
	expect(JSON.stringify(log.warn.mock.calls)).not.toContain('PRIVATE');

	chmodSync(path, 0o600);
	new MtlsAgent({cert, key: path}, {logger: log});
	expect(log.warn).toHaveBeenCalledOnce();
});

test('a key that others may read is warned about once for each file and client, however often it is rotated', async () => {
	const {cert, key} = await pki.client();
	const folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
	onTestFinished(() => rmSync(folder, {recursive: true}));
	const path = (name: string) => {
		const file = join(folder, name);
		writeFileSync(file, key);
		chmodSync(file, 0o644);
		return file;
	};
	const [one, other] = [path('one.key'), path('other.key')];
	const log = logger();
	const warned = () => log.warn.mock.calls.map(([{path: file}]) => file);
	const single = createClient({mtls: {cert, key: one}, logger: log});
	expect(warned()).toEqual([one]);
	for (let round = 0; round < 3; round += 1) await single.mtls.reload();
	expect(warned()).toEqual([one]);
	createClient({mtls: {cert, key: one}, logger: log});
	createClient({mtls: {cert, key: other}, logger: log});
	expect(warned()).toEqual([one, one, other]);
});

test('the channel axios-mtls:identity publishes what was loaded, and its warnings', async () => {
	const events: IdentityEvent[] = [];
	const listen = (event: unknown) => events.push(event as IdentityEvent);
	subscribe('axios-mtls:identity', listen);
	onTestFinished(() => {
		unsubscribe('axios-mtls:identity', listen);
	});
	const {cert, key} = await pki.client({expired: true});
	createClient({mtls: {cert, key, allowExpired: true}, logger: false});
	expect(events.map(({event}) => event)).toEqual(['identity_loaded', 'identity_expired']);
	expect(events.every(({identity}) => identity?.subject === 'CN=client')).toBe(true);
	expect(JSON.stringify(events)).not.toContain('PRIVATE');
});

test('an instance that a silent client creates is silent, too, though it has a certificate of its own', async () => {
	const {cert, key} = await pki.client({validTo: new Date(Date.now() + 9.5 * DAY_MS)});
	const warn = vi.spyOn(console, 'warn').mockReturnValue();
	onTestFinished(() => warn.mockRestore());
	const silent = createClient({logger: false});
	silent.create({mtls: {cert, key}});
	expect(warn).not.toHaveBeenCalled();
	const log = logger();
	silent.create({mtls: {cert, key}, logger: log});
	expect(log.warn).toHaveBeenCalledOnce();
});
