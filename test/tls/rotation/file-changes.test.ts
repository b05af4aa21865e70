import {mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import {filesOf, fingerprint} from '../../../src/tls/rotation/file-watcher.ts';

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

test('the files of options are their paths, and nothing that was given as it is', () => {
	expect(
		filesOf({
			cert: 'client.crt',
			key: 'client.key',
			ca: ['default', 'system', 'bundled', pem, Buffer.from('x'), 'corp.pem'],
			crl: 'list.crl',
		}),
	).toEqual(['client.crt', 'client.key', 'corp.pem', 'list.crl']);
	expect(filesOf({cert: pem, pfx: 'client.p12', ca: 'ca'})).toEqual(['client.p12', 'ca']);
	expect(filesOf({ca: 'ca.pem', proxy: {ca: ['corp.pem', 'default']}})).toEqual([
		'ca.pem',
		'corp.pem',
	]);
	expect(filesOf({})).toEqual([]);
});

describe('what files look like from outside', () => {
	let folder: string;
	const at = (name: string) => join(folder, name);
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
		onTestFinished(() => rmSync(folder, {recursive: true}));
		writeFileSync(at('a'), 'one');
	});

	test('the fingerprint of files stays the same while nothing changes', () => {
		expect(fingerprint([at('a')])).toBe(fingerprint([at('a')]));
	});

	test.each<[string, () => void]>([
		['it is written with another length', () => writeFileSync(at('a'), 'three')],
		[
			'another file is put in its place',
			() => {
				writeFileSync(at('b'), 'one');
				renameSync(at('b'), at('a'));
			},
		],
		['it is removed', () => rmSync(at('a'))],
	])('the fingerprint of files differs when %s', (_, change) => {
		const before = fingerprint([at('a')]);
		change();
		expect(fingerprint([at('a')])).not.toBe(before);
	});

	test('the fingerprint of files differs when a link on the way leads elsewhere', () => {
		for (const version of ['1', '2']) {
			mkdirSync(at(version));
			writeFileSync(join(at(version), 'key'), 'same');
		}
		symlinkSync('1', at('data'));
		const path = join(at('data'), 'key');
		const before = fingerprint([path]);
		symlinkSync('2', at('next'));
		renameSync(at('next'), at('data'));
		expect(fingerprint([path])).not.toBe(before);
	});

	test('the fingerprint of a directory changes when a file in it does', () => {
		mkdirSync(at('ca'));
		const before = fingerprint([at('ca')]);
		writeFileSync(join(at('ca'), 'one.pem'), pem);
		const after = fingerprint([at('ca')]);
		expect(after).not.toBe(before);
		writeFileSync(join(at('ca'), 'one.pem'), pem + pem);
		expect(fingerprint([at('ca')])).not.toBe(after);
	});

	test('the fingerprint of a missing file says that it is missing, and does not fail', () => {
		expect(fingerprint([at('none')])).toContain('ENOENT');
	});
});
