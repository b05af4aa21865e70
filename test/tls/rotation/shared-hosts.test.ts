import {expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {parseOrigins} from '../../../src/tls/rotation/origin-patterns.ts';
import {findSharedHost} from '../../../src/tls/rotation/shared-hosts.ts';

const find = (...list: MtlsOptions[]) =>
	findSharedHost(
		list,
		list.map(({origins = []}) => parseOrigins(origins).patterns),
	);

const alice = {cert: 'alice.crt', key: 'alice.key'};
const bob = {cert: 'bob.crt', key: 'bob.key'};

test.each([
	['https://a.test', 'https://a.test:8443'],
	['https://a.test:1', 'https://a.test:2'],
	['https://*.a.test', 'https://x.a.test:8443'],
	['https://x.y.a.test:8443', 'https://*.a.test'],
	['https://*.a.test', 'https://*.a.test:8443'],
	['https://*.a.test', 'https://*.x.a.test:8443'],
	['https://[::1]', 'https://[::1]:8443'],
	['https://10.0.0.1', 'https://10.0.0.1:8443'],
])('two identities share a host: %s and %s', (one, other) => {
	const [first, second] = [
		{...alice, origins: [one]},
		{...bob, origins: [other]},
	];
	expect(find(first, second)).toEqual({origins: [one, other], indexes: [0, 1]});
	const between = {pfx: 'carol.p12', origins: ['https://c.test', 'https://c.test:8443']};
	expect(find(second, between, first)).toEqual({origins: [other, one], indexes: [0, 2]});
	// Without a certificate it is another client too.
	expect(find(first, {origins: [other]})).toMatchObject({indexes: [0, 1]});
});

test.each([
	['https://a.test', 'https://b.test:8443'],
	['https://a.test', 'https://x.a.test:8443'],
	['https://*.a.test', 'https://a.test:8443'],
	['https://*.a.test', 'https://evila.test:8443'],
	['https://*.x.a.test', 'https://y.a.test:8443'],
	['https://*.a.test', 'https://x.a.test'],
	['https://[::1]', 'https://[::2]:8443'],
])('two identities share no host: %s and %s', (one, other) => {
	expect(find({...alice, origins: [one]}, {...bob, origins: [other]})).toBeUndefined();
	expect(find({...bob, origins: [other]}, {...alice, origins: [one]})).toBeUndefined();
});

test('one identity on two ports is one client, however it is given', () => {
	const [one, other] = [{origins: ['https://a.test']}, {origins: ['https://a.test:8443']}];
	const bytes = () => ({pfx: Buffer.from('same'), passphrase: 'p'});
	const url = () => ({pfx: new URL('file:///same.p12')});
	const loader = () => ({});
	for (const [first, second] of [
		[alice, alice],
		[bytes(), bytes()],
		[url(), url()],
		[{identity: loader}, {identity: loader}],
		[{ca: 'one.crt'}, {ca: 'other.crt'}],
	]) {
		expect(find({...first, ...one}, {...second, ...other})).toBeUndefined();
	}
	for (const [first, second] of [
		[bytes(), {pfx: Buffer.from('else')}],
		[url(), {pfx: new URL('file:///else.p12')}],
		[{identity: loader}, {identity: () => ({})}],
		[alice, {...alice, key: 'bob.key'}],
	]) {
		expect(find({...first, ...one}, {...second, ...other})).toBeDefined();
	}
});
