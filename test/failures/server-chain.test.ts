import {expect, test} from 'vitest';
import {decide} from '../../src/failures/decide.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {trustFacts} from '../../src/tls/trust/ca.ts';
import {evidenceOf, samples, trustOf} from '../support/evidence.ts';

const long = (length: number) => `CN=${'a'.repeat(length - 3)}`;

test.each<[string, number, readonly string[], string]>([
	['one name', 1, ['CN=A'], "; it holds 'CN=A'"],
	['two names', 2, ['CN=A', 'CN=B'], "; it holds 'CN=A' and 'CN=B'"],
	['three names', 3, [], '; it holds 3 others'],
	['a name of 160 characters', 1, [long(160)], `; it holds '${long(160)}'`],
	['a name of 161 characters', 1, [long(161)], '; it holds one other'],
	['nothing that is known', 0, [], ''],
])('a reason names what `ca` holds where that is short: %s', (_, count, names, says) => {
	const trust = () => trustOf({count, names});
	const decision = decide(evidenceOf({...samples['untrusted-issuer'], trust}));
	const reason = decision?.reasons.find((each) => each.includes('does not hold'));
	expect(reason?.replace(/^.*(the CA of this server|a root CA)/, '')).toBe(says);
});

test('each name in `ca` is counted once, and up to two are listed', async () => {
	const pkis = await Promise.all(
		['CA 1', 'CA 1', 'CA 2', 'CA 3'].map((commonName) => createTestPki({commonName})),
	);
	const held = (count: number) => {
		const ca = pkis.slice(0, count).map((pki) => pki.ca);
		const {count: found, names} = trustFacts([], {ca, pfxCas: [], globalAgentCa: undefined});
		return [found, names];
	};
	expect(held(2)).toEqual([1, ['CN=CA 1']]);
	expect(held(3)).toEqual([2, ['CN=CA 1', 'CN=CA 2']]);
	expect(held(4)).toEqual([3, []]);
	const none = trustFacts([], {ca: undefined, pfxCas: [], globalAgentCa: undefined});
	expect([none.count, none.names]).toEqual([0, []]);
});
