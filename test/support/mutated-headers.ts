import fc from 'fast-check';
import cases from '../cookies/fixtures/http-state.json' with {type: 'json'};
import {type Edit, edits, mutate} from './mutate.ts';

/** Which text is bent, and how. */
export interface MutatedHeader {
	readonly index: number;
	readonly edits: readonly Edit[];
	readonly choice: number;
}

export const mutatedHeaders: fc.Arbitrary<MutatedHeader> = fc.record({
	index: fc.noBias(fc.nat(0xffff)),
	edits,
	choice: fc.noBias(fc.nat(0xffff)),
});

export function pick<T>(list: readonly T[], index: number): T {
	const one = list[index % list.length];
	if (one === undefined) throw new Error('an empty list');
	return one;
}

/** One of `texts`, bent; a character for each byte, as headers have it. */
export function mutateText(
	texts: readonly string[],
	{index, edits, choice}: MutatedHeader,
): string {
	const [text, donor] = [pick(texts, index), pick(texts, index + choice)];
	return mutate(Buffer.from(text, 'latin1'), edits, Buffer.from(donor, 'latin1')).toString(
		'latin1',
	);
}

/** Values of `Set-Cookie`. */
export const setCookies: readonly string[] = [
	...cases.flatMap(({set}) => set),
	'id=1; Domain=a.test; Path=/app; Secure; HttpOnly; SameSite=Strict',
	'__Host-id=1; Secure; Path=/',
	'__Secure-id=1; Secure; Domain=a.test',
	'=__Host-id=1; Secure',
	'id=1; Domain=com',
	'id=1; Domain=intranet',
	'id=1; Domain=.github.io',
	'id=1; Domain=127.0.0.1',
	'id=1; Domain=[::1]',
	'id=1; Domain=xn--bcher-kva.test; Max-Age=99999999999999999999',
	'id=1; Expires=Thu, 31 Dec 2037 23:59:60 GMT; Max-Age=-0',
];

/** Values of `Location`. */
export const locations: readonly string[] = [
	'/next?a=b#c',
	'next',
	'../up/./down',
	'//other.test/path',
	'https://app.test/next',
	'https://user:s3cret@app.test/next',
	'https://app.test:8443/next',
	'http://app.test/next',
	'https://other.test/next?token=s3cret',
	'HTTPS:\\\\other.test\\next',
	'https://[::1]:8443/next',
	'https://127.1/next',
	'https://b\u00fccher.test/\u00fc?\u00fc#\u00fc',
	'mailto:a@b.test',
	'data:text/plain,hello',
	'javascript:alert(1)',
	'file:///etc/passwd',
	'https://',
	'?query',
	'#fragment',
];
